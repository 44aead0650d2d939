"""`.arff` files as the UCR and UEA archives have them: one channel, or a relational attribute of several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.registry import reader
from unwarp.data.formats.text import classes, gathered, numbers, placed_lines, shown, without_tail
from unwarp.data.source import Source
from unwarp.errors import DataError

ATTRIBUTE = re.compile(r"@attribute\s+('[^']*'|\"[^\"]*\"|[^\s{]+)\s*(.*)", re.IGNORECASE)


CELL = re.compile(
    r"\s*(?:'([^'\\]*(?:\\.[^'\\]*)*)'|\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|([^,'\"]*))\s*,"
)


NUMERIC = ("numeric", "real", "integer")


LABEL = ("class", "label", "target", "classattribute")
"""Numeric attributes of these names are labels."""


@dataclass(frozen=True)
class _Layout:
    """What a line of the body holds: `width` cells, the label at `label`, and a relational cell of `steps` or none."""

    width: int
    label: int | None
    relational: int | None
    steps: int


def write_arff(path: Path, x: Array) -> None:
    """Write series (N, T) of one channel, without labels."""
    steps = "".join(f"@attribute step{k} numeric\n" for k in range(x.shape[1]))
    np.savetxt(path, x, "%.9g", ",", header=f"@relation series\n{steps}@data", comments="")


@reader(".arff", description="Weka, as in the UCR and UEA archives", writer=write_arff)
def read_arff(path: Path) -> Source:
    r"""An `.arff` file of series: numeric attributes are time steps, the nominal one is the label.

    With several channels a relational attribute holds the steps, and its cell one channel after the other, parted by
    `\n`. Steps at the end that are missing (`?`) in every channel pad a shorter series.

    Source: the ARFF format of Weka; sparse and weighted lines, strings and dates as values are refused.

    Raises:
        DataError: No `@data`, attributes of other kinds, lines that do not fit the header or each other.
    """
    lines = [(where, line) for where, line in placed_lines(path) if not line.startswith("%")]
    at = next(
        (k for k, (_, line) in enumerate(lines) if line.split()[0].lower() == "@data"), len(lines)
    )
    header, body = lines[:at], lines[at + 1 :]
    if not body:
        raise DataError(
            f"{path} has no series after a line @data; it is cut short, or of another kind"
        )
    layout = _layout(path, header)
    rows, labels = [], []
    for where, line in body:
        cells = _cells(line, layout.width, where)
        labels += [] if layout.label is None else [cells.pop(layout.label)]
        channels = (
            [cells]
            if layout.relational is None
            else [part.split(",") for part in cells[0].split(r"\n")]
        )
        rows.append(_series(channels, layout.steps, where))
        if len(rows[-1]) != len(rows[0]):
            raise DataError(
                f"{where} has {len(rows[-1])} channels, {body[0][0]} has {len(rows[0])}; it is cut short"
            )
    known = None if layout.label is None else classes(labels, lambda k: body[k][0])
    return gathered(rows, known, f".arff{'' if known is None else ', labels'}")


def _layout(path: Path, header: list[tuple[str, str]]) -> _Layout:
    """Which attribute is what."""
    outer, inner = _attributes(header)
    labels = [k for k, (_, kind) in enumerate(outer) if kind in ("nominal", "string")]
    labels = labels or [
        k for k, (name, kind) in enumerate(outer) if kind == "number" and name.lower() in LABEL
    ]
    relations = [k for k, (_, kind) in enumerate(outer) if kind == "relational"]
    steps = inner if relations else [pair for k, pair in enumerate(outer) if k not in labels]
    strange = next((f"; {name} is {kind}" for name, kind in steps if kind != "number"), "")
    crowded = (
        len(labels) > 1 or len(relations) > 1 or (bool(relations) and len(outer) > 1 + len(labels))
    )
    if strange or crowded or not steps:
        raise DataError(
            f"{path}: its {len(outer)} attributes are no series; wanted are numbers, or one relational attribute of "
            f"numbers, and at most one label{strange}"
        )
    return _Layout(
        len(outer), labels[0] if labels else None, relations[0] if relations else None, len(steps)
    )


def _attributes(
    header: list[tuple[str, str]],
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Name and kind of every attribute, and of those within a relational one."""
    outer: list[tuple[str, str]] = []
    inner: list[tuple[str, str]] = []
    inside = False
    for where, line in header:
        word = line.split()[0].lower()
        if word == "@attribute":
            found = _attribute(where, line)
            (inner if inside else outer).append(found)
            inside = inside or found[1] == "relational"
        elif word == "@end":
            inside = False
        elif word != "@relation":
            raise DataError(
                f"{where}: {shown(line)} stands before @data, where only @relation and @attribute may"
            )
    return outer, inner


def _attribute(where: str, line: str) -> tuple[str, str]:
    """Name and kind of an attribute: `number`, `nominal`, `string`, `relational`, or what stands there."""
    found = ATTRIBUTE.match(line)
    if found is None or not found[2]:
        raise DataError(f"{where}: {shown(line)} is no attribute; it needs a name and a type")
    kind = "nominal" if found[2].startswith("{") else found[2].split()[0].lower()
    return found[1].strip("'\""), "number" if kind in NUMERIC else kind


def _cells(line: str, width: int, where: str) -> list[str]:
    """Cells of a line, without their quotes."""
    if line.startswith("{"):
        raise DataError(f"{where} is sparse, which series are not; write every value")
    line, cells, at = line + ",", [], 0
    while at < len(line):
        found = CELL.match(line, at)
        if found is None:
            raise DataError(
                f"{where}: a quote is not closed, or text follows it; the line is cut short"
            )
        cells.append(next(group for group in found.groups() if group is not None).strip())
        at = found.end()
    if len(cells) != width:
        raise DataError(
            f"{where} has {len(cells)} cells, the header announces {width}; the line is cut short"
        )
    return cells


def _series(channels: list[list[str]], steps: int, where: str) -> Array:
    """A series (C, T), shorter by the padding at its end."""
    rows = []
    for k, cells in enumerate(channels, 1):
        if len(cells) != steps:
            raise DataError(
                f"{where}, channel {k} has {len(cells)} values, the header announces {steps}"
            )
        rows.append(numbers(cells, lambda i, k=k: f"{where}, channel {k}, value {i + 1}"))  # type: ignore[misc]
    return without_tail(np.stack(rows), where)
