"""Latents under interventions on one factor: BetaVAE score, FactorVAE score, robustness (IRS).

The papers generate new samples with a fixed value of one factor. Here, groups of samples with the
same value of a factor are drawn at random from the arrays. `latents` and `factor_values` are as in
`unwarp.metrics.disentanglement`. The levels of a factor are its values, numbered from 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from unwarp.core import Array
from unwarp.errors import DataError
from unwarp.metrics.levels import Levels, prepare_codes
from unwarp.metrics.probes import standardise
from unwarp.metrics.registry import score_function


def draw_shared_rows(
    levels: Levels, generator: np.random.Generator, shape: tuple[int, int], min_count: int
) -> Levels:
    """Random rows of samples that share a factor's value with others.

    Args:
        levels: Levels of one factor (N,).
        generator: Source of the draws.
        shape: Shape of the result (n, k).
        min_count: Smallest number of samples with the same value, the drawn sample included.

    Returns:
        Row numbers (n, k), drawn with replacement.

    Raises:
        DataError: No value has `min_count` samples.
    """
    rows = np.flatnonzero(np.bincount(levels)[levels] >= min_count)
    if len(rows) == 0:
        raise DataError(
            f"no value of the factor is shared by {min_count} samples; give more samples, or "
            "factor_values with fewer distinct values"
        )
    return generator.choice(rows, shape)


def draw_partners(levels: Levels, rows: Levels, generator: np.random.Generator) -> Levels:
    """For each row, another row with the same value of a factor.

    Args:
        levels: Levels of one factor (N,).
        rows: Row numbers of any shape; the value of each must have two samples or more.
        generator: Source of the draws.

    Returns:
        Row numbers of the same shape, drawn uniformly among the other samples with the value.
    """
    # sorted by value, the samples of a value form a run: the partner is 1 to size - 1 steps further
    # in the run, and after its end the run starts again
    order = np.argsort(levels, kind="stable")
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    count = np.bincount(levels)
    first = np.cumsum(count) - count
    size, start = count[levels[rows]], first[levels[rows]]
    step = 1 + np.floor(generator.random(rows.shape) * (size - 1)).astype(int)
    return np.asarray(order[start + (position[rows] - start + step) % size])


@score_function(best=1.0, chance=0.5)
def betavae_score(
    latents: Array,
    factor_values: NDArray[Any],
    n_pairs: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    seed: int = 0,
) -> float:
    """BetaVAE score: accuracy of a classifier of the factor that pairs share.

    One factor is chosen, and pairs of samples with the same value of this factor are drawn. The
    mean absolute difference of the latents over the pairs is one point (D,). A logistic regression
    predicts the factor from the point. Differences are standardised, so that rescaled latents score
    the same. The score is lenient: rotated latents can also have 1.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F); two or more must vary.
        n_pairs: Number of pairs for each point.
        n_train: Number of points to which the classifier is fitted, the same for each factor.
        n_test: Number of points on which it is scored, the same for each factor.
        seed: Seed of the draws.

    Returns:
        1 / F (chance) to 1.

    Raises:
        DataError: As for `mig`; or fewer than two factors vary, or all values of a factor are
            distinct.

    Source:
        Higgins et al. (2017), beta-VAE: learning basic visual concepts with a constrained
        variational framework. Logistic regression and sizes as in Locatello et al. (2019).
    """
    codes, levels = prepare_codes(latents, factor_values, min_factors=2)
    generator = np.random.default_rng(seed)
    (x, y), (x_test, y_test) = (
        _differences(codes, levels, n // levels.shape[1], n_pairs, generator)
        for n in (n_train, n_test)
    )
    x, x_test = standardise(x, x_test)
    return float(LogisticRegression(max_iter=2000).fit(x, y).score(x_test, y_test))


def _differences(
    codes: Array, levels: Levels, n: int, n_pairs: int, generator: np.random.Generator
) -> tuple[Array, Levels]:
    """Points (n * F, D), `n` for each factor, and the number of their factor (n * F,)."""
    points = []
    for column in levels.T:
        rows = draw_shared_rows(column, generator, (n, n_pairs), min_count=2)
        partners = draw_partners(column, rows, generator)
        points.append(np.abs(codes[rows] - codes[partners]).mean(1))
    return np.concatenate(points), np.repeat(np.arange(levels.shape[1]), n)


@score_function(best=1.0, chance=0.5)
def factorvae_score(
    latents: Array,
    factor_values: NDArray[Any],
    group_size: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    seed: int = 0,
) -> float:
    """FactorVAE score: accuracy of a majority vote of the steadiest latent.

    A group is a set of samples with the same value of one factor. The group votes for the latent
    with the smallest variance in the group, relative to its variance over all samples. Each latent
    predicts the factor from which it has most votes of training groups. The score is the share of
    test groups with a vote for a latent that predicts their factor. Permuted or rescaled latents
    score the same. Constant latents are left out.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F); two or more must vary.
        group_size: Number of samples in each group.
        n_train: Number of training groups, the same for each factor.
        n_test: Number of test groups, the same for each factor.
        seed: Seed of the draws.

    Returns:
        1 / F (chance) to 1; 0 if all latents are constant.

    Raises:
        DataError: As for `mig`; or fewer than two factors vary, or a factor has no value that three
            samples share.

    Source:
        Kim, Mnih (2018), Disentangling by factorising. Sizes as in Locatello et al. (2019).
    """
    codes, levels = prepare_codes(latents, factor_values, min_factors=2)
    # a constant latent has relative variance 0 / 0
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] == 0:
        return 0.0
    generator = np.random.default_rng(seed)
    votes, held_out = (
        _votes(codes, levels, n // levels.shape[1], group_size, generator)
        for n in (n_train, n_test)
    )
    return float(held_out[np.arange(len(votes)), votes.argmax(1)].sum() / held_out.sum())


def _votes(
    codes: Array, levels: Levels, n: int, group_size: int, generator: np.random.Generator
) -> Levels:
    """Number of votes for each latent (D, F) from `n` groups of each factor."""
    table = np.zeros((codes.shape[1], levels.shape[1]), int)
    variance = codes.var(0)
    for k, column in enumerate(levels.T):
        first = draw_shared_rows(column, generator, (n, 1), min_count=3)
        rows = np.broadcast_to(first, (n, group_size))
        relative_variance = codes[draw_partners(column, rows, generator)].var(1) / variance
        np.add.at(table[:, k], relative_variance.argmin(1), 1)
    return table


@score_function(best=1.0)
def irs(latents: Array, factor_values: NDArray[Any], quantile: float = 0.99) -> float:
    """Interventional robustness score (IRS) of each latent's best factor.

    Among samples with the same value of a factor, take the distances of a latent from its mean, and
    of these the `quantile`. Its mean over values is divided by the largest distance of the latent
    from its mean over all samples. One minus this share is the robustness of the latent for the
    factor. The score is the robustness for the best factor, averaged over latents with the largest
    distances as weights. A permutation of the latents, or a common scale, does not change it; the
    scale of one latent changes its weight. Heavy-tailed noise scores above 0. Constant latents are
    left out.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F).
        quantile: Quantile of the distances, 0 to 1. The paper uses the maximum, 1; Locatello et al.
            (2019) use 0.99.

    Returns:
        0 to 1; 1 if each latent is constant whenever its best factor is; 0 if all latents are
        constant.

    Raises:
        DataError: As for `mig`.

    Source:
        Suter, Miladinovic, Scholkopf, Bauer (2019), Robustly disentangled causal mechanisms:
        validating deep representations for interventional robustness.
    """
    codes, levels = prepare_codes(latents, factor_values)
    codes = codes[:, np.ptp(codes, axis=0) > 0]
    if codes.shape[1] == 0:
        return 0.0
    largest = np.abs(codes - codes.mean(0)).max(0)
    deviations = [_mean_deviation(codes, column, quantile) for column in levels.T]
    shares = np.stack(deviations, 1) / largest[:, None]
    return float(np.average((1 - shares).max(1), weights=largest))


def _mean_deviation(codes: Array, levels: Levels, quantile: float) -> Array:
    """Quantile of the distances from the mean of samples with one value, mean over values (D,)."""
    parts = [codes[levels == value] for value in range(levels.max() + 1)]
    distances = [np.quantile(np.abs(part - part.mean(0)), quantile, axis=0) for part in parts]
    return np.asarray(np.mean(distances, axis=0))
