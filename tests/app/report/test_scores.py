"""The table of scores: its columns, and what stands out."""

from __future__ import annotations

from tests.app.report.words import section_of
from unwarp.app.outcome import Outcome


def test_series_compare_raw_and_aligned(series_run: Outcome) -> None:
    """Scores of series stand beside those of the raw and of the aligned series."""
    table = section_of(series_run, "What the code knows").table
    assert table is not None
    assert table.head == ("", "code, with warp", "code, without", "raw series", "aligned")
    assert table.rows[0][0] == "nearest neighbour (1-NN), accuracy"
    assert all(len(row) == len(table.head) for row in table.rows)
    assert len(series_run.warped.unwarper.cluster_centers_) == 2


def test_best_score_stands_out(series_run: Outcome) -> None:
    """The best cell of a row is the greatest accuracy and the least error."""
    table = section_of(series_run, "What the code knows").table
    assert table is not None
    for row, best in zip(table.rows, table.best, strict=True):
        cells = [cell for cell in row[1:] if cell]
        if row[0] == "squared error a sample":
            assert best == min(cells, key=float)
        elif best:
            assert best == max(cells, key=lambda cell: float(cell.rstrip("%")))
