"""Runs: the baseline is fair, and a trained model is not trained again."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.processes import run_processes, start_processes
from unwarp import Unwarper
from unwarp.app.outcome import Outcome
from unwarp.app.run import fit_or_load, read_history, without_warp, write_history
from unwarp.data.opening import as_source
from unwarp.errors import CheckpointError
from unwarp.estimators.choices import Selection
from unwarp.estimators.fitting import SELECT_OF_DOMAIN
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import History, Row, State

X = np.random.default_rng(0).normal(size=(12, 24)).cumsum(1)


def test_baseline_is_fair(series_run: Outcome) -> None:
    """It has as many latents in total, no warp, and all other settings of the model with one."""
    warped = series_run.warped.unwarper
    baseline = without_warp(warped)
    model = warped.model_
    assert baseline.recipe.n_content == model.n_content + len(model.warp.factors)
    assert not baseline.recipe.warp.factors
    changed = ("warp", "recipe", "n_content", "overrides")
    settings, originals = baseline.get_params(), warped.get_params()
    assert {k for k in settings if settings[k] != originals[k]} <= set(changed)


def test_trained_models_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time there is no training: the same numbers and the same history come back."""
    source = as_source(X)
    first = fit_or_load(Unwarper("time", max_steps=2, n_clusters=2), source, tmp_path, "model", ())
    assert not (tmp_path / "model.checkpoint").exists()
    monkeypatch.setattr(Unwarper, "fit", None)
    loaded = fit_or_load(Unwarper(), source, tmp_path, "model", ())
    np.testing.assert_array_equal(loaded.transform(X), first.transform(X))
    record = json.loads((tmp_path / "model.history.json").read_text())
    assert asdict(loaded.history_) == {n: v for n, v in record.items() if n != "checksum"}
    assert loaded.history_ == first.history_


class Stop(Callback):
    """Stops a run after its first step, as a kill does."""

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the interrupt."""
        raise KeyboardInterrupt


def test_selection_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run has its decision how much to warp; other series are refused."""
    calls = list[int]()

    def select(x: Any, **options: Any) -> Selection:
        calls.append(len(x))
        return Selection("smooth", (1 / 3,), {"smooth": (0.1,), "sharp": (0.2,)}, (0.7,))

    monkeypatch.setitem(SELECT_OF_DOMAIN, "series", select)
    model = Unwarper(max_steps=2, n_clusters=2, domain="series")
    with pytest.raises(KeyboardInterrupt):
        fit_or_load(model, as_source(X), tmp_path, "model", (Stop(),))
    with pytest.raises(CheckpointError, match="samples: other values, or another order"):
        fit_or_load(model, as_source(X[::-1].copy()), tmp_path, "model", ())
    trained = fit_or_load(model, as_source(X), tmp_path, "model", ())
    assert calls == [12]
    assert trained.selection_ == select(X)
    assert {path.name for path in tmp_path.iterdir()} == {"model", "model.history.json"}


class Death(BaseException):
    """The end of a process."""


def test_death_after_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that died between the save and its end has no checkpoint and no lock afterwards."""

    def die(checkpoint: Checkpoint) -> None:
        (tmp_path / ".model.lock").touch()
        (tmp_path / "model.checkpoint").touch()
        (tmp_path / "model.checkpoint.1").touch()
        raise Death

    source, model = as_source(X), Unwarper("time", max_steps=2, n_clusters=2)
    with monkeypatch.context() as patch, pytest.raises(Death):
        patch.setattr(Checkpoint, "discard", die)
        fit_or_load(model, source, tmp_path, "model", ())
    fit_or_load(model, source, tmp_path, "model", ())
    assert {path.name for path in tmp_path.iterdir()} == {"model", "model.history.json"}


def test_damaged_history_is_refused(tmp_path: Path) -> None:
    """Another digit is noticed; a history of an earlier version, without a checksum, is read."""
    path, history = tmp_path / "model.history.json", History([{"step": 0, "loss": 2.5}], 1, 0.5, 64)
    write_history(path, history)
    assert read_history(path) == history
    path.write_text(path.read_text().replace("2.5", "2.7"))
    with pytest.raises(CheckpointError, match=r"model\.history\.json is damaged \(its checksum"):
        read_history(path)
    path.write_text(json.dumps(asdict(history)))
    assert read_history(path) == history


FIT = ["-m", "unwarp", "fit", "pictures.npy", "--out", "run", "--steps", "210"]
OPTIONS = ["--warp", "affine", "--content", "joint", "--refine", "none"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pictures."""
    x = np.random.default_rng(0).random((40, 12, 12)).astype(np.float32)
    np.save(tmp_path / "pictures.npy", x)
    return tmp_path


def weights(folder: Path) -> str:
    """Checksum of the weights of both models."""
    files = [folder / "run" / name / "model.safetensors" for name in ("model", "baseline")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@pytest.mark.slow
def test_lost_process_loses_nothing(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The survivor says so; the same command continues, with the same models as without it."""
    processes = start_processes([*FIT, *OPTIONS], folder=folder)
    deadline = time.monotonic() + 200
    while not (folder / "run" / "model.checkpoint").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    processes[1].kill()
    _, errors = processes[0].communicate(timeout=200)
    processes[1].communicate(timeout=200)
    assert processes[0].returncode == 2, errors
    assert "a process of this run was lost" in errors and "Traceback" not in errors
    outputs = run_processes([*FIT, *OPTIONS], folder=folder)
    assert "report.html" in outputs[0] and outputs[1] == ""
    whole = tmp_path_factory.mktemp("whole")
    (whole / "pictures.npy").write_bytes((folder / "pictures.npy").read_bytes())
    run_processes([*FIT, *OPTIONS], folder=whole)
    assert weights(folder) == weights(whole)
