"""Disentanglement: perfect codes, noise, invariances, and agreement with disentanglement_lib 1.5.

The published numbers are those of disentanglement_lib 1.5 (Locatello et al. 2019; with NumPy 1.26
and scikit-learn 1.5), run on the arrays of `tests.metrics.codes.code`: its functions
`_compute_mig`, `modularity`, `_compute_sap`, `explicitness_per_factor`, `compute_importance_gbt`,
`disentanglement`, `completeness`, `scalable_disentanglement_score`, `compute_beta_vae_sklearn` and
`compute_factor_vae`, 20 histogram bins, rows 0 to 799 for training and the rest for testing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.metrics.codes import Levels, code, grid, with_few_draws
from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.disentanglement import (
    dci,
    explicitness,
    importance_scores,
    mig,
    modularity,
    sap,
)
from unwarp.metrics.interventional import betavae_score, factorvae_score, irs
from unwarp.metrics.levels import factor_levels
from unwarp.metrics.probes import split_rows

MEASURES = {
    "mig": mig,
    "modularity": modularity,
    "explicitness": explicitness,
    "sap": lambda codes, factors: sap(codes, factors, continuous=True),
    "sap_classified": sap,
    "dci": dci,
    "betavae": with_few_draws(betavae_score),
    "factorvae": with_few_draws(factorvae_score),
    "irs": irs,
}


def unsplit(*arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Arrays reordered so that the split of seed 0 trains on their first two thirds, in order."""
    order = np.concatenate(split_rows(len(arrays[0]), 0))
    return [array[np.argsort(order)] for array in arrays]


def test_arrays_are_as_published() -> None:
    """The codes are the arrays that the published implementation was run on."""
    assert code("mixed")[0][0] == pytest.approx(
        [1.27946163, 2.05860751, 1.04978758, 1.42467164, -0.87106051]
    )
    assert code("clean")[0][0] == pytest.approx(
        [1.39482822, 1.24864498, 0.98588676, 1.59602586, -0.26988239]
    )
    assert code("noisy")[0][0] == pytest.approx(
        [1.29862952, 2.30200998, 0.47271716, 1.42467164, 0.52680224]
    )


@pytest.mark.parametrize(
    ("name", "published"), [("mixed", 0.3924822010), ("clean", 0.9575490135), ("noisy", 0.0729569)]
)
def test_mig_agrees_with_published(name: str, published: float) -> None:
    """MIG agrees with disentanglement_lib."""
    assert mig(*code(name)) == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "published"), [("mixed", 0.8175887), ("clean", 0.8173676), ("noisy", 0.8042829)]
)
def test_modularity_agrees_with_published(name: str, published: float) -> None:
    """Modularity agrees with disentanglement_lib."""
    assert modularity(*code(name)) == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "published", "correlation"),
    [
        ("mixed", 0.2191667, 0.4914187),
        ("clean", 0.4308333, 0.9638307),
        ("noisy", 0.0575, 0.1688849),
    ],
)
def test_sap_agrees_with_published(name: str, published: float, correlation: float) -> None:
    """SAP agrees with disentanglement_lib, by classifier and by correlation."""
    assert sap(*unsplit(*code(name))) == pytest.approx(published, abs=0.004)
    assert sap(*code(name), continuous=True) == pytest.approx(correlation, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "published"), [("mixed", 0.98488766), ("clean", 0.99986846), ("noisy", 0.71660073)]
)
def test_explicitness_agrees_with_published(name: str, published: float) -> None:
    """Explicitness agrees with disentanglement_lib."""
    assert explicitness(*unsplit(*code(name))) == pytest.approx(published, abs=1e-4)


def test_importance_scores_as_published() -> None:
    """Disentanglement and completeness of importances agree with disentanglement_lib."""
    small = np.array([[0.7, 0.1, 0], [0.2, 0.1, 0.3], [0, 0.8, 0], [0.1, 0, 0.7]])
    assert importance_scores(small) == pytest.approx((0.6329688431, 0.5066668925), abs=1e-8)
    boosted = np.array(
        [
            [0.957385, 0.039012, 0.020705],
            [0.010223, 0.311117, 0.118324],
            [0.010038, 0.048912, 0.80926],
            [0.005547, 0.007718, 0.021262],
            [0.016807, 0.593241, 0.030449],
        ]
    )
    assert importance_scores(boosted) == pytest.approx((0.6841722, 0.6045776), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("mixed", (0.684, 0.605, 0.8925)),
        ("clean", (0.987, 0.980, 0.993)),
        ("noisy", (0.064, 0.057, 0.396)),
    ],
)
def test_dci_of_forest_is_near_published(name: str, published: tuple[float, ...]) -> None:
    """The small forest gives about the numbers of boosted trees."""
    assert tuple(dci(*code(name)).values()) == pytest.approx(published, abs=0.09)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"),
    [("mixed", (0.6842, 0.6046, 0.8925)), ("noisy", (0.0642, 0.0566, 0.3958))],
)
def test_dci_of_boosting_as_published(name: str, published: tuple[float, ...]) -> None:
    """Boosted trees agree with disentanglement_lib."""
    scores = dci(*unsplit(*code(name)), importance="boosting")
    assert tuple(scores.values()) == pytest.approx(published, abs=0.006)


def perfect() -> tuple[Array, Levels]:
    """The factors themselves, permuted and rescaled, one of them turned round."""
    factors = grid()
    return factors[:, [2, 0, 1]] * np.array([-3.0, 0.01, 40.0]) + np.array(
        [7.0, 0.0, -100.0]
    ), factors


BEST = {"dci_disentanglement": 1.0, "dci_completeness": 1.0, "dci_informativeness": 1.0}


@pytest.mark.parametrize("name", sorted(set(MEASURES) - {"sap_classified"}))
def test_perfect_code_is_best(name: str) -> None:
    """Permuted and rescaled factors have the best value of each score."""
    assert MEASURES[name](*perfect()) == pytest.approx(BEST if name == "dci" else 1.0, abs=1e-9)


def test_sap_of_many_values_is_low() -> None:
    """One line cannot separate middle values; two values leave the distance to chance."""
    assert 0.3 < sap(*perfect()) < 0.7
    factors = np.random.default_rng(0).integers(0, 2, (600, 3))
    assert sap(factors[:, ::-1] * 5.0, factors) == pytest.approx(0.5, abs=0.06)


CHANCE = {
    "mig": (0.0, 0.02),
    "explicitness": (0.5, 0.03),
    "sap": (0.0, 0.01),
    "sap_classified": (0.0, 0.05),
    "dci": (
        {"dci_disentanglement": 0, "dci_completeness": 0, "dci_informativeness": 47 / 180},
        0.04,
    ),
    "betavae": (1 / 3, 0.05),
    "factorvae": (1 / 3, 0.06),
    "irs": (0.0, 0.03),
}


@pytest.mark.parametrize("name", sorted(CHANCE))
def test_chance_on_noise(name: str) -> None:
    """Noise has the chance value of each score."""
    expected, tolerance = CHANCE[name]
    noise = np.random.default_rng(0).random((2400, 6))
    assert MEASURES[name](noise, grid(40)) == pytest.approx(expected, abs=tolerance)


def test_noise_flatters_modularity_and_irs() -> None:
    """Blind spots of the published definitions, named in the guide."""
    noise = np.random.default_rng(0).normal(size=(2400, 6))
    assert modularity(noise, grid(40)) > 0.5
    assert irs(noise, grid(40)) > 0.2


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_scores_ignore_permutation(name: str) -> None:
    """Permuted latents score the same."""
    codes, factors = code("mixed")
    tolerance = 0.03 if name == "dci" else 1e-6
    permuted = codes[:, [3, 0, 4, 2, 1]]
    assert MEASURES[name](permuted, factors) == pytest.approx(
        MEASURES[name](codes, factors), abs=tolerance
    )


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_scores_ignore_scale(name: str) -> None:
    """Rescaled and shifted latents score the same; IRS if all are rescaled alike."""
    codes, factors = code("noisy")
    scale = np.full(5, 8.0) if name == "irs" else np.array([2.0**-10, 1.0, 8.0, 1024.0, 0.5])
    rescaled = codes * scale + np.array([0.0, 100.0, -1.0, 3.0, 0.25])
    assert MEASURES[name](rescaled, factors) == pytest.approx(
        MEASURES[name](codes, factors), abs=2e-3
    )


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_scores_ignore_factor_names(name: str) -> None:
    """Renamed values and a constant factor change nothing, unless values are ordered."""
    codes, factors = code("mixed")
    renamed = np.stack(
        [np.array([9.5, -4.0, 2.0])[factors[:, 0]], *factors[:, 1:].T, np.ones(len(factors))], 1
    )
    factors = np.stack([np.array([2, 0, 1])[factors[:, 0]], *factors[:, 1:].T], 1)
    assert MEASURES[name](codes, renamed) == pytest.approx(MEASURES[name](codes, factors), abs=1e-9)


def test_rotation_lowers_scores() -> None:
    """A rotated code scores lower, except by the linear BetaVAE score."""
    codes, factors = code("clean")
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    for name in ("mig", "sap", "irs"):
        assert MEASURES[name](codes @ rotation, factors) < MEASURES[name](codes, factors) - 0.05
    assert dci(codes @ rotation, factors)["dci_disentanglement"] < 0.5
    assert with_few_draws(betavae_score)(codes @ rotation, factors) > 0.9


def test_copied_factor_is_modular() -> None:
    """A factor in two latents is modular and disentangled, not complete."""
    factors = grid()
    copied = np.hstack([factors, factors]).astype(float)
    assert mig(copied, factors) == pytest.approx(0.0, abs=1e-9)
    assert sap(copied, factors, continuous=True) == pytest.approx(0.0, abs=1e-9)
    assert modularity(copied, factors) == pytest.approx(1.0)
    assert dci(copied, factors)["dci_disentanglement"] == pytest.approx(1.0)
    assert dci(copied, factors)["dci_completeness"] < 0.8


def test_merged_factors_are_complete() -> None:
    """Two factors in one latent are complete, not modular or disentangled."""
    factors = np.random.default_rng(0).integers(0, 2, (2000, 2))
    merged = np.stack([2.0 * factors[:, 0] + factors[:, 1], np.zeros(2000)], 1)
    assert mig(merged, factors) == pytest.approx(1.0)
    assert modularity(merged, factors) == pytest.approx(0.0, abs=0.01)
    assert dci(merged, factors)["dci_completeness"] == pytest.approx(1.0)
    assert dci(merged, factors)["dci_disentanglement"] == pytest.approx(0.0, abs=0.01)


def test_single_latent_is_perfect() -> None:
    """A single latent that determines a factor has the best gap."""
    shape = grid()[:, :1]
    assert mig(shape * 2.0, shape) == pytest.approx(1.0)
    assert sap(shape * 2.0, shape, continuous=True) == pytest.approx(1.0)


def test_constant_latents_do_not_count() -> None:
    """Constant latents change no score, and alone they score 0."""
    codes, factors = perfect()
    padded = np.hstack([codes, np.full((len(codes), 2), 3.0)])
    for name in sorted(set(MEASURES) - {"modularity", "dci", "sap_classified"}):
        assert MEASURES[name](padded, factors) == pytest.approx(
            MEASURES[name](codes, factors), abs=0.01
        ), name
    constants = np.zeros((len(codes), 2))
    assert mig(constants, factors) == modularity(constants, factors) == irs(constants, factors) == 0
    assert factorvae_score(constants, factors) == 0


def test_mig_ceiling_on_dsprites() -> None:
    """True factors score .90 for 20 bins and 40 angles; angles modulo a symmetry .79."""
    axes = np.meshgrid(*(np.arange(size) for size in (3, 6, 40, 32)), indexing="ij")
    factors = np.stack([axis.ravel() for axis in axes], 1)[:, [0, 1, 2, 3, 3]]
    latents = factors[:, :4] * np.array([1, 1, 360, 1]) / np.array([1, 1, 39, 1])
    one_by_one = [mig(latents, factors[:, [k]]) for k in range(4)]
    assert one_by_one == pytest.approx([1, 1, np.log(20) / np.log(40), 0.85])
    assert mig(latents, factors) == pytest.approx(0.9024, abs=1e-4)
    latents[:, 2] %= np.array([90, 180, 360])[factors[:, 0]]
    assert mig(latents, factors[:, [2]]) == pytest.approx(0.5665, abs=1e-3)
    assert mig(latents, factors) == pytest.approx(0.7877, abs=1e-3)


def test_continuous_factors_are_binned() -> None:
    """A factor of many values has 20 levels."""
    values = np.random.default_rng(0).random((2000, 2))
    assert factor_levels(values).max(0).tolist() == [19, 19]
    assert mig(values[:, ::-1] * 3, values) > 0.95


def test_scores_need_two_factors() -> None:
    """Scores that compare factors need two that vary."""
    codes, factors = code("clean")
    for measure in (betavae_score, factorvae_score, dci, modularity):
        with pytest.raises(DataError, match="1 columns that vary, this measure needs 2"):
            measure(codes, factors[:, :1])


def test_unknown_importance_is_refused() -> None:
    """An importance that does not exist is named."""
    with pytest.raises(ConfigError, match="importance='lasso' is unknown"):
        dci(*code("clean"), importance="lasso")  # type: ignore[arg-type]
