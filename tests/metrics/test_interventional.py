"""Scores of interventions: agreement with disentanglement_lib 1.5, and how groups are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.codes import Measure, code
from unwarp.errors import DataError
from unwarp.metrics.interventional import betavae_score, factorvae_score, irs, draw_partners


@pytest.mark.parametrize(
    ("name", "published", "maximal"),
    [
        ("mixed", 0.5133884, 0.4365100),
        ("clean", 0.4927842, 0.4001137),
        ("noisy", 0.3461725, 0.2280175),
    ],
)
def test_irs_is_that_of_disentanglement_lib(name: str, published: float, maximal: float) -> None:
    assert irs(*code(name)) == pytest.approx(published, abs=1e-6)
    assert irs(*code(name), quantile=1.0) == pytest.approx(maximal, abs=1e-6)


@pytest.mark.parametrize(
    ("measure", "published"),
    [(betavae_score, (0.581, 0.594, 0.578)), (factorvae_score, (0.540, 0.5445, 0.529))],
)
def test_drawn_groups_score_as_fresh_samples_do(
    measure: Measure, published: tuple[float, ...]
) -> None:
    """Three seeds of disentanglement_lib with groups of 16, drawn from a generator that returns rows of the arrays."""
    found = [measure(*code("noisy"), 16, n_train=4000, n_test=4000, seed=seed) for seed in range(3)]
    assert np.mean(found) == pytest.approx(np.mean(published), abs=0.025)


def test_irs_weighs_latents_by_their_reach() -> None:
    codes, factors = code("mixed")
    assert abs(irs(codes * [1, 1, 1, 100, 1], factors) - irs(codes, factors)) > 0.05


def test_partners_share_the_value_are_another_sample_and_are_drawn_evenly() -> None:
    rank = np.array([0, 1, 0, 2, 1, 0, 2, 0])
    rows = np.tile(np.arange(8), 3000)
    found = draw_partners(rank, rows, np.random.default_rng(0))
    assert (rank[found] == rank[rows]).all() and (found != rows).all()
    assert np.bincount(found[rows == 0], minlength=8) == pytest.approx(
        [0, 0, 1000, 0, 0, 1000, 0, 1000], abs=100
    )


def test_seeds_decide_the_draws() -> None:
    codes, factors = code("noisy")
    first, again, other = (
        factorvae_score(codes, factors, n_train=300, n_test=300, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again != other


def test_a_factor_whose_values_are_all_different_shares_nothing() -> None:
    with pytest.raises(DataError, match="shared by 2 samples"):
        betavae_score(np.eye(4), np.stack([np.arange(4), np.arange(4)], 1))
