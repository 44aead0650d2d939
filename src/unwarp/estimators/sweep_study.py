"""The trials of a sweep, shared by processes that may end.

A trial belongs to a worker, a process with a file in the folder `workers`. It touches the file
every ten seconds and deletes it at the end. A trial of a worker that is gone is marked as failed,
and its values are tried again. Optuna's journal has no such sign of life, so it is added here.
"""

from __future__ import annotations

import json
import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from unwarp.checksums import checksum
from unwarp.data.fingerprint import differences
from unwarp.disk.files import read_plain
from unwarp.disk.locks import Owner, hold
from unwarp.errors import CheckpointError, ConfigError
from unwarp.storage.files import make_folder, write_file

SECONDS_BETWEEN_SIGNS = 10.0
"""Seconds after which a worker touches its file."""

MAX_SECONDS_OF_SILENCE = 120.0
"""Age of the file of a worker from which on it counts as gone."""

SECONDS_OF_WAIT = 0.5
"""Seconds after which a worker without a trial looks again."""

MAX_SECONDS_FOR_LOCK = 60.0
"""Longest wait for other workers that choose their trials."""

MAX_RETRIES = 2
"""Greatest number of times that the values of a lost trial are tried again."""

STARTUP_TRIALS = 4
"""Number of finished trials before others are pruned."""

MEASUREMENTS, WARMUP_MEASUREMENTS = 10, 3
"""Number of times that a training is measured, and of those after which it may be pruned."""

STUDY_NAME = "sweep"
"""Name of the study in the journal."""

FACTS_NAME, JOURNAL_NAME, LOCK_NAME = "sweep.json", "journal.log", ".choice.lock"
"""Files of a sweep: its data and settings, its trials, and the lock of who chooses a trial."""


def load_optuna() -> Any:
    """The package optuna.

    Raises:
        ConfigError: It is not installed.
    """
    if find_spec("optuna") is None:
        raise ConfigError(
            "a sweep needs the package optuna; install it with: pip install 'unwarp[sweep]'"
        )
    import optuna

    return optuna


def prepare_folder(folder: Path) -> None:
    """Make the folder of a sweep, unless it is there.

    Args:
        folder: The folder.

    Raises:
        ConfigError: It cannot be made, or holds files but no sweep.
    """
    make_folder(folder)
    is_used = any(not entry.name.startswith(".") for entry in folder.iterdir())
    if is_used and not (folder / FACTS_NAME).is_file():
        raise ConfigError(f"{folder} exists and holds no sweep; choose another folder")


def is_finished(trial: Any) -> bool:
    """Whether a trial counts: it ended, or was lost too often.

    Args:
        trial: A trial of Optuna.
    """
    if trial.state.name == "FAIL":
        attributes = trial.user_attrs
        return "reason" in attributes or attributes.get("retries", 0) >= MAX_RETRIES
    return trial.state.name in ("COMPLETE", "PRUNED")


@dataclass
class Trials:
    """The trials of a sweep, seen by one worker.

    Attributes:
        study: The study of Optuna.
        n_trials: Number of finished trials at which the sweep ends.
        seed: Seed of the choice of values.
        folder: Folder of the sweep; None for one that lives in memory.
        worker: Name of this worker; empty for a sweep in memory.

    >>> trials = Trials.open(None, {}, n_trials=2, seed=0)
    >>> trials.n_finished
    0
    """

    study: Any
    n_trials: int
    seed: int
    folder: Path | None = None
    worker: str = ""

    @classmethod
    def open(
        cls, folder: Path | None, facts: Mapping[str, Any], n_trials: int, seed: int
    ) -> Trials:
        """Begin a sweep, or join one.

        Args:
            folder: Folder of the sweep; None to keep it in memory.
            facts: Data and settings on which its results depend.
            n_trials: Number of finished trials at which the sweep ends.
            seed: Seed of the choice of values.

        Raises:
            CheckpointError: The folder holds a sweep of other data or settings.
            ConfigError: optuna is not installed.
        """
        optuna = load_optuna()
        storage = optuna.storages.InMemoryStorage()
        if folder is not None:
            with _lock(folder):
                _check_facts(folder, facts)
            backend = optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL_NAME))
            storage = optuna.storages.JournalStorage(backend)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(
                storage=storage, study_name=STUDY_NAME, pruner=_pruner(), load_if_exists=True
            )
        finally:
            optuna.logging.set_verbosity(verbosity)
        return cls(study, n_trials, seed, folder)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Context in which this process is a worker.

        Its trials count as alive until the end of the context.
        """
        if self.folder is None:
            yield
            return
        owner, end = Owner.current(), threading.Event()
        self.worker = f"{owner.host}-{owner.pid}-{uuid4().hex[:8]}"
        path = self._file(self.worker)
        write_file(path, json.dumps(asdict(owner)))

        def touch() -> None:
            while not end.wait(SECONDS_BETWEEN_SIGNS):
                with suppress(OSError):  # others took this worker for gone
                    os.utime(path)

        thread = threading.Thread(target=touch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
            path.unlink(missing_ok=True)

    @property
    def n_finished(self) -> int:
        """Number of trials that count."""
        return sum(map(is_finished, self.study.get_trials(deepcopy=False)))

    def next(self) -> Any:
        """The next trial; None if the sweep has enough.

        If other workers are at the last trials, it waits for them: one of them may be lost.

        Raises:
            CheckpointError: Other workers do not leave the list of trials free.
        """
        while True:
            with _lock(self.folder) if self.folder else nullcontext():
                self._settle_lost()
                trials = self.study.get_trials(deepcopy=False)
                n_finished = sum(map(is_finished, trials))
                n_running = sum(trial.state.name == "RUNNING" for trial in trials)
                if n_finished >= self.n_trials:
                    return None
                if n_finished + n_running < self.n_trials:
                    # another seed for each choice, so that no two workers choose alike; values
                    # that are tried again are no new choice
                    n_choices = sum("retries" not in trial.user_attrs for trial in trials)
                    self.study.sampler = _sampler((self.seed + n_choices) % 2**32)
                    trial = self.study.ask()
                    trial.set_user_attr("worker", self.worker)
                    return trial
            time.sleep(SECONDS_OF_WAIT)

    def tell(self, trial: Any, value: float | None, state: str, reason: str = "") -> None:
        """Record the end of a trial, unless others took it for lost.

        Args:
            trial: The trial.
            value: Its description length; None if it has none.
            state: `COMPLETE`, `PRUNED` or `FAIL`.
            reason: Reason of a failure, in words.
        """
        optuna = load_optuna()
        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            if reason:
                trial.set_user_attr("reason", reason)
            self.study.tell(
                trial, value, state=optuna.trial.TrialState[state], skip_if_finished=True
            )

    def _settle_lost(self) -> None:
        """Mark trials of workers that are gone as failed, and let their values be tried again."""
        if self.folder is None:
            return
        for trial in self.study.get_trials(deepcopy=False):
            worker = trial.user_attrs.get("worker", "")
            if trial.state.name != "RUNNING" or worker == self.worker or self._is_alive(worker):
                continue
            self.study.tell(trial.number, state=load_optuna().trial.TrialState.FAIL)
            self._file(worker).unlink(missing_ok=True)
            retries = trial.user_attrs.get("retries", 0)
            if retries < MAX_RETRIES and trial.params:
                self.study.enqueue_trial(trial.params, user_attrs={"retries": retries + 1})

    def _is_alive(self, worker: str) -> bool:
        """Whether a worker gives signs of life; times are those of the disk, not of a clock."""
        try:
            path = self._file(worker)
            owner = Owner(**json.loads(read_plain(path)))
            age = self._file(self.worker).stat().st_mtime - path.stat().st_mtime
        except (OSError, ValueError, TypeError):
            return False
        return owner.is_alive and age < MAX_SECONDS_OF_SILENCE

    def _file(self, worker: str) -> Path:
        """The file of a worker."""
        assert self.folder is not None
        return self.folder / "workers" / (worker or "none")


def _pruner() -> Any:
    """The pruner that ends a trial whose length is above the median at the same step."""
    return load_optuna().pruners.MedianPruner(STARTUP_TRIALS, WARMUP_MEASUREMENTS)


def _sampler(seed: int) -> Any:
    """The sampler of values, which takes running trials into account."""
    optuna = load_optuna()
    with warnings.catch_warnings():
        # `constant_liar` was an experiment in version 4
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Context in which no other worker chooses a trial.

    Raises:
        CheckpointError: Another worker does not end, or the file system refuses.
    """
    end = time.monotonic() + MAX_SECONDS_FOR_LOCK
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(hold(folder / LOCK_NAME))
                break
            except OSError as error:
                if not isinstance(error, BlockingIOError) or time.monotonic() > end:
                    raise CheckpointError(
                        f"cannot work in {folder}: {error.strerror or error}"
                    ) from error
                time.sleep(0.05)
        yield


def _check_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the facts of a new sweep; refuse those of another one.

    Raises:
        CheckpointError: The folder holds another sweep, or its facts are damaged.
    """
    path, facts = folder / FACTS_NAME, json.loads(json.dumps(facts, default=str))
    if not path.is_file():
        write_file(path, json.dumps({"facts": facts, "checksum": checksum(facts)}, indent=1))
        return
    try:
        record = json.loads(read_plain(path))
        if checksum(record["facts"]) != record["checksum"]:
            raise ValueError("its checksum differs")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); start the sweep again in another folder"
        ) from error
    if difference := differences(record["facts"], facts):
        raise CheckpointError(
            f"{folder} holds another sweep ({difference}); restore the earlier data and settings, "
            "or choose another folder"
        )
