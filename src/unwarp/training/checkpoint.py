"""Checkpoints, files from which an interrupted run resumes exactly.

A checkpoint belongs to one run: it has a fingerprint of data, settings and code, and a run with
another one is refused. Checksums over all of its values reveal damage, and the checkpoint before
the newest one then takes its place.
"""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from unwarp.data.fingerprint import differences
from unwarp.errors import CheckpointError, CheckpointWarning
from unwarp.launch import is_first_process
from unwarp.storage.files import expand
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint_files import (
    read_decision,
    read_snapshot,
    write_decision,
    write_snapshot,
)
from unwarp.training.snapshot import (
    DamageError,
    OtherRunError,
    restore_snapshot,
    run_facts,
    take_snapshot,
)
from unwarp.training.state import Row, State


def _warn(line: str) -> None:
    """Show a line to people as a warning."""
    warnings.warn(line, CheckpointWarning, stacklevel=2)


class Checkpoint(Callback):
    """Callback that saves the state of a run and resumes from it.

    If the file exists when the run starts, the run continues from the saved state. Its result is
    bit-equal to that of an uninterrupted run. A run with other data, other settings or another
    version of the code is refused. During the run, the first Ctrl-C finishes the current step,
    writes the file and raises `KeyboardInterrupt`; a second Ctrl-C raises it at once. Put this
    callback last in the list, so that the other callbacks see a step before it is saved.

    The newest checkpoint is `path`, those before it are `path.1`, `path.2`, and so on. If the
    newest one is damaged, the run continues from the one before, and a message names the file.

    Args:
        path: Path of the newest checkpoint file.
        interval: Number of steps between two writes, at least 1; by default 200 steps.
        n_files: Number of checkpoints to keep, at least 1; by default 2 checkpoints.
        on_message: Function that shows a line to people, when a file is damaged; None to warn with
            a `CheckpointWarning`.

    Attributes:
        path: Path of the newest checkpoint file.
        interval: Number of steps between two writes.
        n_files: Number of checkpoints to keep.

    Example:
        >>> checkpoint = Checkpoint("folder/run.checkpoint", interval=500)
        >>> checkpoint.path.name, checkpoint.interval
        ('run.checkpoint', 500)
    """

    def __init__(
        self,
        path: str | Path,
        interval: int = 200,
        n_files: int = 2,
        on_message: Callable[[str], None] | None = None,
    ) -> None:
        self.path, self.interval, self.n_files = expand(path), interval, n_files
        self._show = on_message or _warn
        self._facts: dict[str, Any] = {}
        self._stop_requested = False
        self._previous_handler: Any = None

    def on_start(self, state: State) -> None:
        """Resume from the file if it exists, and catch interrupts.

        Args:
            state: The initial state; if the file exists, it is changed in place to the saved state.

        Raises:
            CheckpointError: All files are damaged, or they belong to a run with other data, other
                settings or another version of the code.
        """
        self._facts = run_facts(state)
        self._resume(state)
        try:
            self._previous_handler = signal.signal(signal.SIGINT, self._request_stop)
        except ValueError:  # Python lets only the main thread catch interrupts
            self._previous_handler = None

    def _resume(self, state: State) -> None:
        """Restore the newest checkpoint that is not damaged, if there is one, and drop the rest."""
        damage: dict[Path, str] = {}
        for path in self._files():
            try:
                restore_snapshot(read_snapshot(path), state, self._facts)
            except DamageError as error:
                damage[path] = str(error)
                continue
            except OtherRunError as error:
                raise _other_run(path, str(error)) from None
            for damaged, reason in damage.items():
                self._show(f"{damaged} is damaged ({reason}); continuing from {path}")
                _delete(damaged)
            return
        for path, reason in damage.items():
            raise CheckpointError(
                f"{path} is damaged ({reason}), and there is no other checkpoint; "
                f"delete {', '.join(map(str, damage))} to start from the first step"
            )

    def _files(self) -> list[Path]:
        """All checkpoint files that exist, the newest first."""
        older = self.path.parent.glob(f"{self.path.name}.[0-9]*")
        numbers = sorted(int(path.name.rpartition(".")[2]) for path in older if _number(path))
        paths = [self.path, *(self._file(number) for number in numbers)]
        return [path for path in paths if path.is_file()]

    def _file(self, number: int) -> Path:
        """The path of a checkpoint; 0 is the newest, 1 the one before."""
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        """Handle Ctrl-C: the first one stops the run after the step, the second one at once."""
        if self._stop_requested:
            self._restore_handler()
            raise KeyboardInterrupt
        self._stop_requested = True

    def on_step(self, state: State, terms: Row) -> None:
        """Write the file every `interval` steps, and after a Ctrl-C.

        Args:
            state: The state after the step.
            terms: Numbers of the step; ignored.

        Raises:
            CheckpointError: The file cannot be written, for example because the disk is full.
            DivergenceError: A loss or a gradient of the last steps is not finite.
            KeyboardInterrupt: The user pressed Ctrl-C; the state is in the file.
        """
        if self._stop_requested or (state.step + 1) % self.interval == 0:
            self._write(state)
        if self._stop_requested:
            raise KeyboardInterrupt

    def on_early_end(self, state: State) -> None:
        """Write the file when a callback has stopped the run.

        A run that continues from it has no further steps.

        Args:
            state: The state after the last step.
        """
        if state.history.steps:
            self._write(state)

    def _write(self, state: State) -> None:
        """Write a state to the newest file, after the earlier files were renamed.

        Of several processes, all of which have the same state, the first one writes.
        """
        state.check()
        if not is_first_process():
            return
        snapshot = take_snapshot(state, self._facts or run_facts(state))
        try:
            for number in reversed(range(self.n_files - 1)):
                if self._file(number).is_file():
                    self._file(number).replace(self._file(number + 1))
        except OSError as error:
            raise CheckpointError(
                f"{self.path} cannot be renamed: {error.strerror}; make the folder writable, then "
                "start again"
            ) from error
        write_snapshot(self.path, snapshot)

    def recall(self, question: str, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The decision of the interrupted run, if there is one.

        Args:
            question: Name of the decision.
            facts: The fingerprint of data and settings on which it depends.

        Returns:
            The answer that `on_decision` received; None if there is none, or it is damaged.

        Raises:
            CheckpointError: The decision was made for other data or settings.
        """
        path = self._decision(question)
        if not path.is_file():
            return None
        try:
            stored, answer = read_decision(path)
        except DamageError as error:
            self._show(f"{path} is damaged ({error}); the decision is made again")
            return None
        if difference := differences(stored, facts):
            raise _other_run(path, difference)
        return answer

    def on_decision(
        self, question: str, facts: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        """Write a decision to a file, for a resumed run.

        Args:
            question: Name of the decision.
            facts: The fingerprint of data and settings on which it depends.
            answer: The decision as JSON values by name.
        """
        write_decision(self._decision(question), facts, answer)

    def _decision(self, question: str) -> Path:
        """The path of the file of a decision."""
        return self.path.with_name(f"{self.path.name}.{question}.json")

    def on_stop(self, state: State) -> None:
        """Restore the earlier handler of Ctrl-C.

        Args:
            state: The state of the run; it is not written to the file.
        """
        self._restore_handler()

    def on_end(self, state: State) -> None:
        """Restore the earlier handler of Ctrl-C.

        The files are not deleted. Call `discard` as soon as the trained model is saved elsewhere.

        Args:
            state: The state after the run; it is not written to the file.
        """
        self._restore_handler()

    def discard(self) -> None:
        """Delete all checkpoint files and decisions of the run, if they exist.

        Raises:
            CheckpointError: The file system refuses to delete a file.
        """
        decisions = self.path.parent.glob(f"{self.path.name}.*.json")
        for path in (*self._files(), *decisions):
            _delete(path)

    def _restore_handler(self) -> None:
        """Restore the handler of Ctrl-C from before the run."""
        if self._previous_handler is not None:
            signal.signal(signal.SIGINT, self._previous_handler)
            self._previous_handler = None


def _number(path: Path) -> bool:
    """Whether the name of a file ends with a number."""
    return path.name.rpartition(".")[2].isdecimal()


def _delete(path: Path) -> None:
    """Delete a file, which may be absent.

    Raises:
        CheckpointError: The file system refuses.
    """
    if not is_first_process():
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be deleted: {(error.strerror or str(error)).lower()}; make the folder "
            "writable, then start again: nothing is lost"
        ) from error


def _other_run(path: Path, difference: str) -> CheckpointError:
    """The error for a checkpoint of other data, settings or code."""
    return CheckpointError(
        f"{path} belongs to another run ({difference}); restore the earlier data and settings, or "
        "delete the file to start from the first step"
    )
