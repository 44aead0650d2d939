"""Figures of series show them observed, aligned, and averaged by several methods."""

from __future__ import annotations

import pytest

from unwarp.app.outcome import Outcome
from unwarp.app.report import series_figures
from unwarp.app.report.series_figures import alignment, averages, series_gallery


def test_alignment_shows_all_of_few(series_run: Outcome) -> None:
    """If few series are held out, those of training are overlaid too."""
    n_traces = [len(axis.lines) - 1 for axis in alignment(series_run).axes[::4]]
    assert sum(n_traces) == 30


def test_gallery_shows_aligned_series(series_run: Outcome) -> None:
    """Aligned series are under the observed ones."""
    figure = series_gallery(series_run)
    assert [axis.get_ylabel() for axis in figure.axes][:2] == ["observed", "aligned"]


def test_averages_need_tslearn(series_run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that computes barycenters there is no figure of averages."""
    monkeypatch.setattr(series_figures, "find_spec", lambda name: None)
    assert averages(series_run) is None


@pytest.mark.slow
def test_averages_name_their_methods(series_run: Outcome) -> None:
    """Templates are compared with both barycenters and the mean."""
    pytest.importorskip("tslearn", reason="tslearn is not installed", exc_type=ImportError)
    figure = averages(series_run)
    assert figure is not None
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["template", "DBA", "soft-DTW", "mean"]
