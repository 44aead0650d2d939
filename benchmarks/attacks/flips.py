"""Flips: each byte of a checkpoint and of a model is changed in turn; and hostile folders."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.attacks.doomed import small_settings
from benchmarks.attacks.hostile import hostile_attacks
from benchmarks.attacks.verdicts import command, count_outcomes, judge_all, shorten
from unwarp import AE, Rigid2d, Unwarper
from unwarp.app.job import load_job
from unwarp.app.parts import open_parts
from unwarp.app.run import read_history
from unwarp.app.run_facts import check_run
from unwarp.checksums import checksum
from unwarp.errors import UnwarpError
from unwarp.models import Net
from unwarp.models.codec import describe
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import History, State

PATTERNS = (0xFF, 0x01)
"""Bits that are changed in each byte: all, and the lowest."""

MAX_CHECKPOINT_BYTES = 20_000
SECONDS_OF_ATTACK = 10.0
"""Longest time of a hostile folder."""

TINY = AE(warp=Rigid2d(), n_content=1, net=Net("mlp", (2,), (2,)), views=0.0, encoder="one-stage")
"""A recipe with a checkpoint of less than `MAX_CHECKPOINT_BYTES`."""

OPTIONS: Mapping[str, Any] = {
    "recipe": TINY,
    "n_clusters": 2,
    "device": "cpu",
    "domain": "image",
}


WORDS = ("--quiet", "--device", "cpu", "--domain", "image")


class Stop(Exception):
    """The end of a training that only a checkpoint is needed of."""


class Reader(Callback):
    """Callback that keeps the state from which a run starts, and stops it."""

    def __init__(self) -> None:
        self.state: State | None = None

    def on_start(self, state: State) -> None:
        """Keep the state, after a checkpoint was restored."""
        self.state = state
        raise Stop


def samples() -> np.ndarray[Any, Any]:
    """Images (12, 4, 4) in [0, 1]."""
    return np.random.default_rng(0).random((12, 4, 4))


def initial_state() -> State:
    """The state at the start of a run without checkpoints."""
    reader = Reader()
    try:
        Unwarper(max_steps=6, **OPTIONS).fit(samples(), callbacks=[reader])
    except Stop:
        assert reader.state is not None
        return reader.state
    raise RuntimeError("the training did not start")


def content_of(state: State) -> str:
    """A digest of all that a checkpoint restores."""
    optimisers = [
        {str(row): dict(values) for row, values in optimiser.state_dict()["state"].items()}
        for optimiser in state.optimisers
    ]
    history, weights = vars(state.history), state.model.state_dict()
    return checksum([state.step, history, dict(weights), optimisers, list(state.averages)])


@dataclass(frozen=True)
class Target:
    """A file whose bytes are changed, and how its content is read.

    Attributes:
        path: The file.
        read: Function that reads it and gives a digest of what was read, and messages about it.
        accepted: Digests that are right, each with what the messages must contain.
    """

    path: Path
    read: Callable[[], tuple[str, str]]
    accepted: Mapping[str, str]


def replace(path: Path, content: bytes) -> None:
    """Write a new file, since the earlier one may still be mapped to memory."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def flip(target: Target, every: int = 1) -> dict[str, Any]:
    """Change each byte of a file in turn.

    Args:
        target: The file.
        every: Take every n-th byte only.

    Returns:
        Number of bytes and outcomes, and the flips that are not noticed.
    """
    content, outcomes, faults = target.path.read_bytes(), Counter[str](), list[str]()
    for position in range(0, len(content), every):
        for bits in PATTERNS:
            damaged = bytearray(content)
            damaged[position] ^= bits
            replace(target.path, damaged)
            outcome = outcome_of(target)
            outcomes[outcome.partition(":")[0]] += 1
            if outcome.startswith("fault"):
                faults.append(f"{target.path.name}, byte {position} xor {bits:#x}, {outcome}")
    replace(target.path, content)
    names = ("refused", "fallback", "equal", "fault")
    return {"bytes": len(content), **{n: outcomes[n] for n in names}, "faults": faults}


def outcome_of(target: Target) -> str:
    """`refused`, `fallback` (to another file, with a message), `equal`, or `fault: ...`."""
    try:
        digest, messages = target.read()
    except UnwarpError as error:
        return "fault: more than a line" if "\n" in str(error) else "refused"
    except Exception as error:
        return f"fault: {type(error).__name__}: {shorten(str(error))}"
    if digest not in target.accepted:
        return "fault: other content is accepted"
    needed = target.accepted[digest]
    if needed not in messages:
        return "fault: an older file is taken without a message"
    return "fallback" if needed else "equal"


def checkpoint_targets() -> Iterator[tuple[str, Target]]:
    """The newest of two checkpoints, one that is alone, and a decision."""
    path, state = Path("pair/run.checkpoint"), initial_state()
    path.parent.mkdir()
    Unwarper(max_steps=6, **OPTIONS).fit(samples(), callbacks=[Checkpoint(path, interval=2)])
    weights = {name: value.clone() for name, value in state.model.state_dict().items()}

    def read(path: Path) -> tuple[str, str]:
        state.model.load_state_dict(weights)
        for optimiser in state.optimisers:
            optimiser.state.clear()
        state.step, state.history = 0, History()
        messages = list[str]()
        checkpoint = Checkpoint(path, on_message=messages.append)
        checkpoint.on_start(state)
        checkpoint.on_stop(state)
        return content_of(state), " ".join(messages)

    alone = Path("alone/run.checkpoint")
    alone.parent.mkdir()
    shutil.copy(path, alone)
    newest, older = read(path)[0], read(path.with_name("run.checkpoint.1"))[0]
    yield "checkpoint, two", Target(path, partial(read, path), {newest: "", older: str(path)})
    yield "checkpoint, alone", Target(alone, partial(read, alone), {newest: ""})
    yield "decision", decision_target()


def decision_target() -> Target:
    """A decision of an interrupted run; a damaged one is made again."""
    facts, answer = {"seed": 0, "steps": 300}, {"choice": "smooth", "saved": [11.5], "nearer": []}
    messages = list[str]()
    checkpoint = Checkpoint("decided.checkpoint", on_message=messages.append)
    checkpoint.on_decision("selection", facts, answer)
    path = Path("decided.checkpoint.selection.json")

    def read() -> tuple[str, str]:
        messages.clear()
        return checksum(checkpoint.recall("selection", facts)), " ".join(messages)

    return Target(path, read, {read()[0]: "", checksum(None): str(path)})


def model_targets() -> Iterator[tuple[str, Target]]:
    """Every file of a model folder."""
    folder = Path("model")
    Unwarper(max_steps=1, **OPTIONS).fit(samples()).save(folder)

    def read() -> tuple[str, str]:
        model = Unwarper.load(folder)
        weights, parameters = dict(model.model_.state_dict()), model.get_params(deep=False)
        clusters = [vars(model.mixture_), model.cluster_centers_, model.n_features_in_]
        settings = [describe(model.recipe_), {k: repr(v) for k, v in parameters.items()}]
        return checksum([weights, clusters, settings, model.schema_.record()]), ""

    for path in sorted(folder.iterdir()):
        yield path.name, Target(path, read, {read()[0]: ""})


def run_targets() -> Iterator[tuple[str, Target]]:
    """The record of a run, its fingerprint, and the history of a model."""
    folder = Path("run")
    np.save("x.npy", samples())
    with small_settings():
        command("fit", "x.npy", "--out", folder, "--steps", 1, *WORDS)

    def read() -> tuple[str, str]:
        job = load_job(folder)
        check_run(folder, job, open_parts(job.source, job.make_estimator()))
        return checksum(job), ""

    def history() -> tuple[str, str]:
        return checksum(read_history(folder / "model.history.json")), ""

    for name, reader in (("run.json", read), ("run.facts.json", read)):
        yield name, Target(folder / name, reader, {reader()[0]: ""})
    yield "model.history.json", Target(folder / "model.history.json", history, {history()[0]: ""})


def attack(every: int = 1) -> dict[str, Any]:
    """Change each byte of all files in turn, and open hostile folders.

    Args:
        every: Take every n-th byte only; hostile folders are all opened.

    Returns:
        Scores, outcomes by file, outcomes of hostile folders, and the faults.
    """
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder, chdir(folder):
        targets = (*checkpoint_targets(), *model_targets(), *run_targets())
        files = {name: flip(target, every) for name, target in targets}
        verdicts = judge_all(tuple(hostile_attacks()), SECONDS_OF_ATTACK)
    faults = [f"{name}: {fault}" for name, part in files.items() for fault in part.pop("faults")]
    wrong = [v for v in verdicts if v.outcome != "typed"]
    faults += [f"{verdict.label}: {verdict.outcome}: {verdict.detail}" for verdict in wrong]
    flips = {n: sum(part[n] for part in files.values()) for n in next(iter(files.values()))}
    folders = {"hostile": len(verdicts), "hostile_refused": len(verdicts) - len(wrong)}
    kinds = dict.fromkeys(verdict.kind for verdict in verdicts)
    hostile = {k: count_outcomes([v for v in verdicts if v.kind == k]) for k in kinds}
    return {"scores": flips | folders, "files": files, "hostile": hostile, "faults": faults}
