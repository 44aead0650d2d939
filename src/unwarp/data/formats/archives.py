"""Text formats of the UCR and UEA archives: `.tsv` and its forerunners, and `.ts`.

Sources: Dau et al. 2019, The UCR time series archive; Bagnall et al. 2018, The UEA multivariate time series
classification archive; the `.ts` format as aeon and sktime document it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.registry import reader
from unwarp.data.formats.text import (
    classes,
    gathered,
    is_number,
    numbers,
    placed_lines,
    shown,
    stamps,
    without_tail,
)
from unwarp.data.source import Source
from unwarp.errors import DataError

BETWEEN = re.compile(r":(?![^(]*\))")
"""A colon that parts two channels, not the hours and minutes of a time stamp in brackets."""


STAMPED = re.compile(r"\(([^(),]*),([^(),]*)\)")
"""A value with its time stamp."""


def starts_with_numbers(path: Path) -> bool:
    """Whether a file starts as those of the UCR archive, which had no suffix."""
    with path.open("rb") as file:
        start = file.readline(1 << 12).decode("latin-1")
    cells = _cells(start.strip())
    return len(cells) > 1 and all(is_number(cell) for cell in cells[:2])


def write_ucr(path: Path, x: Array) -> None:
    """Write series (N, T), each with its row number for a label."""
    np.savetxt(path, np.column_stack([np.arange(len(x)), x]), "%.9g", "\t")


@reader("", description="UCR archive of 2015", accepts=starts_with_numbers, writer=write_ucr)
@reader(".tsv", ".txt", description="UCR archive: a series a line, label first", writer=write_ucr)
def read_ucr(path: Path) -> Source:
    """A series a line, its label first: the UCR archive's `.tsv` of 2018, and its files of 2015 and before.

    Cells are parted by tabs, commas or blanks. Missing values at the end of a line pad a shorter series; elsewhere they
    are missing.

    Raises:
        DataError: Empty, ragged, not numbers, a first cell that is no label, a series without a value.
    """
    lines = [(where, _cells(line)) for where, line in placed_lines(path)]
    for where, cells in lines:
        if is_number(cells[0]) and not float(cells[0]).is_integer():
            raise DataError(
                f"{where} starts with {cells[0]}, which is no class: here the label comes first. "
                "Save series without labels as .csv"
            )
    labels = classes([cells[0] for _, cells in lines], lambda k: lines[k][0])
    rows = _rectangle([(where, cells[1:]) for where, cells in lines])
    return gathered(rows, labels, "UCR layout: a series a line, label first")


def write_plain(path: Path, x: Array) -> None:
    """Write series (N, T), one a line."""
    np.savetxt(path, x, "%.9g", ",")


@reader(".data", description="a series a line, without labels", writer=write_plain)
def read_plain(path: Path) -> Source:
    """A series a line, without labels, as `.data` files of the UCI repository are; gaps are read as by `read_ucr`.

    Raises:
        DataError: Empty, ragged, not numbers, a series without a value.
    """
    rows = _rectangle([(where, _cells(line)) for where, line in placed_lines(path)])
    return gathered(rows, None, "a series a line, no labels")


def _cells(line: str) -> list[str]:
    return line.split(next((mark for mark in "\t," if mark in line), None))


def _rectangle(lines: list[tuple[str, list[str]]]) -> list[Array]:
    """Series (1, T_i) of lines that hold equally many cells."""
    first, expected = lines[0][0], len(lines[0][1])
    rows = []
    for where, cells in lines:
        if len(cells) != expected or not cells:
            raise DataError(
                f"{where} has {len(cells)} values, {first} has {expected}; it is cut short, or shorter series lack "
                "the NaN that pads them here"
            )
        rows.append(without_tail(numbers(cells, _nth(where))[None], where))
    return rows


@dataclass(frozen=True)
class _Header:
    """What the lines before `@data` of a `.ts` file announce, names in lower case."""

    path: Path
    said: dict[str, str]

    def flag(self, name: str) -> bool:
        """Whether `name` is true; false where it is not mentioned."""
        value = self.said.get(name, "false").split(" ")[0].lower()
        if value not in ("true", "false"):
            raise DataError(
                f"{self.path}: @{name} is {shown(self.said[name])}; it must start with true or false"
            )
        return value == "true"

    def count(self, *names: str) -> int | None:
        """The whole number that one of `names` gives, if any."""
        name = next((name for name in names if name in self.said), None)
        if name is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", self.said[name]):
            raise DataError(
                f"{self.path}: @{name} is {shown(self.said[name])}; it must be a whole number"
            )
        return int(self.said[name])


def write_ts(path: Path, x: Array) -> None:
    """Write series (N, T) of one channel, without labels."""
    header = "@univariate true\n@equalLength true\n@classLabel false\n@data"
    np.savetxt(path, x, "%.9g", ",", header=header, comments="")


@reader(".ts", description="UEA archive, aeon, sktime: any number of channels", writer=write_ts)
def read_ts(path: Path) -> Source:
    """A `.ts` file of the UEA archive, aeon or sktime: any number of channels, any lengths, gaps, time stamps.

    A line is `channel:channel:label`, a channel `value,value` or `(time,value),(time,value)`, a missing value `?`.
    Every line is held against what the header announces.

    Raises:
        DataError: Lines that contradict the header or each other, channels of one series that differ in length or time
            stamps, undeclared labels, no `@data`, not numbers.
    """
    header, body = _header(path)
    labelled, stamped = (
        header.flag("classlabel") or header.flag("targetlabel"),
        header.flag("timestamps"),
    )
    series: list[Array] = []
    times: list[Array] = []
    labels: list[str] = []
    for where, line in body:
        channels = BETWEEN.split(line) if stamped else line.split(":")
        if labelled:
            labels.append(_label(channels, header, where))
        values, at = _channels(channels, stamped, where)
        series.append(values)
        times.append(at)
    _agree(series, header, [where for where, _ in body])
    known = classes(labels, lambda k: body[k][0]) if labelled else None
    how = ".ts" + (", labels" if labelled else "") + (", time stamps" if stamped else "")
    return gathered(series, known, how, times=times if stamped else None)


def _header(path: Path) -> tuple[_Header, list[tuple[str, str]]]:
    """The header of a `.ts` file, and the lines of its body."""
    lines = iter([(where, line) for where, line in placed_lines(path) if line[0] not in "#%"])
    said: dict[str, str] = {}
    for where, line in lines:
        name, _, value = line[1:].replace("\t", " ").partition(" ")
        if line[0] != "@":
            raise DataError(
                f"{where}: {shown(line)} stands before @data, where only lines with @ or # may"
            )
        if name.lower() == "data":
            break
        said[name.lower()] = value.strip()
    body = list(lines)
    if not body:
        raise DataError(
            f"{path} has no series after a line @data; it is cut short, or of another kind"
        )
    return _Header(path, said), body


def _label(channels: list[str], header: _Header, where: str) -> str:
    """The label at the end of a line, taken off its `channels`."""
    label = channels.pop().strip()
    declared = header.said.get("classlabel", "").split()[1:]
    if not channels:
        raise DataError(f"{where} has no label after a colon; it is cut short")
    if declared and label not in declared:
        raise DataError(
            f"{where} has the label {shown(label)}; @classLabel announces {', '.join(declared)}"
        )
    if header.flag("targetlabel") and not is_number(label):
        raise DataError(f"{where} has the target {shown(label)}, which is not a number")
    return label


def _channels(channels: list[str], stamped: bool, where: str) -> tuple[Array, Array]:
    """Values (C, T) and time stamps (T,) of a line, the latter empty where there are none."""
    places = [f"{where}, channel {k}" for k in range(1, len(channels) + 1)]
    pairs = [
        _pairs(channel, stamped, place) for channel, place in zip(channels, places, strict=True)
    ]
    rows = [numbers(cells, _nth(place)) for (_, cells), place in zip(pairs, places, strict=True)]
    for row, place in zip(rows, places, strict=True):
        if len(row) != len(rows[0]):
            raise DataError(
                f"{place} has {len(row)} values, channel 1 has {len(rows[0])}; they must be equally long"
            )
    at = [stamps(given, _nth(place)) for (given, _), place in zip(pairs, places, strict=True)]
    for given, place in zip(at, places, strict=True):
        if not (np.array_equal(given, at[0]) and (np.diff(given) > 0).all()):
            raise DataError(f"{place}: time stamps must increase, and be those of channel 1")
    return np.stack(rows), at[0]


def _pairs(channel: str, stamped: bool, where: str) -> tuple[list[str], list[str]]:
    """Cells of the time stamps, if any, and of the values of a channel."""
    if not channel.strip():
        raise DataError(f"{where} is empty; write ? for missing values")
    if not stamped:
        return [], channel.split(",")
    found = STAMPED.findall(channel)
    if STAMPED.sub("", channel).strip(", ") or not found:
        raise DataError(
            f"{where}: {shown(channel)} is no list of (time,value), which @timeStamps true announces"
        )
    return [at for at, _ in found], [value for _, value in found]


def _nth(where: str) -> Callable[[int], str]:
    return lambda k: f"{where}, value {k + 1}"


def _agree(series: list[Array], header: _Header, where: list[str]) -> None:
    """Hold shapes against the header, and against the first line where the header is silent."""
    channels = header.count("dimensions", "dimension") or (
        1 if header.flag("univariate") else len(series[0])
    )
    equal = header.flag("equallength")
    length = header.count("serieslength") or series[0].shape[1]
    for row, place in zip(series, where, strict=True):
        if len(row) != channels:
            raise DataError(
                f"{place} has {len(row)} channels, expected are {channels}; the line is cut short"
            )
        if equal and row.shape[1] != length:
            raise DataError(
                f"{place} has {row.shape[1]} values, expected are {length}, as @equalLength is true"
            )
        if np.isnan(row).all():
            raise DataError(f"{place} holds no value; remove it")
