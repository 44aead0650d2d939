"""Dates and times of day as spreadsheets, databases and instruments write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from unwarp.errors import DataError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
MONTHS = {name: k for k, name in enumerate(MONTH_NAMES.split(), start=1)}

CLOCK = re.compile(
    r"(?P<h>\d{1,3}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,:](?P<f>\d{1,9}))?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<zone>z|utc|gmt|[+-]\d{2}:?(?:\d{2})?)?",
    re.IGNORECASE,
)
"""A time of day."""

DURATION = re.compile(
    r"(?P<days>-?\d+) days?(?:,? (?P<sign>[+-]?)(?P<clock>\d{1,2}:\d{2}:\d{2}(?:\.\d{1,9})?))?"
)
"""A duration as pandas and Python write it, such as `0 days 00:00:00.001000`."""

OFFSET = re.compile(r":\d{2}(?:[.,]\d+)?\s*([+-])(\d{2}):?(\d{2})?$")
"""A time zone after a time of day, as the difference from UTC."""

DATE = re.compile(r"(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})")
"""A date of three numbers."""

NAMED_DATE = re.compile(
    r"(?:(?P<day>\d{1,2})[ .-]*(?P<month>[a-z]{3})[a-z]*[ .,-]*"
    r"|(?P<month2>[a-z]{3})[a-z]*[ .-]*(?P<day2>\d{1,2})[ .,-]+)(?P<year>\d{4})",
    re.IGNORECASE,
)
"""A date with the name of its month."""

MONTH = re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})")
"""A month of a year."""


def parse_date(cell: str, order: str = "ymd") -> float:
    """Convert a date or a time of day to seconds.

    Args:
        cell: An ISO 8601 date, a date of three numbers or with the name of a month, with or without
            a time of day; a time of day; or a duration of pandas. A date without a time zone is
            read as UTC, so that the result does not depend on the computer.
        order: Order of day, month and year in a date that ends with its year: `dmy` or `mdy`.

    Returns:
        Seconds since 1970-01-01 00:00 UTC; for a time of day alone, since midnight; for a duration,
        its seconds.

    Raises:
        ValueError: The cell is no date.

    >>> parse_date("1970-01-02 00:00:01"), parse_date("2.1.1970", "dmy"), parse_date("0:10:00.5")
    (86401.0, 86400.0, 600.5)
    """
    text = cell.strip().strip("'\"")
    try:
        return _seconds(datetime.fromisoformat(text))
    except ValueError:
        pass
    if match := CLOCK.fullmatch(text):
        return _clock(match)
    if match := DURATION.fullmatch(text):
        return _duration(match)
    year, month, day, rest = _split(text, order)
    match = CLOCK.fullmatch(rest) if rest else None
    if rest and match is None:
        raise ValueError(f"{cell!r} is no date")
    midnight = _seconds(datetime(year, month, day))
    return midnight + (0.0 if match is None else _clock(match))


def offsets_of(cells: Sequence[str]) -> list[float] | None:
    """Seconds by which the clocks of dates are ahead of UTC.

    Args:
        cells: Dates with a time of day.

    Returns:
        An offset for each date; None if a date names none.

    >>> offsets_of(["2024-10-27 02:00+02:00", "2024-10-27T02:00-0130"]), offsets_of(["2024-10-27"])
    ([7200.0, -5400.0], None)
    """
    offsets = []
    for cell in cells:
        match = OFFSET.search(cell.strip().strip("'\""))
        if match is None:
            return None
        sign, hours, minutes = match.groups()
        offsets.append(int(f"{sign}1") * (3600.0 * int(hours) + 60 * int(minutes or 0)))
    return offsets


def is_date(cell: str) -> bool:
    """Whether a cell is a date, a clock time or a duration.

    >>> is_date("31/12/2024 10:00"), is_date("12.5"), is_date("walk")
    (True, False, False)
    """
    for order in ("dmy", "mdy"):
        try:
            parse_date(str(cell), order)
        except (ValueError, OverflowError):
            continue
        return True
    return False


def order_of(cells: Sequence[str]) -> str:
    """The order of day and month in dates that end with years.

    Args:
        cells: The dates.

    Returns:
        `dmy` or `mdy`.

    Raises:
        DataError: Both are possible.

    >>> order_of(["1/12/2024", "1/13/2024"]), order_of(["1.2.2024"])
    ('mdy', 'dmy')
    """
    matches = [match for cell in cells if (match := DATE.match(cell.strip().strip("'\"")))]
    short = [match for match in matches if len(match["a"]) < 3]
    if not short or short[0]["mark"] == ".":
        return "dmy"
    is_day_first = any(int(match["a"]) > 12 for match in short)
    is_month_first = any(int(match["b"]) > 12 for match in short)
    if not is_day_first and not is_month_first and any(m["a"] != m["b"] for m in short):
        raise DataError(
            f"the date {short[0][0]} reads two ways, day or month first; write dates as YYYY-MM-DD"
        )
    return "mdy" if is_month_first else "dmy"


def _split(text: str, order: str) -> tuple[int, int, int, str]:
    """Year, month and day of a date, and the text after it."""
    if match := DATE.match(text):
        a, b, c = int(match["a"]), int(match["b"]), int(match["c"])
        if len(match["a"]) > 2:
            year, month, day = a, b, c
        else:
            day, month = (a, b) if order != "mdy" else (b, a)
            year = c if len(match["c"]) > 2 else 2000 + c
    elif match := NAMED_DATE.match(text):
        name = (match["month"] or match["month2"]).lower()
        month, day = MONTHS.get(name, 0), int(match["day"] or match["day2"])
        year = int(match["year"])
    elif match := MONTH.fullmatch(text):
        year, month, day = int(match["year"]), int(match["month"]), 1
    else:
        raise ValueError(f"{text!r} is no date")
    return year, month, day, text[match.end() :].strip(" T,-")


def _clock(match: re.Match[str]) -> float:
    """Seconds since midnight UTC of a time of day."""
    hour, minute, second = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if minute > 59 or second > 60:
        raise ValueError(f"{match[0]!r} is no time")
    if match["half"]:
        hour = hour % 12 + 12 * match["half"].lower().startswith("p")
    zone, fraction = match["zone"] or "", float(f"0.{match['f'] or 0}")
    shift = 0
    if zone[:1] in ("+", "-"):
        digits = zone[1:].replace(":", "").ljust(4, "0")
        shift = int(f"{zone[0]}1") * (60 * int(digits[:2]) + int(digits[2:]))
    return 3600.0 * hour + 60 * (minute - shift) + second + fraction


def _duration(match: re.Match[str]) -> float:
    """Seconds of a duration."""
    clock = CLOCK.fullmatch(match["clock"] or "0:00")
    assert clock is not None
    seconds = -_clock(clock) if match["sign"] == "-" else _clock(clock)
    return 86400.0 * int(match["days"]) + seconds


def _seconds(date: datetime) -> float:
    """Seconds since 1970."""
    return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - EPOCH).total_seconds()
