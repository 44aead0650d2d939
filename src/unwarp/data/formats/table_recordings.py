"""Tables of one recording: a row per step, a column per channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unwarp.data.formats.column_tables import times_and_order, words_on_order
from unwarp.data.formats.frames import as_table
from unwarp.data.formats.layout_signs import axis_of
from unwarp.data.formats.parquet import frame_of
from unwarp.data.formats.registry import recording_reader
from unwarp.data.formats.table import Table
from unwarp.data.formats.table_roles import roles_of_hints, strong_time, with_values
from unwarp.data.formats.text_tables import read_text_table
from unwarp.data.hints import Hints
from unwarp.data.recording_form import Recording, TableForm
from unwarp.errors import DataError

MAX_CHANNELS_WITHOUT_TIME = 64
"""Columns from which a table without times is no recording but one of series."""


@recording_reader(".csv", ".tsv", ".txt", ".gz", ".bz2", ".xz")
def record_text(path: Path, hints: Hints) -> Recording:
    """Read a text table as one recording.

    Args:
        path: The file, plain or packed.
        hints: The user's hints: the names of columns.

    Raises:
        DataError: It holds no recording.
    """
    return record_table(read_text_table(path), hints)


@recording_reader(".parquet", ".feather")
def record_frame(path: Path, hints: Hints) -> Recording:
    """Read a Parquet or Feather file as one recording.

    Args:
        path: The file.
        hints: The user's hints: the names of columns.

    Raises:
        DataError: It holds no recording.
    """
    return record_table(as_table(frame_of(path), path), hints)


def record_table(table: Table, hints: Hints) -> Recording:
    """A table as one recording.

    Args:
        table: The table: a row per step, a column per channel, with or without times.
        hints: The user's hints: the names of columns.

    Returns:
        The recording; columns without numbers are left out. Rows whose times decrease are reversed.

    Raises:
        DataError: It holds no numbers, times neither increase nor decrease, or it looks like a
            table of series.
    """
    roles = roles_of_hints(table, hints)
    time = strong_time(table, roles)
    time = axis_of(table, roles) if time is None else time
    values = with_values(
        table, type(roles)(time=time, index=roles.index, values=roles.values)
    ).values
    is_wide = time is None and len(values) >= max(MAX_CHANNELS_WITHOUT_TIME, table.n_rows)
    if not values or is_wide:
        raise DataError(
            f"{table.path} has {table.n_rows:,} rows of {len(values):,} numbers, no column of "
            "times, and is in a folder with a file a recording; give it by itself if its rows are "
            "series"
        )
    times, order = times_and_order(table, time)
    names = tuple(table.names[k] for k in values) if table.has_names else ()
    time_name = "" if time is None else table.names[time] if table.has_names else "time"
    suffix = table.path.suffix.lower()
    form = TableForm(time_name, "," if suffix == ".csv" else "\t", suffix)
    form = form if suffix in (".csv", ".tsv", ".txt") else TableForm(time_name)
    notes = "".join(f"{note}; " for note in (*table.notes, *words_on_order(order)))
    rows = np.stack([table.values(k)[order] for k in values])
    return Recording(rows, times, names, form, notes)
