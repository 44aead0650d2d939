"""Lags are searched alike through the three doors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils import check_random_state
from typer.testing import CliRunner

from unwarp import Unwarper, train
from unwarp.app.cli.main import app
from unwarp.app.parts import open_parts
from unwarp.data.schema import Reading, Schema
from unwarp.planning.plan import Request, make_plan
from unwarp.training.settling import settle

STEPS = 2


@pytest.mark.slow  # a run of the command line with its report
def test_doors_find_the_same_lags(tmp_path: Path) -> None:
    """Command line, estimator and research functions end at the same templates and weights."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    recording = np.convolve(rng.normal(size=120), np.hanning(11), "valid")
    rows = [recording[20 - lag : 80 - lag] for lag in rng.integers(-10, 11, 30)]
    np.savez(tmp_path / "late.npz", x=np.stack(rows) + 0.1 * rng.normal(size=(30, 60)))
    options = ("--warp", "time-shift", "--start", "auto", "--steps", str(STEPS), "--quiet")
    command = ("fit", str(tmp_path / "late.npz"), "--out", str(tmp_path / "run"), *options)
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    by_command = Unwarper.load(tmp_path / "run" / "model")
    source = open_parts(str(tmp_path / "late.npz"), Unwarper("time-shift")).training
    estimator = Unwarper("time-shift", start="search", max_steps=STEPS).fit(source)

    schema, data = Schema.fit(source, Reading())
    plan = make_plan(Request(warp="time-shift"), schema, data, steps=STEPS)
    seed = int(check_random_state(0).randint(1 << 31))
    joint, run = plan.recipe.joint(), {"batch_size": plan.batch_size, "seed": seed}
    model = joint.build(data.shape, seed=seed)
    train(model, joint.players(model), data, steps=STEPS, **run)
    model, _ = settle(model, plan.recipe, data, steps=STEPS, **run)

    assert by_command.recipe_.start == "search" and model.encoder.start.reach > 0
    for name, value in model.state_dict().items():
        for other in (by_command, estimator):
            assert torch.equal(value, other.model_.state_dict()[name]), name
