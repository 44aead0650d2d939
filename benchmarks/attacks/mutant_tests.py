"""The tests that notice mutants of the source."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import pytest

from benchmarks.attacks.equivalents import EQUIVALENTS
from benchmarks.attacks.mutants import GROUPS, ROOT, Mutant, files_of, sample_mutants

SUITES: Mapping[str, tuple[str, ...]] = {
    "storage": ("tests/disk", "tests/storage", "tests/estimators/test_persistence.py"),
    "checkpoint": ("tests/training", "tests/app/test_job.py", "tests/app/test_run.py"),
    "losses": ("tests/laws/test_rates.py", "tests/models/families", "tests/models/test_model.py"),
    "warps": (
        "tests/laws/test_maps.py",
        "tests/laws/test_warps.py",
        "tests/laws/test_rates.py",
        "tests/warps",
    ),
    "schema": ("tests/data", "tests/estimators/test_alignment.py", "tests/planning"),
}
"""Contracts and callers of a group, which run where the tests of the file itself pass."""

HEAVY = ("torch", "sklearn.utils.estimator_checks", "pandas", "kornia", "safetensors")
"""Packages that are imported once, before the tests of all mutants."""

SECONDS_MORE, TIMES_AS_LONG = 20.0, 4.0
"""Tests are stopped after this time, and this many times that of the tests without a change."""

MAX_SECONDS_OF_TESTS = 1000.0
"""Longest time of tests without a change."""

Run = tuple[str, float]
"""The fate of a mutant (`killed`, `late` or `survived`), and the seconds of the tests."""


def mirror_of(file: str) -> tuple[str, ...]:
    """The tests that mirror a file, with the examples in its docstrings last."""
    path = Path(file)
    return f"tests/{path.parent}/test_{path.name}", f"src/unwarp/{file}"


def run_tests(file: str, source: str | None, tests: Sequence[str], seconds: float) -> Run:
    """Run tests against a copy of the package with another text of a file.

    Args:
        file: The file, under `src/unwarp`.
        source: Its text; None for the text as it is.
        tests: Files and folders; those under `src` are taken from the copy.
        seconds: Longest time; tests that take longer notice a change, too.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        if source is not None:
            (copy / "unwarp" / file).write_text(source)
        start = monotonic()
        worker = context.Process(target=_test, args=(Path(folder), tests, sender))
        worker.start()
        sender.close()
        worker.join(seconds)
        is_late = worker.is_alive()
        with suppress(ProcessLookupError, TypeError):
            os.killpg(worker.pid, signal.SIGKILL)  # type: ignore[arg-type]
        worker.join()
        fate = "late" if is_late else "survived" if _passes(receiver) else "killed"
        return fate, monotonic() - start


def _passes(receiver: Connection) -> bool:
    try:
        return bool(receiver.poll() and receiver.recv() == 0)
    except EOFError:
        return False


def _test(folder: Path, tests: Sequence[str], sender: Connection) -> None:
    """Run tests in this process, with the package in a folder; processes die with it."""
    os.setsid()
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    for name in _project_modules():
        del sys.modules[name]
    sys.path.insert(0, str(folder / "src"))
    os.environ["PYTHONPATH"] = str(folder / "src")
    os.chdir(ROOT)
    paths = [str(folder / test) if test.startswith("src") else test for test in tests]
    options = ["-x", "-q", "-p", "no:cacheprovider", "--durations=0", "--rootdir", str(ROOT)]
    options += ["-c", str(ROOT / "pyproject.toml"), f"--basetemp={folder / 'tmp'}"]
    sender.send(int(pytest.main([*options, *paths])))


def _project_modules() -> list[str]:
    """Modules of the package and of its tests, which a test of this attack imports beforehand."""
    folders = tuple(f"{ROOT / name}{os.sep}" for name in ("src", "tests"))
    return [
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "unwarp"
        or str(getattr(module, "__file__", "")).startswith(folders)
    ]


class Judge:
    """Tells the fate of mutants; tests that fail without a change are an error."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, ...], float] = {}

    def fate(self, mutant: Mutant, group: str) -> str:
        """Fate of a mutant by the tests of its file, then by the suites of its group.

        Args:
            mutant: The mutant.
            group: Its group.

        Raises:
            RuntimeError: Tests fail without a change, so that they could not tell a mutant.
        """
        fate = "survived"
        for tests in (mirror_of(mutant.file), SUITES[group]):
            limit = SECONDS_MORE + TIMES_AS_LONG * self._seconds_of(tests)
            fate, _ = run_tests(mutant.file, mutant.source, tests, limit)
            if fate != "survived":
                return fate
        return fate

    def _seconds_of(self, tests: tuple[str, ...]) -> float:
        """Seconds of tests without a change."""
        if tests not in self._seconds:
            fate, self._seconds[tests] = run_tests("", None, tests, MAX_SECONDS_OF_TESTS)
            if fate != "survived":
                raise RuntimeError(f"{' '.join(tests)}: the tests fail without a change")
        return self._seconds[tests]


def attack(n: int, seconds: float, seed: int = 0) -> dict[str, object]:
    """Judge mutants as long as a time budget lasts.

    Args:
        n: Number of mutants.
        seconds: Time budget; mutants that it does not reach are not counted.
        seed: Seed of the mutants.

    Returns:
        Number of mutants, number and share of those killed, by group, and the survivors.
    """
    for name in HEAVY:
        with suppress(ImportError):
            import_module(name)
    groups = {file: group for group in GROUPS for file in files_of(group)}
    end, fates, judge = monotonic() + seconds, dict[Mutant, str](), Judge()
    for mutant in sample_mutants(n, seed):
        if monotonic() > end:
            break
        fates[mutant] = judge.fate(mutant, groups[mutant.file])
        print(len(fates), fates[mutant], f"line {mutant.line}", mutant.label, flush=True)
    return {"seed": seed, **_result(fates, groups)}


def _result(fates: Mapping[Mutant, str], groups: Mapping[str, str]) -> dict[str, object]:
    """Counts of fates as values for JSON."""
    survivors = [mutant.label for mutant, fate in fates.items() if fate == "survived"]
    equivalents = [label for label in survivors if label in EQUIVALENTS]
    n, n_killed = len(fates), len(fates) - len(survivors)
    parts = {
        group: [fate for mutant, fate in fates.items() if groups[mutant.file] == group]
        for group in GROUPS
    }
    return {
        "scores": {
            "mutants": n,
            "killed": n_killed,
            "share": round(n_killed / max(1, n), 3),
            "equivalent": len(equivalents),
            "share_of_others": round(n_killed / max(1, n - len(equivalents)), 3),
            "late": sum(fate == "late" for fate in fates.values()),
        },
        "groups": {
            group: f"{sum(fate != 'survived' for fate in part)} of {len(part)}"
            for group, part in parts.items()
        },
        "equivalents": {label: EQUIVALENTS[label] for label in equivalents},
        "survivors": [label for label in survivors if label not in EQUIVALENTS],
    }
