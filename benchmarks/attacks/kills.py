"""Kills: runs of `unwarp fit` that SIGKILL ends at random moments, and then are continued."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.attacks.doomed import PHASES, START, fork_command
from benchmarks.attacks.verdicts import command, open_output

ROOT = Path(__file__).parents[2]

COMMON = ("--device", "cpu", "--quiet")
TRAINING = ("--steps", "20")

JOBS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "images": {
        "affine": ("x.npy",),
        "VAE": ("x.npy", "--set", "family=vae", "--warp", "similarity"),
        "MixingAE": ("x.npy", "--set", "family=mixing-ae"),
        "GAN": ("x.npy", "--set", "family=gan"),
    },
    "series": {
        "measured": ("series.npy",),
        "time": ("series.npy", "--warp", "time"),
        "VAE": ("series.npy", "--set", "family=vae", "--warp", "time"),
        "measured, channels": ("channels.npy", "--domain", "series", "--scale", "channel"),
    },
}
"""Arguments of `unwarp fit` by domain and name; two of series measure how much to warp."""

LONGEST_RUN = 300.0
"""Seconds after which a run counts as one without end."""

SHARE_OF_SECOND_KILLS, SHARE_OF_FITS = 0.35, 0.25
"""Shares of runs that are killed again, and that are continued by `fit` instead of `resume`."""

FIRST_PHASE = 2
"""The phase from which kills begin, since a short measurement should be in no early one."""

EVERY_NTH_IS_FRESH = 20
"""Runs that are continued in an interpreter of its own, instead of a copy of this process."""

CELLS_BETWEEN_WRITES = 10
PROGRESS = ROOT / "benchmarks/.work/kills.json"
"""File of the cells so far, from which an interrupted measurement continues."""


@dataclass(frozen=True)
class Segment:
    """A part of a run that lies in one phase.

    Attributes:
        phase: Name of the phase.
        turn: How many segments of this phase came before it.
        seconds: Its length.
    """

    phase: str
    turn: int
    seconds: float


@dataclass(frozen=True)
class Reference:
    """A run that nothing disturbs.

    Attributes:
        files: Digest of each file by its path in the run folder.
        segments: Its parts.
    """

    files: Mapping[str, str]
    segments: Sequence[Segment]

    @property
    def phases(self) -> tuple[str, ...]:
        """Phases of the run, in the order of their first parts."""
        return tuple(dict.fromkeys(segment.phase for segment in self.segments))


@dataclass(frozen=True)
class Moment:
    """When a run is to be killed.

    Attributes:
        phase: Phase to wait for.
        turn: Number of the segment of this phase.
        delay: Seconds from its start to the kill.
    """

    phase: str
    turn: int
    delay: float

    @classmethod
    def draw(cls, reference: Reference, phase: str, random: Random) -> Moment:
        """A random moment in a random part of a phase."""
        segments = [part for part in reference.segments if part.phase == phase]
        segment = random.choice(segments)
        return cls(phase, segment.turn, random.random() * segment.seconds)


@dataclass(frozen=True)
class Cell:
    """A run that was killed, and continued to its end.

    Attributes:
        domain: `images` or `series`.
        job: Name of the job.
        kills: Phase in which each kill fell.
        problem: How the result differs from that of the undisturbed run; empty if it is equal.
    """

    domain: str
    job: str
    kills: tuple[str, ...]
    problem: str = ""

    def __str__(self) -> str:
        """The run in words, for the list of faults."""
        return f"{self.domain}, {self.job}, killed in {' and '.join(self.kills)}: {self.problem}"


def digests(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder, by its path."""
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest()[:16] for p in files}


def compare(folder: Path, reference: Reference) -> str:
    """The names of files that differ from those of an undisturbed run; empty if there are none."""
    files = digests(folder)
    names = files.keys() | reference.files.keys()
    return ", ".join(sorted(n for n in names if files.get(n) != reference.files.get(n)))


def watch(words: Sequence[str], log: str, moment: Moment | None = None) -> tuple[int, list[Any]]:
    """Run a command, and kill it at a moment.

    Args:
        words: Words of the command line.
        log: File for all that it prints.
        moment: When to kill it; None for never.

    Returns:
        Its exit code, that of a killed process negative; and pairs of a time and a phase.
    """
    pid, descriptor = fork_command(words, log)
    lines, rest = list[Any](), b""
    deadline, is_killed = monotonic() + LONGEST_RUN, False
    while True:
        is_ready = select.select([descriptor], [], [], max(0.0, deadline - monotonic()))[0]
        if not is_ready:
            if not is_killed:
                os.kill(pid, signal.SIGKILL)
            is_killed, deadline = True, monotonic() + LONGEST_RUN
            continue
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            break
        *names, rest = (rest + chunk).split(b"\n")
        for name in names:
            lines.append((monotonic(), name.decode()))
            if moment and not is_killed and _is_due(moment, lines):
                deadline = min(deadline, monotonic() + moment.delay)
                moment = None
    os.close(descriptor)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), lines


def _is_due(moment: Moment, lines: Sequence[tuple[float, str]]) -> bool:
    """Whether the last line begins the segment of a moment."""
    turns = sum(phase == moment.phase for _, phase in lines)
    return lines[-1][1] == moment.phase and turns == moment.turn + 1


def undisturbed(arguments: Sequence[str], folder: str) -> Reference:
    """A run that nothing disturbs.

    Raises:
        RuntimeError: It fails; the message is what it printed.
    """
    log = f"{folder}.log"
    code, lines = watch(["fit", *arguments, *TRAINING, *COMMON, "--out", folder], log)
    if code:
        raise RuntimeError(Path(log).read_text())
    ends = [time for time, _ in lines[1:]] + [monotonic()]
    turns, segments = Counter[str](), list[Segment]()
    for (start, phase), end in zip(lines, ends, strict=True):
        segments.append(Segment(phase, turns[phase], end - start))
        turns[phase] += 1
    return Reference(digests(Path(folder)), segments)


def kill_cell(
    domain: str, job: str, reference: Reference, number: int, n_jobs: int, seed: int, folder: str
) -> Cell:
    """Kill a run once or twice, continue it to its end, and compare the result.

    Args:
        domain: `images` or `series`.
        job: Name of the job.
        reference: The undisturbed run of the job.
        number: Number of the cell; it decides the phase of the first kill.
        n_jobs: Number of jobs that take turns.
        seed: Seed of all random choices.
        folder: The run folder.
    """
    random = Random(f"{seed}-{domain}-{number}")
    phase = reference.phases[(FIRST_PHASE + number // n_jobs) % len(reference.phases)]
    fit = ["fit", *JOBS[domain][job], *TRAINING, *COMMON, "--out", folder]
    resume = ["resume", folder, "--quiet"]
    words, kills, log = fit, list[str](), f"{folder}.log"
    n_kills = 1 + (random.random() < SHARE_OF_SECOND_KILLS)
    while len(kills) < n_kills:
        moment = Moment.draw(reference, phase, random)
        code, lines = watch(words, log, moment)
        if code == -signal.SIGKILL:
            kills.append(lines[-1][1] if lines else START)
        elif code:
            return Cell(domain, job, tuple(kills), f"exit code {code}: {_tail(log)}")
        elif kills:  # it ended before the second kill
            break
        else:  # the phase was over before the kill; another moment
            _remove(Path(folder))
        phase = random.choice(reference.phases) if kills else phase
        if kills:
            is_fit = not Path(folder, "run.json").is_file() or random.random() < SHARE_OF_FITS
            words = fit if is_fit else resume
    code = (_run_fresh if number % EVERY_NTH_IS_FRESH == 0 else _run_copy)(words, log)
    problem = f"exit code {code}: {_tail(log)}" if code else compare(Path(folder), reference)
    return Cell(domain, job, tuple(kills), problem)


def _run_copy(words: Sequence[str], log: str) -> int:
    """Exit code of a command in a copy of this process."""
    return watch(words, log)[0]


def _run_fresh(words: Sequence[str], log: str) -> int:
    """Exit code of a command in an interpreter of its own."""
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    run = [sys.executable, "-m", "benchmarks.attacks.doomed", *words]
    with Path(log).open("ab") as output:
        return subprocess.run(
            run, env=environment, stdout=output, stderr=output, timeout=LONGEST_RUN
        ).returncode


def _tail(log: str) -> str:
    """The last line of a log."""
    lines = Path(log).read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "no message"


def _remove(folder: Path) -> None:
    """Remove a run folder."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if folder.exists():
        folder.rmdir()


@contextmanager
def small_data() -> Iterator[None]:
    """Samples in a temporary folder, which becomes the current one, and all code imported."""
    threadpool_limits(1)  # a process that is forked from one with a pool of threads can wait
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    images, noise = rng.random((20, 8, 8)), 0.02 * rng.normal(size=(20, 2, 32))
    lags = rng.uniform(-1, 1, (20, 1, 1))
    waves = np.sin(np.linspace(0, 6, 32) + lags + [[0], [1]])
    pulses = waves * np.exp(-((np.linspace(-2, 2, 32) + lags) ** 2)) + noise
    with TemporaryDirectory() as folder, chdir(folder):
        np.save("x.npy", images)
        np.save("series.npy", waves[:, 0, ::2] + noise[:, 0, ::2])
        np.save("channels.npy", pulses * [[1.0], [100.0]])
        Path("runs").mkdir()
        yield


def warm_up(domains: Sequence[str]) -> None:
    """Run a job of each domain, so that copies of this process have all code at hand."""
    for domain in domains:
        arguments = next(iter(JOBS[domain].values()))
        with open_output():
            command("fit", *arguments, "--steps", 3, *COMMON, "--out", f"runs/warm {domain}")


def code_digest() -> str:
    """A digest of the library, so that cells of another version are not counted."""
    sources = sorted((ROOT / "src/unwarp").rglob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def attack(n: int, seed: int = 0, jobs: int | None = None, keep: Path | None = PROGRESS) -> Any:
    """Kill runs, half of images and half of series.

    Args:
        n: Number of runs.
        seed: Seed of all random choices.
        jobs: Jobs of each domain; None for all.
        keep: File of the cells so far; None for none.

    Returns:
        Scores, kills by phase, and runs that end otherwise.
    """
    head = {"n": n, "seed": seed, "code": code_digest()}
    before = json.loads(keep.read_text()) if keep and keep.is_file() else {}
    records = before["cells"] if before and {k: before[k] for k in head} == head else []
    cells = [Cell(**{**record, "kills": tuple(record["kills"])}) for record in records]
    with small_data():
        warm_up(tuple(JOBS))
        find = _references()
        while len(cells) < n:
            number, domain = len(cells) // 2, list(JOBS)[len(cells) % 2]
            names = list(JOBS[domain])[:jobs]
            job, folder = names[number % len(names)], f"runs/{len(cells)}"
            reference = find(domain, job)
            cell = kill_cell(domain, job, reference, number, len(names), seed, folder)
            cells.append(cell)
            _remove(Path(folder))
            if keep and (len(cells) % CELLS_BETWEEN_WRITES == 0 or len(cells) == n):
                keep.parent.mkdir(exist_ok=True)
                keep.write_text(json.dumps(head | {"cells": [asdict(cell) for cell in cells]}))
                print(f"{len(cells)} of {n}: {len(_faults(cells))} not equal", flush=True)
    if keep:
        keep.unlink(missing_ok=True)
    return summarise(cells)


def _references() -> Callable[[str, str], Reference]:
    """A function that gives the undisturbed run of a job, which is made once."""
    memory: dict[tuple[str, str], Reference] = {}

    def find(domain: str, job: str) -> Reference:
        key = (domain, job)
        if key not in memory:
            memory[key] = undisturbed(JOBS[domain][job], f"runs/{domain} {job}")
        return memory[key]

    return find


def _faults(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.problem]


def summarise(cells: Sequence[Cell]) -> dict[str, Any]:
    """Runs that are equal, kills by phase and domain, and the runs that differ."""
    phases: dict[str, dict[str, int]] = {}
    for phase in PHASES:
        phases[phase] = {
            domain: sum(cell.kills.count(phase) for cell in cells if cell.domain == domain)
            for domain in JOBS
        }
    equal = [cell for cell in cells if not cell.problem]
    jobs = {
        f"{domain}, {job}": sum((cell.domain, cell.job) == (domain, job) for cell in cells)
        for domain in JOBS
        for job in JOBS[domain]
    }
    return {
        "scores": {
            "runs": len(cells),
            "equal": len(equal),
            "kills": sum(len(cell.kills) for cell in cells),
            "killed_twice": sum(len(cell.kills) > 1 for cell in cells),
        },
        "phases": phases,
        "jobs": jobs,
        "faults": [str(cell) for cell in _faults(cells)],
    }
