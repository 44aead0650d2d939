"""Text files written for a test, and series as lists to compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unwarp.data.formats.table import Table
from unwarp.data.formats.text_tables import read_text_table
from unwarp.data.source import Source

VALUES: list[object] = [0.5, 1.25, 7.5, 0.25, 3.5, 9.75]
"""Cells of a column of values."""

Series = list[list[float | None]]
"""Values of each channel, None for missing ones."""


def write_file(folder: Path, name: str, text: str) -> Path:
    """Write a text file in a folder, and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table_of(folder: Path, head: str, *columns: list[object]) -> Table:
    """A table of columns below a line of names."""
    rows = (",".join(map(str, row)) for row in zip(*columns, strict=True))
    return read_text_table(write_file(folder, "a.csv", "\n".join([head, *rows]) + "\n"))


def as_lists(source: Source) -> list[Series]:
    """Each series (C, T_i) of a source as lists, None for missing values."""
    return [
        [[None if np.isnan(v) else v for v in line] for line in np.atleast_2d(x).tolist()]
        for x in source.x
    ]


def as_times(source: Source) -> list[list[float]]:
    """The times (T_i,) of each series as lists."""
    assert source.times is not None
    return [times.tolist() for times in source.times]


def as_labels(source: Source) -> list[object]:
    """The labels as a list."""
    assert source.labels is not None
    return source.labels.tolist()


def alter(text: str, seed: int, alphabet: str) -> str:
    """Replace one to three random parts of a text by characters of an alphabet."""
    rng = np.random.default_rng(seed)
    characters = list(text)
    for _ in range(rng.integers(1, 4)):
        start, stop = sorted(rng.integers(0, len(characters) + 1, 2))
        characters[start : min(stop, start + rng.integers(0, 9))] = rng.choice(
            list(alphabet), rng.integers(0, 4)
        )
    return "".join(characters)
