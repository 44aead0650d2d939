"""The benchmark of recordings: its errors, its peer, and the words of its page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.cases.series import drift, lags, phase

from benchmarks import cells, recordings


def test_deviations_have_no_gauge() -> None:
    """Lags are relative, and on a circle they are relative there."""
    case = lags(seed=3, n=12)
    assert recordings.deviations(case.events - 7, case.events).max() == 0
    turned = np.mod(phase(seed=3).events + 11, 60.0)
    assert recordings.deviations(turned, phase(seed=3).events, 60.0).max() < 1e-9


def test_peer_finds_pure_lags() -> None:
    """Cross-correlation with the mean finds the lags of one recording."""
    case = lags(seed=4, n=24)
    errors = recordings.deviations(recordings.peer_lags(np.stack(case.x)), case.events)
    assert np.median(errors) == 0


def test_events_of_drift_are_extrema() -> None:
    """The first and the third bump of a series are where its events are."""
    case = drift(seed=5, n=6)
    for x, events in zip(case.x, case.events, strict=True):
        assert abs(int(np.argmax(x)) - events[2]) < 6


def test_page_has_the_medians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has the median over the seeds of each kind."""
    monkeypatch.setattr(cells, "RESULTS", tmp_path / "benchmarks" / "results")
    names = ("peer", *recordings.CALLS)
    for seed, value in enumerate((0.25, 0.5, 3.0)):
        scores = {f"{name}_{kind}": value for name in names for kind in ("median", "95")}
        cells.write(cells.RESULTS / "recordings" / "lags" / f"{seed}.json", {"scores": scores})
    page = tmp_path / recordings.PAGE
    page.parent.mkdir(parents=True)
    page.write_text("<!-- recordings -->\n-\n<!-- /recordings -->\n")
    recordings.table()
    assert "0.50000 / 0.50000 | 0.50000" in page.read_text()
    assert json.loads((cells.RESULTS / "recordings" / "lags" / "0.json").read_text())
