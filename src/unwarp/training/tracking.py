"""`Tracker`: the base of callbacks that log a run elsewhere.

`unwarp.training.tensorboard` and `unwarp.training.mlflow` derive from it. A tracker only reads the
state of a run, so weights are the same with and without it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import takewhile
from typing import Any

from unwarp.errors import ConfigError
from unwarp.launch import is_first_process
from unwarp.training.callbacks import Callback
from unwarp.training.state import HELD_OUT, Row, State

INSTALL = "pip install 'unwarp[track]'"
"""Command that installs the packages of all trackers."""


@dataclass(frozen=True)
class LastSteps:
    """The last steps that are logged already.

    Attributes:
        row: Step of the last row of the history; -1 for none.
        measurement: Number of steps before the last measurement of held-out samples; -1 for none.

    >>> LastSteps()
    LastSteps(row=-1, measurement=-1)
    """

    row: int = -1
    measurement: int = -1


class Tracker(Callback, ABC):
    """Callback that passes the numbers and messages of a run on.

    Rows of the history get the names `loss/TERM`, `gradient/PLAYER`, `measure/PLAYER.NAME`,
    `progress/seconds` and `progress/samples`; learning rates `rate/PLAYER`; measurements of
    held-out samples `held_out/NAME`. The settings are those that `train` knows: steps, seed, batch
    size, device, and the fields of the recipe. Of several processes, only the first one logs.

    A subclass opens its log in `_open`. If the run is resumed, or has gone back after a divergence,
    it says how far the log reaches, and logging continues from there.

    >>> from torch import nn
    >>> class Printer(Tracker):
    ...     def _open(self, state, parameters, is_resumed): return LastSteps()
    ...     def _log_numbers(self, numbers, step): print(step, numbers)
    ...     def _log_text(self, line, step): print(step, line)
    ...     def _close(self, is_finished): print("closed")
    >>> state, tracker = State(nn.Identity(), (), (), (), steps=9, seed=0), Printer()
    >>> state.history.rows.append({"step": 0, "seconds": 0.5, "error": 2.0})
    >>> tracker.on_step(state, {})
    0 {'progress/seconds': 0.5, 'loss/error': 2.0}
    """

    _lines: tuple[str, ...] = ()
    _last: LastSteps | None = None
    _step = -1

    @abstractmethod
    def _open(self, state: State, parameters: Mapping[str, str], is_resumed: bool) -> LastSteps:
        """Open the log, again after a rollback, and return how far it reaches.

        Args:
            state: The state after the first step that is to be logged.
            parameters: Settings of the run by name.
            is_resumed: Whether an earlier log of the same run is continued.
        """

    @abstractmethod
    def _log_numbers(self, numbers: Mapping[str, float], step: int) -> None:
        """Log numbers of a step by name."""

    @abstractmethod
    def _log_text(self, line: str, step: int) -> None:
        """Log a message for people."""

    @abstractmethod
    def _close(self, is_finished: bool) -> None:
        """Close the log, at the end of a whole run or after an interruption."""

    def on_message(self, line: str) -> None:
        """Log a message, or keep it until the log is open.

        Args:
            line: The message.
        """
        if self._last is None:
            self._lines += (line,)
        else:
            self._log_text(line, self._step)

    def on_step(self, state: State, terms: Row) -> None:
        """Log the row of the step, and new measurements.

        Args:
            state: The state after the step.
            terms: Numbers of the step; those of logged steps are in the history.
        """
        if not is_first_process():
            return
        if self._last is None or state.step <= self._step:
            self._begin(state)
        self._step = state.step
        self._log_new(state)

    def on_early_end(self, state: State) -> None:
        """Log the last row of a run that was stopped.

        Args:
            state: The state after the step.
        """
        self._log_new(state)

    def on_stop(self, state: State) -> None:
        """Close the log.

        Args:
            state: The state of the interrupted run.
        """
        self._end(is_finished=False)

    def on_end(self, state: State) -> None:
        """Log the last measurement, and close the log.

        Args:
            state: The state after the run.
        """
        self._log_new(state)
        self._end(is_finished=True)

    def _begin(self, state: State) -> None:
        """Open the log, and log the messages so far."""
        is_resumed = state.step > 0
        self._last = self._open(state, parameters_of(state), is_resumed)
        for line in self._lines:
            self._log_text(line, state.step)
        self._lines = ()

    def _end(self, is_finished: bool) -> None:
        """Close the log if it is open; another run can then be logged."""
        if self._last is not None:
            self._close(is_finished)
        self._last, self._step, self._lines = None, -1, ()

    def _log_new(self, state: State) -> None:
        """Log all rows and measurements that are not logged yet."""
        if self._last is None:
            return
        last, history = self._last, state.history
        rows = _later(history.rows, last.row)
        for row in rows:
            numbers = dict(_named(row, state))
            if row["step"] == state.step:
                numbers |= rates_of(state)
            self._log_numbers(numbers, int(row["step"]))
        measurements = _later(history.validation, last.measurement)
        for row in measurements:
            numbers = {f"{HELD_OUT}/{k}": v for k, v in row.items() if k not in ("step", "seconds")}
            self._log_numbers(numbers, int(row["step"]))
        self._last = LastSteps(
            int(rows[-1]["step"]) if rows else last.row,
            int(measurements[-1]["step"]) if measurements else last.measurement,
        )


def _later(rows: list[Row], step: int) -> list[Row]:
    """The rows after a step, in their order."""
    return list(takewhile(lambda row: row["step"] > step, reversed(rows)))[::-1]


def _named(row: Row, state: State) -> Iterator[tuple[str, float]]:
    """Numbers of a row of the history with the names of a log."""
    players = {player.name for player in state.players}
    for key, value in row.items():
        player, _, name = key.partition(".")
        if key in ("seconds", "samples"):
            yield f"progress/{key}", value
        elif player in players and name:
            yield (f"gradient/{player}" if name == "gradient" else f"measure/{key}"), value
        elif key != "step":
            yield f"loss/{key}", value


def rates_of(state: State) -> Row:
    """The present learning rate of each player as `rate/PLAYER`.

    Args:
        state: The state of a run.
    """
    pairs = zip(state.players, state.optimisers, strict=True)
    return {f"rate/{player.name}": float(opt.param_groups[0]["lr"]) for player, opt in pairs}


def parameters_of(state: State) -> dict[str, str]:
    """The settings of a run by dotted name, such as `recipe.n_content`.

    Args:
        state: The state of a run.
    """
    facts = {"steps": state.steps, "seed": state.seed, **state.facts}
    return dict(_flat(json.loads(json.dumps(facts, default=str))))


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as texts by dotted name."""
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def check_packages(tracker: str, *packages: str) -> None:
    """Refuse a tracker without its packages.

    Args:
        tracker: Name of the tracker.
        packages: Packages that it imports.

    Raises:
        ConfigError: A package is not installed; the message says how to install it.

    >>> check_packages("TensorBoard", "torch")
    """
    for package in packages:
        if find_spec(package) is None:
            raise ConfigError(f"{tracker} needs the package {package}; install it with: {INSTALL}")
