"""Tables of series in `.csv` files, separated by commas, semicolons or tabs.

`text_tables` splits the text into cells, and `table_layouts` converts the table to series, as it
does for `.parquet` files and data frames. The modules `wide_tables`, `long_tables` and
`column_tables` show an example of each layout.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TextIO

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.registry import hinted_reader
from unwarp.data.formats.table_layouts import read_table
from unwarp.data.formats.text_tables import read_text_table
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.source import Source
from unwarp.errors import DataError


def write_csv(path: Path | TextIO, x: Array) -> None:
    """Write series as a wide table with column names.

    Args:
        path: The file to write, or an opened one.
        x: Series (N, T).
    """
    names = ",".join(f"step {k}" for k in range(x.shape[1]))
    np.savetxt(path, x, "%.9g", ",", header=names, comments="")


def encode_csv(output: Output) -> bytes:
    """Samples as a wide table: their names, then their values.

    Args:
        output: Series of one channel, or pictures, which are flattened.

    Raises:
        DataError: Series have several channels.
    """
    x, noun = output.x, "t" if output.pictures is None else "pixel"
    if output.pictures is None and x.ndim > 2 and x.shape[1] > 1:
        raise DataError(
            f"a .csv file holds series of one channel, these have {x.shape[1]}; write them as .npz"
        )
    rows = x.reshape(len(x), -1)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["sample", *(f"{noun}_{k}" for k in range(rows.shape[1]))])
    for name, row in zip(output.names, rows, strict=True):
        values = row.tolist()
        writer.writerow([name, *(values if row.dtype.kind in "iu" else map("{:.9g}".format, row))])
    return out.getvalue().encode()


@hinted_reader(
    ".csv",
    description="a table: a row per series, a column per series, or long",
    writer=write_csv,
    encode=encode_csv,
)
def read_csv(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read a table in one of three layouts.

    Separators, decimal commas, comments, lines before the table and the encoding are told by the
    text; see `read_text_table`.

    Args:
        path: The file, plain or packed.
        hints: The user's hints: the layout and the names of columns.

    Returns:
        The series, as `read_table` returns them.

    Raises:
        DataError: Rows differ in length, a cell is not a number, or the table reads two ways; the
            message then shows both readings.
        ConfigError: The hints do not fit the table.
    """
    return read_table(read_text_table(path), hints)
