"""A training that diverges ends alike through the three doors, and its report says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils import check_random_state
from typer.testing import CliRunner

from unwarp import Unwarper, train
from unwarp.app.cli.main import app
from unwarp.app.job import load_job
from unwarp.app.parts import open_parts
from unwarp.app.report.sections import sections
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.errors import DivergenceError
from unwarp.planning.plan import Request, make_plan
from unwarp.training.settling import settle

OVERRIDES = {"n_content": 4, "optimiser.lr": 100.0}
STEPS = 4
SETTINGS = ("--set", "n_content=4", "--set", "optimiser.lr=100", "--steps", str(STEPS))


def command(*arguments: object) -> Any:
    """The result of a command of `unwarp`."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", autouse=True)
def report_without_figures() -> Iterator[None]:
    """Figures are not drawn, since this takes long."""
    with pytest.MonkeyPatch.context() as patch:
        text_alone = partial(sections, illustrate=lambda plot, outcome: None)
        patch.setattr("unwarp.app.report.page.sections", text_alone)
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of series."""
    path, rng = tmp_path_factory.mktemp("source") / "waves.npz", np.random.default_rng(0)
    phases = np.linspace(0, 6, 30) + rng.uniform(0, 1, (40, 1))
    np.savez(path, x=np.sin(phases) + 0.1 * rng.normal(size=(40, 30)))
    return path


@pytest.fixture(scope="module")
def run(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a fit with rollbacks on the command line."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("runs") / "run"
    means = ("--device", "cpu", "--on-divergence", "rollback")
    result = command("fit", path, "--out", out, *SETTINGS, *means)
    assert result.exit_code == 0, result.output
    assert "training diverged at step 1 (player 'autoencoder': " in result.stderr
    return out


def estimator(**arguments: Any) -> Unwarper:
    """An estimator at a rate that is far too high."""
    return Unwarper(max_steps=STEPS, overrides=OVERRIDES, device="cpu", **arguments)


def test_divergence_is_refused_by_default(path: Path, tmp_path: Path) -> None:
    """By default the command and the estimator end in an error that names the option."""
    result = command("fit", path, "--out", tmp_path / "run", *SETTINGS, "--device", "cpu")
    assert isinstance(result.exception, DivergenceError)
    assert "--on-divergence rollback" in str(result.exception)
    with pytest.raises(DivergenceError, match="on_divergence='rollback'"):
        estimator().fit(path)


def test_doors_roll_back_alike(path: Path, run: Path) -> None:
    """With rollbacks, command, estimator and research functions end at the same weights."""
    training = open_parts(str(path), Unwarper(overrides=OVERRIDES)).training
    by_estimator = estimator(on_divergence="rollback").fit(training)
    schema, data = Schema.fit(as_source(training), Reading())
    plan = make_plan(Request(overrides=OVERRIDES), schema, data, steps=STEPS)
    seed = int(check_random_state(0).randint(1 << 31))
    joint = plan.recipe.joint()
    model = joint.build(data.shape, seed=seed)
    options: dict[str, Any] = {"steps": plan.steps, "batch_size": plan.batch_size, "seed": seed}
    means: dict[str, Any] = {"device": "cpu", "on_divergence": "rollback"}
    history = train(model, joint.players(model), data, **options, **means)
    model, _ = settle(model, plan.recipe, data, **options, **means)
    by_command = Unwarper.load(run / "model").model_.state_dict().values()
    for other in (by_estimator.model_, model):
        assert all(map(torch.equal, by_command, other.state_dict().values()))
    record = json.loads((run / "model.history.json").read_text())["rollbacks"]
    assert history.rollbacks == by_estimator.history_.rollbacks
    assert [part.rates for part in history.rollbacks] == [part["rates"] for part in record]
    assert record[0]["rates"] == {"autoencoder": 50.0}


def test_run_keeps_its_rollbacks(run: Path) -> None:
    """The job has the policy, for `resume`; report and scores tell the rollbacks, also resumed."""
    assert load_job(run).make_estimator().on_divergence == "rollback"
    page = (run / "report.html").read_text()
    assert "rollbacks with the warp" in page and "diverged at step 1" in page
    record = json.loads((run / "metrics.json").read_text())["warped"]["rollbacks"]
    assert record[0]["step"] == 1
    assert command("resume", run, "--quiet").exit_code == 0
    assert "diverged at step 1" in (run / "report.html").read_text()
