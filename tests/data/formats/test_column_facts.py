"""Facts about columns: kinds, repeats, order."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.data.formats.column_facts import Facts


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "NA", "2.5e3"], "numbers"),
        (["walk", "run"], "words"),
        (["2024-05-01", "2.5.2024"], "dates"),
        (["1", "5x"], "mixed"),
        (["1,5", "2,5"], "mixed"),
        (["", "?"], "empty"),
    ],
)
def test_kind_is_that_of_all_cells(cells: list[str], kind: str) -> None:
    """A damaged number among numbers is never taken for a word."""
    assert Facts(cells).kind == kind


def test_repeats_need_several_rows() -> None:
    """Cells are ids of a long table if there are at least two rows for each on average."""
    assert Facts(["a", "b", "a", "b"]).repeats and Facts(["a", "b", "a", "b"]).is_cyclic
    assert not Facts(["a", "b", "c"]).repeats and not Facts(["a", "", "a", "a"]).repeats


def test_order_within_series() -> None:
    """Numbers and dates increase in each series, whatever lies between."""
    codes = np.array([0, 1, 0, 1])
    assert Facts(["0", "5", "1", "6"]).increases_within(codes)
    assert Facts(["2024-01-01", "2024-01-05", "2024-01-02", "2024-01-06"]).increases_within(codes)
    assert not Facts(["1", "5", "0", "6"]).increases_within(codes)
    assert Facts(np.array([0.0, 0.1, 0.2])).is_even and not Facts(["0", "1", "3"]).is_even
