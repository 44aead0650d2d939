"""The figures of a report: each family and each kind of data gets those that it has something to show for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.test_estimators import pictures
from unwarp import AE, VAE, Affine2d, figures, runs
from unwarp.checkpoints import describe
from unwarp.models import Net, Recipe

SMALL = Net("mlp", (16,), (16,))


def outcome(x: np.ndarray, recipe: Recipe, place: Path) -> runs.Outcome:  # type: ignore[type-arg]
    np.save(place / "x.npy", x)
    job = runs.Job(str(place / "x.npy"), describe(recipe), steps=4, device="cpu", batch_size=8)
    runs.start(job, place / "run")
    return runs.execute(place / "run", lambda words: None)


def row_names(figure: Figure) -> list[str]:
    return [axis.get_ylabel() for axis in figure.axes]


@pytest.fixture(scope="module")
def variational(tmp_path_factory: pytest.TempPathFactory) -> runs.Outcome:
    recipe = VAE(warp=Affine2d(), n_content=10, net=SMALL)
    return outcome(pictures(30)[:, 0], recipe, tmp_path_factory.mktemp("vae"))


def test_a_family_with_a_prior_shows_rates_and_both_kinds_of_samples(variational: runs.Outcome) -> None:
    drawn = figures.draw(variational)
    assert {"prior", "mixture", "traversal", "deformation", "interpolation", "deformations"} <= set(drawn)
    rows = row_names(drawn["traversal"])
    assert len(rows) == figures.ROWS
    rates = [float(row.split("KL ")[1].removesuffix(" nats")) for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert row_names(drawn["deformation"])[0] == "rotation (deg)"
    assert len(drawn["prior"].axes[0].images) == figures.DRAWN


def test_what_moves_starts_and_ends_as_the_interpolation_does(variational: runs.Outcome) -> None:
    frames = figures.moving_pictures(variational)["moving"]
    assert frames.ndim == 4 and frames.dtype == np.uint8
    assert not np.array_equal(frames[0], frames[-1])


def test_series_without_a_warp_have_no_deformation_to_show(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)
    drawn = figures.draw(outcome(x, AE(n_content=3, net=SMALL), tmp_path))
    assert not {"deformation", "deformations", "prior"} & set(drawn)
    assert {"traversal", "interpolation", "mixture"} <= set(drawn)
    assert len(drawn["traversal"].axes[0].lines) == 9
