"""Dates as spreadsheets and instruments write them."""

from __future__ import annotations

import pytest

from unwarp.data.formats.cells import parse_times
from unwarp.data.formats.dates import is_date, order_of, parse_date
from unwarp.errors import DataError

MOMENT = 1714559400.0
"""2024-05-01 10:30 UTC."""


@pytest.mark.parametrize(
    "cell",
    [
        "2024-05-01T10:30:00Z",
        "2024-05-01 12:30:00+02:00",
        "2024/05/01 10:30",
        "1.5.2024 10:30:00",
        "01-May-2024 10:30",
        "May 1, 2024 10:30 AM",
        "1/5/24 10:30:00.000",
        "2024-05-01 10:30:00 UTC",
    ],
)
def test_dates_are_read_in_any_form(cell: str) -> None:
    """Each form gives the same moment."""
    assert is_date(cell) and parse_date(cell, "dmy") == MOMENT


@pytest.mark.parametrize("cell", ["12", "1.5", "walk", "2024-13-45", "25:99", "Mayday 2024", ""])
def test_numbers_are_no_dates(cell: str) -> None:
    """Numbers, words and impossible dates are refused."""
    assert not is_date(cell)


def test_order_is_told_by_large_days() -> None:
    """A number above 12 is a day; without one, day and month read two ways and are refused."""
    assert order_of(["1/2/2024", "1/13/2024"]) == "mdy"
    assert order_of(["1/2/2024", "13/2/2024"]) == "dmy"
    with pytest.raises(DataError, match=r"a\.csv: the date 1/2/2024 reads two ways"):
        parse_times(["1/2/2024"], lambda row: "a.csv")


def test_durations_are_seconds() -> None:
    """Durations as pandas and Python write them."""
    for cell, seconds in {
        "0 days 00:00:00": 0,
        "0 days 00:00:00.001000": 0.001,
        "-1 days +23:59:59": -1,
        "1 day, 0:00:02": 86402,
        "3 days": 3 * 86400,
    }.items():
        assert is_date(cell) and parse_date(cell) == seconds
    assert not is_date("3 days later")
