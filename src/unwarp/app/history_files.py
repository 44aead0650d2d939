"""The training history of a run as `metrics.jsonl` and `metrics.csv`.

Both files have the same rows: those of the training and of the held-out samples, of both models.
They are written whole, every 200 steps and at the end of each training, from the history of the
run. So a run that was continued, or that went back after a divergence, has each row once.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path

from unwarp.storage.files import write_file
from unwarp.training.callbacks import Callback
from unwarp.training.state import HELD_OUT, History, Row, State

STEPS_BETWEEN_WRITES = 200
"""Steps after which the files are written again during a training."""

COUNTERS = ("step", "samples")
"""Columns of whole numbers."""

Cells = dict[str, str | float | None]
"""One row of both files by column."""


def history_rows(history: History) -> Iterator[Row]:
    """Rows of training and held-out samples, in order of their steps.

    Args:
        history: The history of a training. The loss term `NAME` of held-out samples becomes
            `held_out.NAME`, and their error `held_out.error`.

    >>> history = History([{"step": 0, "loss": 2.0}], validation=[{"step": 1, "error": 0.5}])
    >>> list(history_rows(history))
    [{'step': 0, 'loss': 2.0}, {'step': 1, 'held_out.error': 0.5}]
    """
    measurements = (
        {k if k in ("step", "seconds") else f"{HELD_OUT}.{k}": v for k, v in row.items()}
        for row in history.validation
    )
    yield from sorted([*history.rows, *measurements], key=lambda row: row["step"])


class HistoryFiles:
    """The files `metrics.jsonl` and `metrics.csv` of a run folder.

    Args:
        folder: The run folder.

    Attributes:
        histories: The histories of the run so far, by the name of the model.

    Example:
        >>> files = HistoryFiles(Path("runs/digits"))
        >>> files.histories["warped"] = History([{"step": 0, "loss": 2.0}])
        >>> files.rows()
        [{'model': 'warped', 'step': 0, 'loss': 2.0}]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.histories: dict[str, History] = {}

    def rows(self) -> list[Cells]:
        """All rows of both files, those of the first model first.

        Numbers that are not finite are None.
        """
        return [
            {"model": name, **{k: _as_cell(k, v) for k, v in row.items()}}
            for name, history in self.histories.items()
            for row in history_rows(history)
        ]

    def write(self) -> None:
        """Write both files.

        Raises:
            ConfigError: A file cannot be written.
        """
        rows = self.rows()
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        write_file(self.folder / "metrics.jsonl", lines)
        write_file(self.folder / "metrics.csv", _as_csv(rows))

    def observer(self, name: str) -> Callback:
        """A callback that writes the files during the training of a model.

        Args:
            name: Name of the model, such as `warped`.
        """
        return _Observer(self, name)


class _Observer(Callback):
    """Callback that writes the files of a run every 200 steps, and when the training ends."""

    def __init__(self, files: HistoryFiles, name: str) -> None:
        self.files, self.name = files, name

    def on_step(self, state: State, terms: Row) -> None:
        if (state.step + 1) % STEPS_BETWEEN_WRITES == 0:
            self.on_end(state)

    def on_end(self, state: State) -> None:
        self.files.histories[self.name] = state.history
        self.files.write()


def _as_cell(name: str, value: float) -> float | int | None:
    """A number of a row: whole for counters, which a continued run has as fractions."""
    if not isfinite(value):
        return None
    return int(value) if name in COUNTERS else value


def _as_csv(rows: Iterable[Cells]) -> str:
    """A table with a column for each name that a row has; other cells are empty."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    page = io.StringIO()
    table = csv.DictWriter(page, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return page.getvalue()
