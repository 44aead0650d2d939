"""Scores of interventions: agreement with disentanglement_lib 1.5, and draws of groups."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.codes import Measure, code
from unwarp.errors import DataError
from unwarp.metrics.interventional import betavae_score, draw_partners, factorvae_score, irs


@pytest.mark.parametrize(
    ("name", "published", "maximal"),
    [
        ("mixed", 0.5133884, 0.4365100),
        ("clean", 0.4927842, 0.4001137),
        ("noisy", 0.3461725, 0.2280175),
    ],
)
def test_irs_agrees_with_published(name: str, published: float, maximal: float) -> None:
    """IRS agrees with disentanglement_lib, by quantile and by maximum."""
    assert irs(*code(name)) == pytest.approx(published, abs=1e-6)
    assert irs(*code(name), quantile=1.0) == pytest.approx(maximal, abs=1e-6)


@pytest.mark.parametrize(
    ("measure", "published"),
    [(betavae_score, (0.581, 0.594, 0.578)), (factorvae_score, (0.540, 0.5445, 0.529))],
)
def test_drawn_groups_agree_with_published(measure: Measure, published: tuple[float, ...]) -> None:
    """Three seeds of disentanglement_lib with groups of 16 rows of the same arrays."""
    scores = [
        measure(*code("noisy"), 16, n_train=4000, n_test=4000, seed=seed) for seed in range(3)
    ]
    assert np.mean(scores) == pytest.approx(np.mean(published), abs=0.025)


def test_irs_weighs_latents_by_scale() -> None:
    """Rescaling one latent changes its weight."""
    codes, factors = code("mixed")
    assert abs(irs(codes * [1, 1, 1, 100, 1], factors) - irs(codes, factors)) > 0.05


def test_partners_are_drawn_evenly() -> None:
    """Partners share the value, are another sample, and are drawn evenly."""
    levels = np.array([0, 1, 0, 2, 1, 0, 2, 0])
    rows = np.tile(np.arange(8), 3000)
    partners = draw_partners(levels, rows, np.random.default_rng(0))
    assert (levels[partners] == levels[rows]).all() and (partners != rows).all()
    assert np.bincount(partners[rows == 0], minlength=8) == pytest.approx(
        [0, 0, 1000, 0, 0, 1000, 0, 1000], abs=100
    )


def test_seed_decides_draws() -> None:
    """The same seed gives the same score, another one another."""
    codes, factors = code("noisy")
    first, repeated, other = (
        factorvae_score(codes, factors, n_train=300, n_test=300, seed=seed) for seed in (0, 0, 1)
    )
    assert first == repeated != other


def test_distinct_values_are_refused() -> None:
    """A factor without repeated values has no pairs to draw."""
    with pytest.raises(DataError, match="shared by 2 samples"):
        betavae_score(np.eye(4), np.stack([np.arange(4), np.arange(4)], 1))
