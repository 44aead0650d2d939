"""Tables of series in Apache Parquet files, which need the package pyarrow.

`pip install 'unwarp[parquet]'` installs it. Columns are named as in `.csv` files; the modules
`wide_tables` and `long_tables` show an example of each layout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unwarp.core import Array
from unwarp.data.formats.registry import reader
from unwarp.data.formats.table import Table
from unwarp.data.formats.table_layouts import read_table
from unwarp.data.limits import BYTES_PER_CELL, check_size
from unwarp.data.source import Source
from unwarp.errors import DataError

PANDAS_INDEX = "__index_level_"
"""Start of the names of the columns in which pandas stores the index of a frame."""


def write_parquet(path: Path, x: Array) -> None:
    """Write series as a wide table, with one column per time step.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({f"step {k}": column for k, column in enumerate(x.T)}), path)


@reader(
    ".parquet",
    description="a table, wide or long, as in .csv files",
    package="pyarrow",
    install="unwarp[parquet]",
    writer=write_parquet,
)
def read_parquet(path: Path) -> Source:
    """Read a wide or long table.

    Cells are converted to text first, so that a table gives the same series as in a `.csv` file.

    Args:
        path: The file.

    Returns:
        The series, as `read_table` returns them.

    Raises:
        DataError: The file is damaged or empty, or its columns are not a table of series.
    """
    from pyarrow import parquet

    try:
        facts = parquet.read_metadata(path)
        n_cells = facts.num_rows * facts.num_columns
        check_size(n_cells * BYTES_PER_CELL, f"{path}: its {n_cells:,} cells")
        table = parquet.read_table(path)
        columns = [_as_text(column.to_pylist()) for column in table.columns]
    except DataError:
        raise
    except Exception as error:  # a damaged file makes pyarrow raise nearly anything
        raise DataError(
            f"{path} is damaged or cut short: {error or type(error).__name__}; write it again"
        ) from error
    if table.num_rows == 0 or not columns:
        raise DataError(
            f"{path} has {table.num_rows} rows of {len(columns)} columns, so it has no series; "
            "write it again"
        )
    names = ["" if name.startswith(PANDAS_INDEX) else name for name in table.column_names]
    rows = [f"row {k}" for k in range(1, table.num_rows + 1)]
    return read_table(Table(path, names, columns, rows))


def _as_text(cells: list[Any]) -> list[str]:
    """Convert cells to text; a missing value becomes an empty string."""
    return ["" if cell is None else str(cell) for cell in cells]
