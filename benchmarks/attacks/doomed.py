"""`unwarp` in a process that says what it is doing, so that it can be killed there.

Checkpoints are frequent, the trials that select a warp are short, and the disk is slow, so that
each phase of a small run is long enough for a kill. The clock counts training steps, so that times
can be compared, too.

    python -m benchmarks.attacks.doomed resume runs/1     the command, with these settings
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from threadpoolctl import threadpool_limits

from unwarp.analysis import embedding
from unwarp.app import run
from unwarp.app.cli import main
from unwarp.app.report import page
from unwarp.app.report.illustrations import Illustration, Plot, illustrate
from unwarp.app.report.sections import sections
from unwarp.estimators import selection, unwarper
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.steps import Run

CHECKPOINT_INTERVAL, STEPS_OF_TRIAL = 4, 20
"""Training steps between two checkpoints (instead of 200), and of a trial (instead of 300)."""

MIN_SAVED_NATS = -100.0
"""What a warp must save (instead of 10 nats), so that trials go on to the second question."""

SECONDS_OF_FLUSH, SECONDS_OF_STEP = 0.004, 0.01
"""Time in which the disk forces a file to its medium; time of a step in the history."""

FIGURES = ("clusters", "averages", "training", "moving")
"""Figures of the reports, three of each domain; all figures are written alike."""

START = "start"
"""The phase at the start, in which samples are read, and between all others."""

INNER: Mapping[str, Sequence[tuple[Any, str]]] = {
    "checkpoint": [(Checkpoint, "_write"), (Checkpoint, "on_decision")],
    "save": [(run, "write_history"), (unwarper.Unwarper, "save"), (Checkpoint, "discard")],
    "scores": [(run, "score_outcome")],
    "tables": [(run, "write_scores"), (run, "write_tables")],
    "report": [(page, "write_report")],
}
"""Functions in which a run is in a phase."""

OUTER: Mapping[str, str] = {
    "recall": "selection",
    "on_decision": START,
    "on_start": "training",
    "on_end": START,
}
"""Phases that begin when a checkpoint is told something."""

PHASES = (START, "selection", "training", *INNER)


class Announcer:
    """The phases of a run, in the words of `PHASES`.

    Args:
        announce: Function that is told the present phase at every change.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce, self._outer = announce, START

    def inside(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that announces a phase while another one runs."""

        @wraps(function)
        def replacement(*arguments: Any, **options: Any) -> Any:
            self._announce(phase)
            try:
                return function(*arguments, **options)
            finally:
                self._announce(self._outer)

        return replacement

    def begin(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that announces a phase, which lasts until the next one, and another one."""

        @wraps(function)
        def replacement(*arguments: Any, **options: Any) -> Any:
            self._outer = phase
            self._announce(phase)
            return function(*arguments, **options)

        return replacement


@contextmanager
def doomed(announce: Callable[[str], None]) -> Iterator[None]:
    """Settings of a run that can be killed in any phase.

    Args:
        announce: Function that is told the present phase at every change.
    """
    announcer = Announcer(announce)
    with small_settings(), slow_disk(), ExitStack() as patches:
        for phase, functions in INNER.items():
            for owner, name in functions:
                wrapped = announcer.inside(phase, getattr(owner, name))
                patches.enter_context(mock.patch.object(owner, name, wrapped))
        for name, phase in OUTER.items():
            wrapped = announcer.begin(phase, getattr(Checkpoint, name))
            patches.enter_context(mock.patch.object(Checkpoint, name, wrapped))
        announce(START)
        yield


@contextmanager
def small_settings(
    figures: Sequence[str] = FIGURES, steps_of_trial: int = STEPS_OF_TRIAL
) -> Iterator[None]:
    """Frequent checkpoints, short trials, few figures, one thread, and a clock of steps.

    Args:
        figures: Names of the figures of the reports.
        steps_of_trial: Training steps of a trial that selects a warp.
    """
    torch.set_num_threads(1)

    def clock(training: Run) -> float:
        return SECONDS_OF_STEP * (training.state.step + 1)

    def draw(plot: Plot, outcome: Any) -> Illustration | None:
        return illustrate(plot, outcome) if plot.name in figures else None

    defaults = (CHECKPOINT_INTERVAL, *(Checkpoint.__init__.__defaults__ or ())[1:])
    with (
        threadpool_limits(1),
        mock.patch.object(Checkpoint.__init__, "__defaults__", defaults),
        mock.patch.object(Run, "elapsed", property(clock)),
        mock.patch.object(selection, "STEPS_OF_TRIAL", steps_of_trial),
        mock.patch.object(selection, "MIN_SAVED_NATS", MIN_SAVED_NATS),
        mock.patch.object(page, "sections", partial(sections, illustrate=draw)),
        mock.patch.object(embedding, "time", SimpleNamespace(perf_counter=lambda: 0.0)),
    ):
        yield


@contextmanager
def slow_disk() -> Iterator[None]:
    """A disk that takes a while to force a file to its medium."""
    fsync = os.fsync

    def flush(descriptor: int) -> None:
        time.sleep(SECONDS_OF_FLUSH)
        fsync(descriptor)

    with mock.patch.object(os, "fsync", flush):
        yield


def run_command(words: Sequence[str], announce: Callable[[str], None]) -> int:
    """Exit code of a command of `unwarp`; a traceback is printed, and gives 1."""
    with doomed(announce), mock.patch.object(sys, "argv", ["unwarp", *words]):
        try:
            main.main()
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:
            traceback.print_exc()
            return 1
    return 0


def fork_command(words: Sequence[str], log: str) -> tuple[int, int]:
    """Start a command in a copy of this process.

    Args:
        words: Words of the command line.
        log: File that gets all that the command prints.

    Returns:
        Number of the process, and the descriptor of a pipe with its phases, one a line.
    """
    receiver, sender = os.pipe()
    pid = os.fork()
    if pid:
        os.close(sender)
        return pid, receiver
    code = 1
    with contextlib.suppress(BaseException):
        os.close(receiver)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        code = run_command(words, partial(_write_line, sender))
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _write_line(descriptor: int, line: str) -> None:
    os.write(descriptor, f"{line}\n".encode())


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:], lambda phase: None))
