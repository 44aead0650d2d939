"""What happens to the latents while one factor is held fixed: BetaVAE score, FactorVAE score, interventional robustness.

The papers draw fresh samples from a generator. Here groups that share a factor's value are drawn from given arrays, with a
seed; `latents` and `factor_values` are as in `unwarp.metrics.disentanglement`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from unwarp.core import Array
from unwarp.errors import DataError
from unwarp.metrics.disentanglement import checked, standardised
from unwarp.metrics.registry import score_function

Levels = NDArray[np.integer]


def shared(rank: Levels, random: np.random.Generator, shape: tuple[int, int], least: int) -> Levels:
    """Rows (n, k) drawn among those whose value of a factor at least `least` samples share.

    Raises:
        DataError: If no value is shared by so many samples.
    """
    rows = np.flatnonzero(np.bincount(rank)[rank] >= least)
    if len(rows) == 0:
        raise DataError(
            f"no value of a factor is shared by {least} samples; give more samples or coarser factor_values"
        )
    return random.choice(rows, shape)


def partners(rank: Levels, rows: Levels, random: np.random.Generator) -> Levels:
    """For each of `rows` (any shape) another row with the same value of the factor `rank` (N,), drawn evenly."""
    order = np.argsort(rank, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    count = np.bincount(rank)
    first = np.cumsum(count) - count
    size, start = count[rank[rows]], first[rank[rows]]
    step = 1 + np.floor(random.random(rows.shape) * (size - 1)).astype(int)
    return np.asarray(order[start + (place[rows] - start + step) % size])


@score_function(best=1.0, chance=0.5)
def betavae_score(
    latents: Array,
    factor_values: NDArray[Any],
    pairs: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> float:
    """Accuracy of telling which factor pairs of samples share, from the mean absolute difference of their latents.

    Each point of a linear classifier is the mean over `pairs` pairs that share one factor's value. 1 is perfect, 1 / F
    is chance. A linear classifier forgives much: rotated latents can score 1. Differences are standardised, so that
    rescaled latents score the same.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F), at least two of which vary.
        pairs: Pairs a point.
        train: Points on which the classifier is fitted.
        test: Points on which it is scored.
        seed: Seed of the draws.

    Source:
        Higgins et al. (2017), beta-VAE: learning basic visual concepts with a constrained variational framework; logistic
        regression and sizes as in Locatello et al. (2019).
    """
    codes, ranks = checked(latents, factor_values, least=2)
    random = np.random.default_rng(seed)
    (x, y), (x_test, y_test) = (
        _differences(codes, ranks, n // ranks.shape[1], pairs, random) for n in (train, test)
    )
    x, x_test = standardised(x, x_test)
    return float(LogisticRegression(max_iter=2000).fit(x, y).score(x_test, y_test))


def _differences(
    codes: Array, ranks: Levels, n: int, pairs: int, random: np.random.Generator
) -> tuple[Array, Levels]:
    """For each factor `n` points: mean absolute differences (n * F, D), and the factor that was shared (n * F,)."""
    points = []
    for rank in ranks.T:
        rows = shared(rank, random, (n, pairs), least=2)
        points.append(np.abs(codes[rows] - codes[partners(rank, rows, random)]).mean(1))
    return np.concatenate(points), np.repeat(np.arange(ranks.shape[1]), n)


@score_function(best=1.0, chance=0.5)
def factorvae_score(
    latents: Array,
    factor_values: NDArray[Any],
    group: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
) -> float:
    """Accuracy of telling which factor a group of samples shares, from the latent that varies least in it.

    Variances are relative to those of all samples; a majority vote says which factor each latent stands for. 1 is
    perfect, 1 / F is chance; permuting or rescaling latents changes nothing. Constant latents are left out; if no other
    is there the score is 0.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F), at least two of which vary.
        group: Samples a group.
        train: Groups that vote.
        test: Groups that are scored.
        seed: Seed of the draws.

    Source:
        Kim, Mnih (2018), Disentangling by factorising; sizes as in Locatello et al. (2019).
    """
    codes, ranks = checked(latents, factor_values, least=2)
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] == 0:
        return 0.0
    random = np.random.default_rng(seed)
    votes, held_out = (
        _votes(codes, ranks, n // ranks.shape[1], group, random) for n in (train, test)
    )
    return float(held_out[np.arange(len(votes)), votes.argmax(1)].sum() / held_out.sum())


def _votes(codes: Array, ranks: Levels, n: int, group: int, random: np.random.Generator) -> Levels:
    """How often each latent varied least while each factor was fixed, (D, F), in `n` groups a factor."""
    table = np.zeros((codes.shape[1], ranks.shape[1]), int)
    spread = codes.var(0)
    for k, rank in enumerate(ranks.T):
        rows = np.broadcast_to(shared(rank, random, (n, 1), least=3), (n, group))
        steady = codes[partners(rank, rows, random)].var(1) / spread
        np.add.at(table[:, k], steady.argmin(1), 1)
    return table


@score_function(best=1.0)
def irs(latents: Array, factor_values: NDArray[Any], quantile: float = 0.99) -> float:
    """Interventional robustness: how little each latent moves, at worst, while its own factor is fixed, 0 to 1.

    For each latent and factor: the `quantile` of the distance from the mean among samples that share the factor's
    value, averaged over values, as a share of the greatest distance overall; one minus that for the best factor,
    averaged over latents with their greatest distances as weights. So permuting latents or rescaling them all alike
    changes nothing, but one rescaled latent weighs differently. Noise scores above 0 where its tails are heavy. Constant
    latents are left out; if no other is there the score is 0.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F).
        quantile: 1 is the paper's maximum; 0.99 is that of Locatello et al. (2019).

    Source:
        Suter, Miladinovic, Scholkopf, Bauer (2019), Robustly disentangled causal mechanisms: validating deep
        representations for interventional robustness.
    """
    codes, ranks = checked(latents, factor_values)
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] == 0:
        return 0.0
    farthest = np.abs(codes - codes.mean(0)).max(0)
    moved = np.stack([_moved(codes, rank, quantile) for rank in ranks.T], 1) / farthest[:, None]
    return float(np.average((1 - moved).max(1), weights=farthest))


def _moved(codes: Array, rank: Levels, quantile: float) -> Array:
    """Distance (D,) from the mean of samples with one value of the factor, at `quantile`, averaged over values."""
    parts = [codes[rank == value] for value in range(rank.max() + 1)]
    reach = [np.quantile(np.abs(part - part.mean(0)), quantile, axis=0) for part in parts]
    return np.asarray(np.mean(reach, axis=0))
