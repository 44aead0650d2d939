"""Faults of the disk: every file-system call of a work is refused, and dies, in turn.

A work runs once. Before each of its calls the folder is copied: this is what the death of the
process leaves. Then a copy of the process goes on with the call refused, and what it leaves is
copied, too. From each of these folders the work is done again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from benchmarks.attacks.doomed import small_settings
from benchmarks.attacks.file_systems import full_disk, watched_calls
from benchmarks.attacks.kills import digests
from benchmarks.attacks.verdicts import Attack, Verdict, judge
from benchmarks.attacks.works import WORKS, Work
from unwarp.storage.folders import LOCK_NAME, recover_folder

Way = Literal["refused", "died"]

SECONDS_OF_WORK = 180
"""Time after which a work counts as one without end."""

FIGURES, STEPS_OF_TRIAL = ("training",), 5
"""Figures of the reports, which are all written alike, and training steps of a trial."""

TEMPORARY = re.compile(r"\.unwarp-[0-9a-f]{8}-\d+-\d+")
"""The part of a temporary name that differs between two runs."""


@dataclass(frozen=True)
class State:
    """What a fault leaves.

    Attributes:
        way: Whether the call was refused, or the process died at it.
        number: Number of the call.
        call: Its name.
        folder: A copy of the folder.
        verdict: How the work ended; None after a death.
    """

    way: Way
    number: int
    call: str
    folder: Path
    verdict: Verdict | None = None


@dataclass
class Recorder:
    """The states that faults leave, collected while a work runs.

    Attributes:
        work: The work.
        store: Folder for the copies.
        every: Take every n-th call only.
        states: The states so far.
        verdict_file: File in which a copy of this process writes its verdict; None in the process
            that runs the work without a fault.
    """

    work: Work
    store: Path
    every: int = 1
    states: list[State] = field(default_factory=list)
    n_calls: int = 0
    verdict_file: Path | None = None

    def record(self) -> None:
        """Run the work once, with a branch before each call.

        Raises:
            RuntimeError: The work fails without a fault.
        """
        attack = Attack(self.work.name, self.work.name, self.work.act, (self.work.place,))
        with watched_calls(self.watch, is_dead=True):
            verdict = judge(attack)
        if self.verdict_file is not None:
            self.verdict_file.write_text(json.dumps(vars(verdict)))
            os._exit(0)
        if verdict.outcome != "silent":
            raise RuntimeError(f"{self.work.name}: {verdict.detail}")

    def watch(self, number: int, call: str) -> None:
        """Keep what a death before a call leaves, and what its refusal leads to.

        Args:
            number: Number of the call.
            call: Its name.
        """
        if self.verdict_file is not None:
            return
        self.n_calls = number
        if number % self.every:
            return
        self.states.append(State("died", number, call, self._copy(number, "died")))
        keep, verdict_file = self.store / "keep", self.store / "verdict"
        shutil.copytree(".", keep, symlinks=True, copy_function=os.link)
        pid = os.fork()
        if not pid:
            signal.alarm(SECONDS_OF_WORK)
            self.verdict_file = verdict_file
            raise full_disk()
        os.waitpid(pid, 0)
        folder = self._copy(number, "refused")
        self.states.append(State("refused", number, call, folder, self._verdict(verdict_file)))
        clear(Path())
        for entry in list(keep.iterdir()):
            entry.rename(Path(entry.name).absolute())
        keep.rmdir()

    def _copy(self, number: int, way: Way) -> Path:
        """A copy of the current folder."""
        return Path(shutil.copytree(".", self.store / f"{number} {way}", symlinks=True))

    def _verdict(self, path: Path) -> Verdict:
        """The verdict of a copy of this process."""
        if not path.is_file():
            return Verdict(self.work.name, self.work.name, "hang", "no end, or a crash")
        record = json.loads(path.read_text())
        path.unlink()
        return Verdict(**record)


def clear(folder: Path) -> None:
    """Remove all that a folder holds."""
    for entry in list(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def replace_content(source: Path) -> None:
    """Put a copy of another folder in the place of all that the current folder holds."""
    clear(Path())
    shutil.copytree(source, ".", symlinks=True, dirs_exist_ok=True)


def in_copy(act: Callable[[], object]) -> Verdict:
    """The verdict on a work in a copy of this process."""
    receiver, sender = os.pipe()
    pid = os.fork()
    if not pid:
        signal.alarm(SECONDS_OF_WORK)
        verdict = judge(Attack("", "", act))
        os.write(sender, json.dumps(vars(verdict)).encode())
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as file:
        content = file.read()
    os.waitpid(pid, 0)
    return Verdict(**json.loads(content)) if content else Verdict("", "", "hang")


@dataclass(frozen=True)
class Check:
    """The judgement of states: nothing is lost, and the work can be done again.

    Attributes:
        work: The work.
        before: Digests of all files before the work.
        after: Digests of all files after the work without a fault.
        memory: Problems by state, since many faults leave the same files.
    """

    work: Work
    before: Mapping[str, str]
    after: Mapping[str, str]
    memory: dict[str, str] = field(default_factory=dict)

    def problem(self, state: State) -> str:
        """What a state loses; empty for nothing."""
        files = digests(state.folder)
        if state.verdict and state.verdict.outcome == "silent" and (wrong := self._wrong(files)):
            return f"it ended as usual, but {wrong} differ"
        key = sha256(repr(sorted(_without_numbers(state.folder, files))).encode()).hexdigest()
        if key not in self.memory:
            self.memory[key] = self._problem_of_files(state.folder, files)
        return self.memory[key]

    def _problem_of_files(self, folder: Path, files: Mapping[str, str]) -> str:
        own = [name for unit in self.work.units for name in _part(self.before, unit)]
        kept = self.before.items() & self.after.items()
        if lost := [n for n, digest in kept if n not in own and files.get(n) != digest]:
            return f"{', '.join(lost)} is lost"
        replace_content(folder)
        for unit in self.work.units:
            recover_folder(Path(unit))
            if _part(digests(Path()), unit) not in (
                _part(self.before, unit),
                _part(self.after, unit),
            ):
                return f"{unit} is neither as before nor as after"
        replace_content(folder)
        verdict = in_copy(self.work.act)
        if verdict.outcome != "silent":
            return f"done again: {verdict.outcome}: {verdict.detail}"
        again = digests(Path())
        names = sorted(n for n in again.keys() | self.after if again.get(n) != self.after.get(n))
        return f"done again, {', '.join(names)} differ" if names else ""

    def _wrong(self, files: Mapping[str, str]) -> str:
        """Visible files that are not as after a work without a fault."""
        names = files.keys() | self.after.keys()
        wrong = sorted(Path(name) for name in names if files.get(name) != self.after.get(name))
        hidden = [p for p in wrong if p.name == LOCK_NAME or any(x[0] == "." for x in p.parts)]
        return ", ".join(str(path) for path in wrong if path not in hidden)


def _part(files: Mapping[str, str], unit: str) -> dict[str, str]:
    """The digests of a file, or of all files of a folder."""
    return {n: digest for n, digest in files.items() if n == unit or n.startswith(f"{unit}/")}


def _without_numbers(folder: Path, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Files with temporary names, and locks, as they are in every run."""
    for name, digest in files.items():
        is_lock = name.endswith(".lock") and (folder / name).stat().st_size > 0
        yield TEMPORARY.sub("", name), "lock" if is_lock else digest


def attack_work(work: Work, every: int = 1) -> dict[str, Any]:
    """Fail every call of a work in turn.

    Args:
        work: The work.
        every: Take every n-th call only.

    Returns:
        Numbers of calls and outcomes, and the faults.
    """
    with TemporaryDirectory() as store, TemporaryDirectory() as folder, chdir(folder):
        work.prepare()
        shutil.copytree(".", f"{store}/start")
        before = digests(Path())
        in_copy(work.act)
        check = Check(work, before, digests(Path()))
        replace_content(Path(store) / "start")
        recorder = Recorder(work, Path(store), every)
        recorder.record()
        problems = {(s.way, s.number): check.problem(s) for s in recorder.states}
    return summarise(recorder, problems)


def summarise(recorder: Recorder, problems: Mapping[tuple[Way, int], str]) -> dict[str, Any]:
    """Numbers of outcomes of a work, and each fault in words."""
    refused = [state for state in recorder.states if state.verdict]
    outcomes = Counter(state.verdict.outcome for state in refused if state.verdict)
    losses = [state for state in recorder.states if problems[state.way, state.number]]
    faults = [f"{s.way} at call {s.number} ({s.call}): {problems[s.way, s.number]}" for s in losses]
    faults += [
        f"refused at call {s.number} ({s.call}): {s.verdict.outcome}: {s.verdict.detail}"
        for s in refused
        if s.verdict and s.verdict.outcome not in ("typed", "silent")
    ]
    return {
        "calls": recorder.n_calls,
        "refused": len(refused),
        "died": len(recorder.states) - len(refused),
        "clear": outcomes["typed"],
        "as_usual": outcomes["silent"] + outcomes["warned"],
        "unclear": outcomes["vague"],
        "tracebacks": outcomes["raw"] + outcomes["hang"] + outcomes["crash"],
        "losses": len(losses),
        "faults": faults,
    }


def attack(names: Sequence[str] | None = None, every: int = 1) -> dict[str, Any]:
    """Fail every call of all works in turn.

    Args:
        names: Names of the works; None for all.
        every: Take every n-th call only.

    Returns:
        Scores, outcomes by work, and the faults.
    """
    results: dict[str, dict[str, Any]] = {}
    with small_settings(FIGURES, STEPS_OF_TRIAL):
        for work in WORKS:
            if names is None or work.name in names:
                results[work.name] = attack_work(work, every)
                print(work.name, results[work.name], flush=True)
    faults = [f"{name}: {fault}" for name, part in results.items() for fault in part.pop("faults")]
    names_of_scores = next(iter(results.values())).keys()
    scores = {name: sum(part[name] for part in results.values()) for name in names_of_scores}
    return {"scores": scores, "works": results, "faults": faults}
