"""Figures that reports of series have."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.app.report import series_figures
from unwarp.app.report.series_figures import alignment, averages, series_gallery, time_maps


def row_names(figure: Figure) -> list[str]:
    return [axis.get_ylabel() for axis in figure.axes]


def test_time_maps_in_seconds(series_run: Outcome) -> None:
    """Where the sampling rate is known, axes of time are in seconds."""
    figure = time_maps(series_run)
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "observed time (s)"
    assert figure.axes[0].get_xlim()[1] == pytest.approx(2.3)


def test_alignment_shows_all_of_few(series_run: Outcome) -> None:
    """Where few series are held out, those of training are overlaid with them."""
    traces = [len(axis.lines) - 1 for axis in alignment(series_run).axes[::4]]
    assert sum(traces) == 30


def test_gallery_shows_aligned_series(series_run: Outcome) -> None:
    """Under the observed series stand the same with their warps undone."""
    assert row_names(series_gallery(series_run))[:2] == ["observed", "aligned"]


def test_directions_sorted_by_share(series_run: Outcome) -> None:
    """The first direction has the greatest share of the variance, and shares sum to one at most."""
    model, embedding = series_run.warped.unwarper.model_, series_run.warped.embedding
    names = [name.split("\n") for name in row_names(series_figures.directions(model, embedding))]
    assert names[0][0] == "direction 1"
    shares = [float(share.rstrip("%")) for _, share in names]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 101


def test_averages_need_tslearn(series_run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that has barycenters there is nothing to compare with."""
    monkeypatch.setattr(series_figures, "find_spec", lambda name: None)
    assert averages(series_run) is None


@pytest.mark.slow
def test_averages_name_their_methods(series_run: Outcome) -> None:
    """Templates stand beside both barycenters and the plain mean."""
    pytest.importorskip("tslearn", reason="tslearn is not installed", exc_type=ImportError)
    figure = averages(series_run)
    assert figure is not None
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["template", "DBA", "soft-DTW", "mean"]


def test_series_scores_are_of_user_arrays(series_run: Outcome) -> None:
    """The accuracy of aligned series is that of the arrays that `align` gives."""
    unwarper, scores = series_run.warped.unwarper, series_run.warped.report.scores
    training, test = series_run.training, series_run.test
    undo = unwarper.schema_.scaler.undo
    train_x, test_x = (unwarper.align(undo(part.x.numpy())) for part in (training, test))
    flat = [x.reshape(len(x), -1) for x in (train_x, test_x)]
    distances = np.linalg.norm(flat[1][:, None] - flat[0], axis=2)
    assert training.labels is not None
    is_right = training.labels[distances.argmin(1)] == test.labels
    assert scores["aligned_1nn"] == pytest.approx(np.mean(is_right))
    names = {"raw_1nn", "raw_centroid", "raw_acc", "raw_nmi"}
    assert names == set(series_run.baselines.scores)
    plain = series_run.baseline.report.scores
    assert "codes_1nn" in plain and "aligned_1nn" not in plain
    assert sum(name.startswith("at_bounds_wave") for name in scores) == 3
