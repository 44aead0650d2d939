"""Tables of series in Parquet and Feather files, which need pyarrow.

`pip install 'unwarp[parquet]'` installs it. Columns are named as in `.csv` files; the modules
`wide_tables` and `long_tables` show an example of each layout.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.columns_of_series import columns_of
from unwarp.data.formats.frames import read_frame
from unwarp.data.formats.registry import hinted_reader
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.limits import BYTES_PER_CELL, check_size
from unwarp.data.source import Source
from unwarp.errors import DataError


def encode_parquet(output: Output) -> bytes:
    """Series or pictures as columns, as in `.csv` files.

    Args:
        output: Series or pictures.
    """
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(_as_columns(output), out)
    return out.getvalue()


def encode_feather(output: Output) -> bytes:
    """Series or pictures as columns, as in `.csv` files.

    Args:
        output: Series or pictures.
    """
    from pyarrow import feather

    out = io.BytesIO()
    feather.write_feather(_as_columns(output), out)
    return out.getvalue()


def _as_columns(output: Output) -> Any:
    """A table of series for pyarrow."""
    import pyarrow

    names, columns = columns_of(output)
    return pyarrow.table([pyarrow.array(np.ascontiguousarray(c)) for c in columns], names)


def write_parquet(path: Path, x: Array) -> None:
    """Write series as a wide table, with one column per time step.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({f"step {k}": column for k, column in enumerate(x.T)}), path)


def write_feather(path: Path, x: Array) -> None:
    """Write series as a wide table, with one column per time step.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    import pyarrow
    from pyarrow import feather

    feather.write_feather(pyarrow.table({f"step {k}": c for k, c in enumerate(x.T)}), str(path))


@hinted_reader(
    ".parquet",
    description="a table, as in .csv files",
    package="pyarrow",
    install="unwarp[parquet]",
    writer=write_parquet,
    encode=encode_parquet,
)
def read_parquet(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read a table of any layout.

    Args:
        path: The file.
        hints: The user's hints: the layout and the names of columns.

    Returns:
        The series, as from a `.csv` file of the same table.

    Raises:
        DataError: The file is damaged or empty, or its columns are not a table of series.
        ConfigError: The hints do not fit the table.
    """
    return read_frame(frame_of(path), hints, path)


@hinted_reader(
    ".feather",
    description="a table, as in .csv files",
    package="pyarrow",
    install="unwarp[parquet]",
    writer=write_feather,
    encode=encode_feather,
)
def read_feather(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read a table of any layout.

    Args:
        path: The file.
        hints: The user's hints: the layout and the names of columns.

    Returns:
        The series, as from a `.csv` file of the same table.

    Raises:
        DataError: The file is damaged or empty, or its columns are not a table of series.
        ConfigError: The hints do not fit the table.
    """
    return read_frame(frame_of(path), hints, path)


def frame_of(path: Path) -> Any:
    """The data frame of a file.

    Args:
        path: A `.parquet` or `.feather` file.

    Raises:
        DataError: The file is damaged, empty or too large.
    """
    from pyarrow import feather, parquet

    with _damage_as_data_error(path):
        if path.suffix.lower() == ".parquet":
            facts = parquet.read_metadata(path)
            n_cells = facts.num_rows * facts.num_columns
            check_size(n_cells * BYTES_PER_CELL, f"{path}: its {n_cells:,} cells")
            frame = parquet.read_table(path).to_pandas()
        else:
            frame = feather.read_table(str(path)).to_pandas()
    if not frame.shape[0] or not frame.shape[1]:
        raise DataError(
            f"{path} has {frame.shape[0]} rows of {frame.shape[1]} columns, so it has no series; "
            "write it again"
        )
    return frame


@contextmanager
def _damage_as_data_error(path: Path) -> Iterator[None]:
    """Convert nearly anything that pyarrow raises for a damaged file to `DataError`."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} is damaged or cut short: {error or type(error).__name__}; write it again"
        ) from error
