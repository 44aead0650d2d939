"""Tables of series in Apache Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unwarp.core import Array
from unwarp.data.formats.registry import reader
from unwarp.data.formats.tables import Table, read_table
from unwarp.data.source import Source
from unwarp.errors import DataError


def write_parquet(path: Path, x: Array) -> None:
    """Write series (N, T) as a wide table."""
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({f"step {k}": column for k, column in enumerate(x.T)}), path)


@reader(
    ".parquet",
    description="the table of a .csv",
    package="pyarrow",
    install="unwarp[parquet]",
    writer=write_parquet,
)
def read_parquet(path: Path) -> Source:
    """A table with the columns of a `.csv` file.

    Raises:
        DataError: The file is damaged, or its columns are no table of series.
    """
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
        columns = [_as_text(column.to_pylist()) for column in table.columns]
    except Exception as error:  # a damaged file makes pyarrow raise nearly anything
        raise DataError(
            f"{path} is damaged or cut short: {error or type(error).__name__}; write it again"
        ) from error
    if table.num_rows == 0 or not columns:
        raise DataError(
            f"{path} holds {table.num_rows} rows of {len(columns)} columns; there is no series"
        )
    # pandas keeps the row names of a frame under a name of its own
    names = ["" if name.startswith("__index_level_") else name for name in table.column_names]
    return read_table(
        Table(path, names, columns, [f"row {k}" for k in range(1, table.num_rows + 1)])
    )


def _as_text(cells: list[Any]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells]
