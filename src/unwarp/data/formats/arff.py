r"""Series in Weka's `.arff` format, with one channel or several.

With one channel, each numeric attribute is a time step, and a nominal attribute is the label:

    @attribute t0 numeric
    @attribute t1 numeric
    @attribute activity {walk, run}
    @data
    0.1,0.2,walk

With several channels, one cell holds all channels, separated by `\n`, as in
`'0.1,0.2\n1.1,1.2',walk`. The header declares the cell as a relational attribute, with one inner
attribute per time step.

References:
    Bagnall et al. (2018), The UEA multivariate time series classification archive.
    The documentation of the format in Weka.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_missing, parse_labels, parse_numbers, value_locator
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.data.formats.registry import reader
from unwarp.data.formats.text import numbered_lines, quote
from unwarp.data.source import Source
from unwarp.errors import DataError

ATTRIBUTE = re.compile(r"@attribute\s+('[^']*'|\"[^\"]*\"|[^\s{]+)\s*(.*)", re.IGNORECASE)
"""The declaration of an attribute: its name, in quotes or not, and its type."""

CELL = re.compile(
    r"\s*(?:'([^'\\]*(?:\\.[^'\\]*)*)'|\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|([^,'\"]*))\s*,"
)
"""A cell with the comma after it: in single quotes, in double quotes, or without quotes."""

CHANNEL_SEPARATOR = r"\n"
r"""Two characters, a backslash and an n, as relational cells contain them."""

NUMERIC_TYPES = ("numeric", "real", "integer")
NUMERIC_LABEL_NAMES = ("class", "label", "target", "classattribute")
"""Names, in lower case, of numeric attributes that are labels."""

Attribute = tuple[str, str]
"""Name and type: `number`, `nominal`, `string`, `relational`, or the word in the file."""


@dataclass(frozen=True)
class _Layout:
    """Contents of a data line.

    `n_cells` is the number of cells, `label` and `relational` are the indices of the label and of
    the relational cell, None if there is none, and `steps` is the number of time steps.
    `label_values` are the labels that the header declares, None if it declares none.
    """

    n_cells: int
    label: int | None
    relational: int | None
    steps: int
    label_values: list[str] | None


def write_arff(path: Path, x: Array) -> None:
    """Write series of one channel, without labels.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    steps = "".join(f"@attribute step{k} numeric\n" for k in range(x.shape[1]))
    np.savetxt(path, x, "%.9g", ",", header=f"@relation series\n{steps}@data", comments="")


@reader(".arff", description="Weka, as in the UCR and UEA archives", writer=write_arff)
def read_arff(path: Path) -> Source:
    r"""Read series from numeric attributes, and labels from a nominal one.

    The module describes the layout for one channel and for several. Steps at the end that are
    missing (`?`) in every channel are padding of a shorter series and are cut off. If no attribute
    is nominal or a string, a numeric attribute named `class`, `label`, `target` or
    `classAttribute` is the label. Weka's sparse or weighted lines, and values that are strings or
    dates, are refused.

    Args:
        path: The file.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i), with labels if the file has any.

    Raises:
        DataError: `@data` is missing, attributes do not make series, a line contradicts the header
            or an earlier line, a label is not declared, or a cell is not a number.
    """
    header, body = _split_file(path)
    layout = _find_layout(path, header)
    series, labels = [], []
    for location, line in body:
        cells = _split_cells(line, layout.n_cells, location)
        if layout.label is not None:
            labels.append(_check_label(cells.pop(layout.label), layout, location))
        channels = [cells]
        if layout.relational is not None:
            channels = [channel.split(",") for channel in cells[0].split(CHANNEL_SEPARATOR)]
        series.append(_parse_series(channels, layout.steps, location))
        if len(series[-1]) != len(series[0]):
            raise DataError(
                f"{location} has {len(series[-1])} channels, {body[0][0]} has {len(series[0])}; "
                "the line is cut short"
            )
    classes = None if layout.label is None else parse_labels(labels, lambda k: body[k][0])
    return series_source(series, classes, f".arff{'' if classes is None else ', labels'}")


def _split_file(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Lines before and after `@data`, without comments, each with its location."""
    lines = [pair for pair in numbered_lines(path) if not pair[1].startswith("%")]
    first_words = (line.split()[0].lower() for _, line in lines)
    end = next((k for k, word in enumerate(first_words) if word == "@data"), len(lines))
    header, body = lines[:end], lines[end + 1 :]
    if not body:
        raise DataError(
            f"{path} has no series after a line @data; it is cut short, or not an .arff file"
        )
    return header, body


def _find_layout(path: Path, header: list[tuple[str, str]]) -> _Layout:
    """Tell from the attributes which cells are labels and which are time steps."""
    outer, inner = _attributes(header)
    labels = [k for k, (_, data_type) in enumerate(outer) if data_type in ("nominal", "string")]
    labels = labels or [
        k
        for k, (name, data_type) in enumerate(outer)
        if data_type == "number" and name.lower() in NUMERIC_LABEL_NAMES
    ]
    relations = [k for k, (_, data_type) in enumerate(outer) if data_type == "relational"]
    steps = inner if relations else [pair for k, pair in enumerate(outer) if k not in labels]
    other_type = next(
        (f"; {name} is {data_type}" for name, data_type in steps if data_type != "number"), ""
    )
    has_values_beside = bool(relations) and len(outer) > 1 + len(labels)
    if other_type or len(labels) > 1 or len(relations) > 1 or has_values_beside or not steps:
        raise DataError(
            f"{path}: its {len(outer)} attributes do not describe series{other_type}; declare "
            "numeric attributes, or one relational attribute of them, and at most one label"
        )
    label, relation = (columns[0] if columns else None for columns in (labels, relations))
    return _Layout(len(outer), label, relation, len(steps), _label_values(header))


def _attributes(header: list[tuple[str, str]]) -> tuple[list[Attribute], list[Attribute]]:
    """Attributes of a data line, and the inner attributes of its relational attribute."""
    outer: list[Attribute] = []
    inner: list[Attribute] = []
    is_inside = False
    for location, line in header:
        word = line.split()[0].lower()
        if word == "@attribute":
            attribute = _parse_attribute(location, line)
            (inner if is_inside else outer).append(attribute)
            is_inside = is_inside or attribute[1] == "relational"
        elif word == "@end":
            is_inside = False
        elif word != "@relation":
            raise DataError(
                f"{location}: {quote(line)} comes before @data; only @relation and @attribute may "
                "precede it"
            )
    return outer, inner


def _parse_attribute(location: str, line: str) -> Attribute:
    """Name and type of the attribute that a line declares."""
    match = ATTRIBUTE.match(line)
    if match is None or not match[2]:
        raise DataError(
            f"{location}: {quote(line)} declares no attribute; it needs a name and a type"
        )
    data_type = "nominal" if match[2].startswith("{") else match[2].split()[0].lower()
    return match[1].strip("'\""), "number" if data_type in NUMERIC_TYPES else data_type


def _label_values(header: list[tuple[str, str]]) -> list[str] | None:
    """Labels that the nominal attribute of a header declares; None if there is none."""
    matches = (ATTRIBUTE.match(line) for _, line in header)
    types = [match[2] for match in matches if match is not None and match[2].startswith("{")]
    if not types:
        return None
    body = types[0][1:].rpartition("}")[0] + ","
    return [next(filter(None, cells), "").strip() for cells in CELL.findall(body)]


def _check_label(label: str, layout: _Layout, location: str) -> str:
    """Return a label; refuse it if the header declares others only."""
    declared = layout.label_values
    if declared is None or label in declared or is_missing(label):
        return label
    raise DataError(
        f"{location} has the label {quote(label)}, the header declares {', '.join(declared)}; "
        "correct one of them"
    )


def _split_cells(line: str, n_cells: int, location: str) -> list[str]:
    """Cells of a line, without their quotes."""
    if line.startswith("{"):
        raise DataError(
            f"{location} has Weka's sparse format, which is not supported; write every value"
        )
    line, cells, position = line + ",", [], 0
    while position < len(line):
        match = CELL.match(line, position)
        if match is None:
            raise DataError(
                f"{location}: a quote is not closed, or text follows it; the line is cut short"
            )
        cells.append(next(group for group in match.groups() if group is not None).strip())
        position = match.end()
    if len(cells) != n_cells:
        raise DataError(
            f"{location} has {len(cells)} cells, the header declares {n_cells}; "
            "the line is cut short"
        )
    return cells


def _parse_series(channels: list[list[str]], steps: int, location: str) -> Array:
    """A series (C, T) without the padding at its end."""
    rows = []
    for k, cells in enumerate(channels, 1):
        place = f"{location}, channel {k}"
        if len(cells) != steps:
            raise DataError(
                f"{place} has {len(cells)} values, the header declares {steps}; "
                "the line is cut short"
            )
        rows.append(parse_numbers(cells, value_locator(place)))
    return trim_padding(np.stack(rows), location)
