"""Pieces of work that write files: models, checkpoints, runs and outputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.attacks.file_systems import Death
from benchmarks.attacks.verdicts import Attack, command, judge
from unwarp import AE, Affine2d, Unwarper
from unwarp.models import Net
from unwarp.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Work:
    """Something that writes files into the current folder.

    Attributes:
        name: Name in the results.
        prepare: Function that makes the folder before the work.
        act: The work.
        place: The file or folder that a good message names.
        units: Files and folders that are always whole: as before the work, as after it, or absent
            if they were absent before.
    """

    name: str
    prepare: Callable[[], object]
    act: Callable[[], object]
    place: str
    units: Sequence[str]


SMALL = AE(warp=Affine2d(), n_content=3, net=Net("mlp", (8,), (8,)), views=0.0)
"""A recipe that a step trains in milliseconds."""

OPTIONS: Mapping[str, Any] = {"max_steps": 2, "n_clusters": 2, "device": "cpu"}


def _model(seed: int = 0) -> Unwarper:
    return Unwarper(recipe=SMALL, random_state=seed, **OPTIONS).fit(np.load("x.npy"))


def _make_data(old_model: bool = False) -> None:
    """Samples, and files of the user; `old_model` adds a model."""
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.random((14, 8, 8)))
    lags = rng.uniform(-1, 1, (14, 1))
    np.save("series.npy", np.sin(np.linspace(0, 6, 16) + lags) + 0.05 * rng.normal(size=(14, 16)))
    for name in ("thesis.tex", ".mine.partial"):
        Path(name).write_text("precious")
    if old_model:
        _model(1).save("model")


def _train_with_checkpoints() -> None:
    """A training with a checkpoint after each step, and its weights in a file."""
    model = Unwarper(recipe=SMALL, **{**OPTIONS, "max_steps": 4})
    checkpoint = Checkpoint("run.checkpoint", interval=1)
    model.fit(np.load("x.npy"), callbacks=[checkpoint])
    weights = b"".join(value.numpy().tobytes() for value in model.model_.state_dict().values())
    Path("weights").write_bytes(weights)
    checkpoint.discard()


FIT = ("--steps", "5", "--device", "cpu", "--quiet", "--out", "run")


def _interrupted_run() -> None:
    """A run that died while the baseline was saved."""
    _make_data()
    save, count = Unwarper.save, 0

    def save_once(model: Unwarper, folder: Path) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise Death
        save(model, folder)

    pid = os.fork()
    if not pid:
        with mock.patch.object(Unwarper, "save", save_once):
            judge(Attack("", "", partial(_until_death, ("fit", "x.npy", *FIT))))
        os._exit(0)
    os.waitpid(pid, 0)


def _until_death(words: Sequence[str]) -> None:
    """A command of which a step raises `Death`, after which the process ends."""
    try:
        command(*words)
    except Death:
        os._exit(0)


def _old_outputs() -> None:
    """A model, and tables of an earlier work."""
    _make_data(old_model=True)
    for name in ("aligned.npz", "codes.csv"):
        Path(name).write_text("old")


MODELS = ("run/model", "run/baseline")
ALIGN = ("align", "model", "x.npy", "--quiet", "--device", "cpu", "--out", "aligned.npz")
EMBED = ("embed", "model", "x.npy", "--quiet", "--device", "cpu", "--out", "codes.csv")


def _save() -> None:
    _MEMORY["model"].save("model")


_MEMORY: dict[str, Unwarper] = {}


def _prepare_save(old_model: bool) -> None:
    _make_data(old_model)
    _MEMORY["model"] = _model()


WORKS: Sequence[Work] = (
    Work("save a model", partial(_prepare_save, False), _save, "model", ("model",)),
    Work("replace a model", partial(_prepare_save, True), _save, "model", ("model",)),
    Work("checkpoints", _make_data, _train_with_checkpoints, "run.checkpoint", ()),
    Work("fit, images", _make_data, partial(command, "fit", "x.npy", *FIT), "run", MODELS),
    Work("fit, series", _make_data, partial(command, "fit", "series.npy", *FIT), "run", MODELS),
    Work("resume", _interrupted_run, partial(command, "resume", "run", "--quiet"), "run", MODELS),
    Work("align", _old_outputs, partial(command, *ALIGN), "aligned.npz", ("aligned.npz",)),
    Work("embed", _old_outputs, partial(command, *EMBED), "codes.csv", ("codes.csv",)),
)


QUICK_WORKS = ("save a model", "replace a model", "checkpoints", "align", "embed")
"""Works that take a second."""
