"""Tables of loggers as texts, with the series, steps and channels that they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

LONG_HEADS = (
    "batch_id,tag_1,tag_2",
    "subject,x,y",
    "trial,x,y",
    "patient_id,ecg",
    "id,index,value",
    "id,age,height",
    "record,frame,x",
    "unit,cycle,s1",
    "device_id,ts,value",
)
"""Names of the columns of long tables: an id, a counter or none, and values."""

COUNTERS = frozenset(("index", "age", "frame", "cycle", "ts"))
TIME_NAMES = ("time_s", "Time (s)", "t")
N_LONG, LONG_STEPS, N_COLUMNS, COLUMN_STEPS, N_WIDE, WIDE_STEPS = 20, 30, 50, 150, 40, 120


@dataclass(frozen=True)
class Table:
    """A text with its numbers.

    Attributes:
        text: The content of a `.csv` file.
        shape: Numbers of series, steps and channels; None for a text that reads two ways.
    """

    text: str
    shape: tuple[int, int, int] | None


def tables(seed: int = 0) -> Mapping[str, Table]:
    """Tables by a name for each: nine long ones, three of columns, three wide ones."""
    rng = np.random.default_rng(seed)
    result = {head: _long(head, rng) for head in LONG_HEADS}
    traces = rng.normal(size=(COLUMN_STEPS, N_COLUMNS)).round(3)
    for head in TIME_NAMES:
        names = [head, *(f"S{k:02}" for k in range(N_COLUMNS))]
        rows = ([k / 100, *row] for k, row in enumerate(traces))
        text = _text([names, *rows])
        result[f"{head}, one column a trace"] = Table(text, (N_COLUMNS, COLUMN_STEPS, 1))
    wide, shape = rng.normal(size=(N_WIDE, WIDE_STEPS)).round(3), (N_WIDE, WIDE_STEPS, 1)
    commas = _text(([str(value).replace(".", ",") for value in row] for row in wide), ";")
    result["no header, one row a series"] = Table(_text(wide), shape)
    result["decimal commas"] = Table(commas, shape)
    result["comment lines"] = Table("# made by a logger\n" + _text(wide), shape)
    return result


def _text(rows: Iterable[Iterable[object]], separator: str = ",") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def _long(head: str, rng: np.random.Generator) -> Table:
    """A long table with names of columns."""
    names = head.split(",")
    is_counted = names[1] in COUNTERS
    n_values = len(names) - 1 - is_counted
    rows = (
        [i, *([j] if is_counted else []), *rng.normal(size=n_values).round(3)]
        for i in range(N_LONG)
        for j in range(LONG_STEPS)
    )
    return Table(_text([names, *rows]), (N_LONG, LONG_STEPS, n_values))
