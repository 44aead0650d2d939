"""Tables of series in `.csv` files, separated by commas, semicolons or tabs.

`text_tables` splits the text into cells, and `table_layouts` converts the table to series, as it
does for `.parquet` files and data frames. The modules `wide_tables`, `long_tables` and
`column_tables` show an example of each layout.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.columns_of_series import columns_of
from unwarp.data.formats.registry import hinted_reader
from unwarp.data.formats.table_layouts import read_table
from unwarp.data.formats.text_tables import read_text_table
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.recording_form import encode_columns
from unwarp.data.source import Source


def write_csv(path: Path | TextIO, x: Array) -> None:
    """Write series as a wide table with column names.

    Args:
        path: The file to write, or an opened one.
        x: Series (N, T).
    """
    names = ",".join(f"step {k}" for k in range(x.shape[1]))
    np.savetxt(path, x, "%.9g", ",", header=names, comments="")


def encode_csv(output: Output) -> bytes:
    """Series as a table of columns, or pictures as a wide table.

    Series have a column of times and a column for each series, or for each channel of each series
    (`name.channel`). If each series has times of its own, the table is long. Pictures have a row
    each, with their names.

    Args:
        output: Series or pictures.
    """
    return encode_columns(*columns_of(output))


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
