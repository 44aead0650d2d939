"""The table of scores compares both models with baselines, and marks the best."""

from __future__ import annotations

import numpy as np
import pytest

from tests.app.report.section_texts import section_of
from unwarp.app.outcome import Outcome


def test_series_have_four_columns(series_run: Outcome) -> None:
    """Scores of codes are beside those of the observed and of the aligned series."""
    table = section_of(series_run, "Scores on held-out samples").table
    assert table is not None
    columns = ("code, with warp", "code, without warp", "observed series", "aligned series")
    assert table.head == ("score", *columns)
    assert table.rows[0][0] == "nearest-neighbour (1-NN) accuracy"
    assert all(len(row) == len(table.head) for row in table.rows)
    assert len(series_run.warped.unwarper.cluster_centers_) == 2


def test_best_score_of_a_row(series_run: Outcome) -> None:
    """The best cell of a row is the greatest accuracy, or the least error."""
    table = section_of(series_run, "Scores on held-out samples").table
    assert table is not None
    for row, best in zip(table.rows, table.best, strict=True):
        cells = [cell for cell in row[1:] if cell]
        if row[0] == "squared error per sample":
            assert best == min(cells, key=float)
        elif best:
            assert best == max(cells, key=lambda cell: float(cell.rstrip("%")))


def test_series_scores_are_of_user_arrays(series_run: Outcome) -> None:
    """The accuracy of aligned series is that of the arrays that `align` returns."""
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
    assert names == set(series_run.sample_scores.scores)
    baseline = series_run.baseline.report.scores
    assert "codes_1nn" in baseline and "aligned_1nn" not in baseline
    assert sum(name.startswith("at_bounds_wave") for name in scores) == 3
