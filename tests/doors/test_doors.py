"""The command line, the estimator and the research functions end at the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils import check_random_state
from typer.testing import CliRunner

from tests.pictures import pictures
from unwarp import Unwarper, train
from unwarp.app.cli.main import app
from unwarp.app.parts import open_parts
from unwarp.data import opening
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.estimators.holding_out import Split
from unwarp.planning.plan import Request, make_plan
from unwarp.training.settling import settle

OVERRIDES = {"n_content": 4, "optimiser.lr": 1e-3}
STEPS = 4
OPTIONS = (
    "--set",
    "n_content=4",
    "--set",
    "optimiser.lr=1e-3",
    "--steps",
    STEPS,
    "--device",
    "cpu",
    "--quiet",
)


def command(*arguments: object) -> None:
    """Run a command of `unwarp` that must succeed."""
    texts = [str(argument) for argument in arguments]
    result = CliRunner().invoke(app, texts, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def weights(estimator: Unwarper) -> list[torch.Tensor]:
    """All weights and buffers of its model."""
    return list(estimator.model_.state_dict().values())


@pytest.fixture(scope="module", params=["series", "irregular", "pictures"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of series, of series of unequal lengths with gaps of time, or of pictures."""
    folder, rng = tmp_path_factory.mktemp("source"), np.random.default_rng(0)
    waves = np.sin(np.linspace(0, 6, 30) + rng.uniform(0, 1, (40, 1))) + 0.1 * rng.normal(
        size=(40, 30)
    )
    if request.param == "pictures":
        np.save(folder / "pictures.npy", pictures(40))
        return folder / "pictures.npy"
    if request.param == "series":
        np.savez(folder / "waves.npz", x=waves)
    else:
        times = np.sort(rng.uniform(0, 3, waves.shape), 1)
        np.savez(folder / "waves.npz", x=waves, times=times, lengths=rng.integers(20, 31, 40))
    return folder / "waves.npz"


@pytest.fixture(scope="module")
def run(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a fit on the command line."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("runs") / "run"
    command("fit", path, "--out", out, *OPTIONS)
    return out


def test_commands_and_estimator_agree(path: Path, run: Path) -> None:
    """The estimator, fitted on the training samples of a run, ends at the same model."""
    by_command = Unwarper.load(run / "model")
    training = open_parts(str(path), Unwarper(overrides=OVERRIDES)).training
    estimator = Unwarper(max_steps=STEPS, overrides=OVERRIDES, device="cpu").fit(training)
    assert by_command.recipe_ == estimator.recipe_
    assert by_command.schema_.record() == estimator.schema_.record()
    assert all(map(torch.equal, weights(by_command), weights(estimator)))


def test_research_and_estimator_agree(path: Path) -> None:
    """`Schema.fit`, `make_plan`, `build`, `train`, `settle` end at the estimator's weights."""
    estimator = Unwarper(max_steps=STEPS, overrides=OVERRIDES, device="cpu").fit(path)
    schema, data = Schema.fit(as_source(path), Reading())
    plan = make_plan(Request(overrides=OVERRIDES), schema, data, steps=STEPS)
    seed = int(check_random_state(0).randint(1 << 31))
    joint = plan.recipe.joint()
    model = joint.build(data.shape, seed=seed)
    options: dict[str, Any] = {"steps": plan.steps, "batch_size": plan.batch_size, "seed": seed}
    train(model, joint.players(model), data, **options, device="cpu")
    model, _ = settle(model, plan.recipe, data, **options, device="cpu")
    assert (plan.recipe, schema.record()) == (estimator.recipe_, estimator.schema_.record())
    assert all(map(torch.equal, model.state_dict().values(), weights(estimator)))


def test_doors_hold_the_same_samples_out(path: Path, tmp_path: Path) -> None:
    """With a share of held-out samples, three doors end at the same weights and errors."""
    options, arguments = ("--validation-fraction", 0.2), {"validation_fraction": 0.2}
    command("fit", path, "--out", tmp_path / "run", *options, *OPTIONS)
    by_command = Unwarper.load(tmp_path / "run" / "model")
    training = open_parts(str(path), Unwarper(overrides=OVERRIDES)).training
    estimator = Unwarper(max_steps=STEPS, overrides=OVERRIDES, device="cpu", **arguments)
    estimator.fit(training)
    assert all(map(torch.equal, weights(by_command), weights(estimator)))
    schema, data = Schema.fit(training, Reading())
    plan = make_plan(Request(overrides=OVERRIDES), schema, data, steps=STEPS)
    seed = int(check_random_state(0).randint(1 << 31))
    split = Split.of(data, 0.2, seed)
    joint = plan.recipe.joint()
    model = joint.build(data.shape, seed=seed)
    run: dict[str, Any] = {"steps": plan.steps, "batch_size": plan.batch_size, "seed": seed}
    run["validation"] = split.validation(plan, schema.domain, is_open=False)
    history = train(model, joint.players(model), split.training, **run, device="cpu")
    del run["validation"]
    model, _ = settle(model, plan.recipe, split.training, **run, device="cpu")
    assert all(map(torch.equal, model.state_dict().values(), weights(estimator)))
    errors = [[row["error"] for row in part.validation] for part in (history, estimator.history_)]
    assert errors[0] == errors[1] and len(errors[0]) == STEPS


def test_overrides_change_one_field(path: Path) -> None:
    """An override changes its field of the recipe, and neither steps nor other fields."""
    default, changed = (
        Unwarper(max_steps=STEPS, overrides=overrides, device="cpu").fit(path)
        for overrides in (None, {"n_content": 3})
    )
    assert vars(changed.recipe_) == vars(default.recipe_) | {"n_content": 3}
    assert default.plan_ is not None and changed.plan_ is not None
    assert default.plan_.batch_size == changed.plan_.batch_size
    assert (default.selection_ is None) == (changed.selection_ is None)


def test_commands_read_once(
    path: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command opens the file of its samples once."""
    reads: list[object] = []
    read = opening.read

    def count(source: object, *hints: object) -> object:
        reads.append(source)
        return read(source, *hints)

    monkeypatch.setattr(opening, "read", count)
    for arguments in (
        ("fit", path, "--out", tmp_path / "run", *OPTIONS),
        ("align", run, path, "--out", tmp_path / "a.npz"),
        ("embed", run, path, "--out", tmp_path / "e.csv"),
        ("evaluate", run, path),
        ("traverse", run, path, "--out", tmp_path / "t.npz"),
    ):
        reads.clear()
        command(*arguments)
        assert len(reads) == 1, arguments[0]


def test_split_covers_source_once(path: Path) -> None:
    """Training and test samples are disjoint and together the source."""
    parts = open_parts(str(path), Unwarper(random_state=3))
    assert len(parts.training) + len(parts.test) == len(parts.listed) == 40
    names = [*np.asarray(parts.training.names or []), *np.asarray(parts.test.names or [])]
    assert len(names) == len(set(names))
