"""Files in the `.ts` format of the UEA archive, aeon and sktime.

A header is followed by one line per series. Colons separate the channels and the label; this
example has two channels and a label:

    @classLabel true walk run
    @data
    0.1,0.2,0.3:1.1,?,1.3:walk
    0.4,0.5:1.4,1.5:run

References:
    Bagnall et al. (2018), The UEA multivariate time series classification archive.
    The documentation of the format in aeon and in sktime.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import (
    is_number,
    parse_labels,
    parse_numbers,
    parse_times,
    value_locator,
)
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.registry import reader
from unwarp.data.formats.text import numbered_lines, quote
from unwarp.data.source import Source
from unwarp.errors import DataError

CHANNEL_SEPARATOR = re.compile(r":(?![^(]*\))")
"""A colon outside brackets; a colon in brackets is part of a time stamp such as 12:30."""

TIMED_VALUE = re.compile(r"\(([^(),]*),([^(),]*)\)")
"""A pair `(time,value)`."""


@dataclass(frozen=True)
class _Header:
    """The lines before `@data`, such as `@univariate true`.

    `entries` maps the name of each line, in lower case, to the text after it.
    """

    path: Path
    entries: dict[str, str]

    def flag(self, name: str) -> bool:
        """Whether an entry is true; false if the header has no such entry."""
        value = self.entries.get(name, "false").split(" ")[0].lower()
        if value not in ("true", "false"):
            raise DataError(
                f"{self.path}: @{name} is {quote(self.entries[name])}; "
                "it must start with true or false"
            )
        return value == "true"

    def count(self, *names: str) -> int | None:
        """The integer in the first entry that exists of those named; None if none exists."""
        name = next((name for name in names if name in self.entries), None)
        if name is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", self.entries[name]):
            raise DataError(
                f"{self.path}: @{name} is {quote(self.entries[name])}; it must be a whole number"
            )
        return int(self.entries[name])


def write_ts(path: Path, x: Array) -> None:
    """Write series of one channel, without labels.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    header = "@univariate true\n@equalLength true\n@classLabel false\n@data"
    np.savetxt(path, x, "%.9g", ",", header=header, comments="")


@reader(".ts", description="UEA archive, aeon, sktime: any number of channels", writer=write_ts)
def read_ts(path: Path) -> Source:
    """Read series of any number of channels from a `.ts` file.

    Lengths may differ, values may be missing and time stamps may be present. A line is
    `channel:channel:label`. A channel is `value,value` or, with time stamps,
    `(time,value),(time,value)`; a missing value is `?`. Each line must agree with the header.

    Args:
        path: The file.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i), with labels and time stamps if
        the header declares them.

    Raises:
        DataError: A line contradicts the header or an earlier line, channels of a series differ in
            length or in time stamps, a label is not declared, `@data` is missing, or a cell is not
            a number.
    """
    header, lines = _read_header(path)
    is_labelled = header.flag("classlabel") or header.flag("targetlabel")
    is_timed = header.flag("timestamps")
    series: list[Array] = []
    times: list[Array] = []
    labels: list[str] = []
    for location, line in lines:
        channels = CHANNEL_SEPARATOR.split(line) if is_timed else line.split(":")
        if is_labelled:
            labels.append(_pop_label(channels, header, location))
        values, stamps = _parse_channels(channels, is_timed, location)
        series.append(values)
        times.append(stamps)
    _check_shapes(series, header, [location for location, _ in lines])
    classes = parse_labels(labels, lambda k: lines[k][0]) if is_labelled else None
    layout = ".ts" + (", labels" if is_labelled else "") + (", time stamps" if is_timed else "")
    return series_source(series, classes, layout, times=times if is_timed else None)


def _read_header(path: Path) -> tuple[_Header, list[tuple[str, str]]]:
    """The header of a file, and the lines after `@data` with their locations."""
    lines = iter([pair for pair in numbered_lines(path) if pair[1][0] not in "#%"])
    entries: dict[str, str] = {}
    for location, line in lines:
        name, _, value = line[1:].replace("\t", " ").partition(" ")
        if line[0] != "@":
            raise DataError(
                f"{location}: {quote(line)} comes before @data; only lines that start with @ or # "
                "may precede it"
            )
        if name.lower() == "data":
            break
        entries[name.lower()] = value.strip()
    body = list(lines)
    if not body:
        raise DataError(
            f"{path} has no series after a line @data; it is cut short, or not a .ts file"
        )
    return _Header(path, entries), body


def _pop_label(channels: list[str], header: _Header, location: str) -> str:
    """Remove the label at the end of `channels`, and return it."""
    label = channels.pop().strip()
    declared = header.entries.get("classlabel", "").split()[1:]
    if not channels:
        raise DataError(f"{location} has no label after a colon; the line is cut short")
    if declared and label not in declared:
        raise DataError(
            f"{location} has the label {quote(label)}, @classLabel declares {', '.join(declared)}; "
            "correct one of them"
        )
    if header.flag("targetlabel") and not is_number(label):
        raise DataError(
            f"{location} has the target {quote(label)}, which is not a number; correct it"
        )
    return label


def _parse_channels(channels: list[str], is_timed: bool, location: str) -> tuple[Array, Array]:
    """Values (C, T) and time stamps (T,) of a line; if it has no times, their array is empty."""
    locations = [f"{location}, channel {k}" for k in range(1, len(channels) + 1)]
    cells = [
        _split_channel(channel, is_timed, place)
        for channel, place in zip(channels, locations, strict=True)
    ]
    series = [
        parse_numbers(values, value_locator(place))
        for (_, values), place in zip(cells, locations, strict=True)
    ]
    for values, place in zip(series, locations, strict=True):
        if len(values) != len(series[0]):
            raise DataError(
                f"{place} has {len(values)} values, channel 1 has {len(series[0])}; channels of a "
                "series must be equally long"
            )
    return np.stack(series), _parse_shared_times([stamps for stamps, _ in cells], locations)


def _parse_shared_times(cells: list[list[str]], locations: list[str]) -> Array:
    """Time stamps (T,) of a series; they must increase and be the same in all channels."""
    times = [
        parse_times(stamps, value_locator(location))
        for stamps, location in zip(cells, locations, strict=True)
    ]
    for stamps, location in zip(times, locations, strict=True):
        if not (np.array_equal(stamps, times[0]) and (np.diff(stamps) > 0).all()):
            raise DataError(
                f"{location}: time stamps do not increase, or differ from those of channel 1; "
                "correct them"
            )
    return times[0]


def _split_channel(channel: str, is_timed: bool, location: str) -> tuple[list[str], list[str]]:
    """Cells of the time stamps and of the values; without time stamps, the first list is empty."""
    if not channel.strip():
        raise DataError(f"{location} is empty; write ? for missing values")
    if not is_timed:
        return [], channel.split(",")
    pairs = TIMED_VALUE.findall(channel)
    if TIMED_VALUE.sub("", channel).strip(", ") or not pairs:
        raise DataError(
            f"{location}: {quote(channel)} is not a list of (time,value), although the header has "
            "@timeStamps true; correct one of them"
        )
    return [time for time, _ in pairs], [value for _, value in pairs]


def _check_shapes(series: list[Array], header: _Header, locations: list[str]) -> None:
    """Refuse series that differ in shape from the header, or from the first series.

    The first series is used for a number of channels or a length that the header does not declare.
    """
    n_channels = header.count("dimensions", "dimension") or (
        1 if header.flag("univariate") else len(series[0])
    )
    is_equal_length = header.flag("equallength")
    length = header.count("serieslength") or series[0].shape[1]
    for values, location in zip(series, locations, strict=True):
        if len(values) != n_channels:
            raise DataError(
                f"{location} has {len(values)} channels, expected {n_channels}; "
                "the line is cut short, or the header is wrong"
            )
        if is_equal_length and values.shape[1] != length:
            raise DataError(
                f"{location} has {values.shape[1]} values, expected {length}; "
                "correct the line, or set @equalLength to false"
            )
        if np.isnan(values).all():
            raise DataError(f"{location} has only missing values; remove this series")
