"""Sheets of Excel files and lines of JSON, as tables.

`pip install 'unwarp[excel]'` installs the package openpyxl, which reads Excel files.
"""

from __future__ import annotations

import json
from pathlib import Path

from unwarp.data.formats.frames import read_frame
from unwarp.data.formats.registry import hinted_reader, recording_reader
from unwarp.data.formats.table import Table
from unwarp.data.formats.table_layouts import read_table
from unwarp.data.formats.table_recordings import record_table
from unwarp.data.formats.text import read_text
from unwarp.data.formats.text_tables import parse_text_table
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.limits import check_size
from unwarp.data.recording_form import Recording
from unwarp.data.source import Source
from unwarp.errors import DataError


@hinted_reader(
    ".xlsx",
    description="the first sheet as a table, as in .csv files",
    package="openpyxl",
    install="unwarp[excel]",
)
def read_excel(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read the first sheet of an Excel file as a table.

    Args:
        path: The file.
        hints: The user's hints: the layout and the names of columns.

    Returns:
        The series, as from a `.csv` file of the same sheet.

    Raises:
        DataError: The file is damaged, or the sheet is no table of series.
        ConfigError: The hints do not fit the table.
    """
    return read_table(_sheet(path), hints)


@recording_reader(".xlsx")
def record_excel(path: Path, hints: Hints) -> Recording:
    """Read the first sheet of an Excel file as one recording.

    Args:
        path: The file.
        hints: The user's hints: the names of columns.

    Raises:
        DataError: The file is damaged, or the sheet is no recording.
    """
    return record_table(_sheet(path), hints)


def _sheet(path: Path) -> Table:
    """The first sheet as a table; it is read as text, with its preamble."""
    import pandas as pd

    check_size(path.stat().st_size, f"{path}")
    try:
        frame = pd.read_excel(path, header=None, dtype=object)
        text = frame.to_csv(sep="\t", header=False, index=False)
    except Exception as error:  # a damaged file makes openpyxl raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} is damaged or no Excel file: {reason}; save it again") from error
    if not text.strip():
        raise DataError(f"{path} has an empty first sheet; move the table there")
    return parse_text_table(path, text)


@hinted_reader(".jsonl", description="a table, one JSON object per row")
def read_json_lines(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read lines of JSON as a table of any layout.

    Args:
        path: The file: an object in each line, with the same names.
        hints: The user's hints: the layout and the names of columns.

    Returns:
        The series; a value that is a list of numbers is a series of its own.

    Raises:
        DataError: The file is damaged, or its lines are no table of series.
        ConfigError: The hints do not fit the table.
    """
    import pandas as pd

    text = read_text(path)
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged or no lines of JSON: {error}; write an object in each line"
        ) from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path} has a line that is no object; write one as {{...}} in each line")
    frame = pd.DataFrame(rows)
    if not frame.shape[0] or not frame.shape[1]:
        raise DataError(f"{path} has no row with values; write an object in each line")
    return read_frame(frame, hints, path)
