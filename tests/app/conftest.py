"""Short runs, shared by the tests of runs and of reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import AE, VAE, Affine2d, CosineTime
from unwarp.app.job import Job, start_job
from unwarp.app.outcome import Outcome
from unwarp.app.run import execute
from unwarp.models import Net, Recipe
from unwarp.models.codec import describe
from unwarp.planning.plan import Request

SMALL = Net("mlp", (16,), (16,))
Runs = Callable[..., Outcome]


@pytest.fixture(scope="session")
def small_net() -> Net:
    """A network that a few steps can train."""
    return SMALL


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs a job of a few steps on the arrays of a file."""

    def run(arrays: dict[str, Any], recipe: Recipe, **settings: Any) -> Outcome:
        folder = tmp_path_factory.mktemp("run")
        np.savez(folder / "data.npz", **arrays)
        start_job(
            Job(
                str(folder / "data.npz"),
                Request(describe(recipe)),
                {"max_steps": 4, "device": "cpu", **settings},
            ),
            folder / "run",
        )
        return execute(folder / "run", lambda message: None)

    return run


@pytest.fixture(scope="session")
def image_run(run_of: Runs) -> Outcome:
    """A VAE on images without labels."""
    recipe = VAE(warp=Affine2d(), n_content=10, net=SMALL)
    return run_of({"x": pictures(30)[:, 0]}, recipe, batch_size=8)


@pytest.fixture(scope="session")
def series_run(run_of: Runs) -> Outcome:
    """Series of two channels in two classes, one upside down, 10 samples a second."""
    x, labels = np.random.default_rng(0).normal(size=(30, 2, 24)).cumsum(2), np.arange(30) % 2
    recipe = AE(warp=CosineTime(3, sampling_rate=10.0), n_content=3, net=SMALL, views=0.0)
    arrays = {"x": x * (2 * labels[:, None, None] - 1), "labels": labels}
    return run_of(arrays, recipe, domain="series")


@pytest.fixture(scope="session")
def bumps_run(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Series with known true maps."""
    folder = tmp_path_factory.mktemp("bumps") / "run"
    recipe = AE(warp=CosineTime(3), n_content=3, net=SMALL, views=0.0)
    start_job(Job("bumps", Request(describe(recipe)), {"max_steps": 2, "device": "cpu"}), folder)
    return execute(folder, lambda message: None)
