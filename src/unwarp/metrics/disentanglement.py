"""Whether each latent stands for one known factor, and each factor in one latent: MIG, DCI, SAP, modularity, explicitness.

`latents` are (N, D) numbers of any unit. `factor_values` are (N, F) known values of the factors; what counts is only which
samples share a value. A factor with more than 64 distinct values is taken as continuous and cut into 20 bins of equal width, and
one that never varies is left out.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.svm import LinearSVC

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.registry import score_function

Levels = NDArray[np.integer]
Importance = Literal["forest", "boosting"]

MOST_LEVELS = 64
BINS = 20


def levels(factor_values: NDArray[Any], bins: int = BINS) -> Levels:
    """Which value each sample has: ranks 0, 1, ... of the values of every factor that varies.

    Args:
        factor_values: Known factors (N, F), whole numbers or real ones.
        bins: Number of equal-width bins for a factor of more than 64 distinct values.

    Returns:
        Ranks (N, F'), F' <= F: factors of a single value are left out.

    Raises:
        DataError: If the array is not (N, F) or not finite.
    """
    values = np.asarray(factor_values)
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise DataError(
            f"factor_values must be finite numbers (N, F), got {values.dtype} {values.shape}; pass one column each"
        )
    ranks = [np.unique(column, return_inverse=True)[1] for column in values.T]
    cut = [
        np.unique(binned(column[:, None], bins)[:, 0], return_inverse=True)[1]
        if rank.max() >= MOST_LEVELS
        else rank
        for rank, column in zip(ranks, values.T, strict=True)
    ]
    varying = [rank for rank in cut if rank.max() > 0]
    return np.stack(varying, 1) if varying else np.empty((len(values), 0), int)


def checked(latents: Array, factor_values: NDArray[Any], least: int = 1) -> tuple[Array, Levels]:
    """Latents (N, D) in float64 and the levels of at least `least` factors that vary, or a `DataError`."""
    codes = np.asarray(latents, float)
    if codes.ndim != 2 or codes.size == 0 or not np.isfinite(codes).all():
        raise DataError(
            f"latents must be finite numbers (N, D) with D >= 1, got shape {codes.shape}; flatten what is deeper"
        )
    ranks = levels(factor_values)
    if len(ranks) != len(codes):
        raise DataError(
            f"latents have {len(codes)} rows, factor_values {len(ranks)}; give one row a sample in both"
        )
    if ranks.shape[1] < least:
        raise DataError(
            f"factor_values has {ranks.shape[1]} columns that vary, this measure needs {least} or more"
        )
    return codes, ranks


def binned(latents: Array, bins: int = BINS) -> Levels:
    """Which of `bins` equal-width bins between its extremes each number of (N, D) falls in, column by column."""
    edges = (np.histogram_bin_edges(column, bins)[:-1] for column in latents.T)
    return np.stack([np.digitize(column, e) for column, e in zip(latents.T, edges, strict=True)], 1)


def mutual_information(a: Levels, b: Levels) -> Array:
    """Mutual information in nats between each column of `a` (N, D) and each of `b` (N, F), from counts, as (D, F)."""
    return np.array([[_information(left, right) for right in b.T] for left in a.T])


def _information(a: Levels, b: Levels) -> float:
    counts = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(counts, (a, b), 1)
    expected = counts.sum(1, keepdims=True) * counts.sum(0)
    seen = counts > 0
    return float(counts[seen] @ np.log(counts[seen] * len(a) / expected[seen])) / len(a)


def standardised(train: Array, test: Array) -> tuple[Array, Array]:
    """Both arrays with the mean and standard deviation of the training columns taken out; constants become zero."""
    mean, spread = train.mean(0), train.std(0)
    spread = np.where(spread > 1e-12 * np.abs(train).max(0, initial=1e-300), spread, np.inf)
    return (train - mean) / spread, (test - mean) / spread


def split(n: int, seed: int) -> tuple[Levels, Levels]:
    """Rows of a training part, two thirds, and of a test part."""
    order = np.random.default_rng(seed).permutation(n)
    return order[: 2 * n // 3], order[2 * n // 3 :]


def _gap(table: Array) -> Array:
    """Difference of the two largest entries of each column (D, F)."""
    ordered = np.sort(table, axis=0)
    return np.asarray(ordered[-1] - ordered[-2])


def _with_rival(codes: Array) -> Array:
    """A single latent is compared with a constant one, for there is no second best."""
    return codes if codes.shape[1] > 1 else np.hstack([codes, np.zeros_like(codes)])


@score_function(best=1.0, chance=0.0)
def mig(latents: Array, factor_values: NDArray[Any], bins: int = BINS) -> float:
    """Mutual information gap: how much more the best latent knows of a factor than the second best, 0 to 1.

    In shares of the factor's entropy, averaged over factors. Latents are cut into `bins` of equal width, as in
    Locatello et al. (2019). Permuting or rescaling latents changes nothing.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F).
        bins: Number of bins of each latent.

    Source:
        Chen, Li, Grosse, Duvenaud (2018), Isolating sources of disentanglement in variational autoencoders.
    """
    codes, ranks = checked(latents, factor_values)
    information = mutual_information(binned(_with_rival(codes), bins), ranks)
    return float(np.mean(_gap(information) / [_information(rank, rank) for rank in ranks.T]))


@score_function(best=1.0)
def modularity(latents: Array, factor_values: NDArray[Any], bins: int = BINS) -> float:
    """Whether each latent knows of one factor at most, 0 to 1; one factor spread over many latents is not punished.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F), at least two of which vary.
        bins: Number of equal-width bins of each latent.

    Source:
        Ridgeway, Mozer (2018), Learning deep disentangled embeddings with the F-statistic loss.
    """
    codes, ranks = checked(latents, factor_values, least=2)
    squared = np.square(mutual_information(binned(codes, bins), ranks))
    best = squared.max(1)
    others = (squared.sum(1) - best) / (squared.shape[1] - 1)
    return float(
        np.mean(
            [1 - rest / top if top > 0 else 0.0 for rest, top in zip(others, best, strict=True)]
        )
    )


@score_function(best=1.0, chance=0.5)
def explicitness(latents: Array, factor_values: NDArray[Any], seed: int = 0) -> float:
    """How well a logistic regression reads every value of every factor from all latents: area under the ROC curve.

    One value against the rest, averaged over values, then over factors, on a third of the samples held out; 1 is
    perfect, 0.5 is chance (the paper's number is not rescaled here). Latents are standardised.

    Source:
        Ridgeway, Mozer (2018), Learning deep disentangled embeddings with the F-statistic loss.
    """
    codes, ranks = checked(latents, factor_values)
    return float(np.mean([_area(codes, rank, seed) for rank in ranks.T]))


def _area(codes: Array, rank: Levels, seed: int) -> float:
    fit, held_out = split(len(codes), seed)
    train, test = standardised(codes[fit], codes[held_out])
    probe = LogisticRegression(max_iter=2000).fit(train, rank[fit])
    seen = zip(probe.classes_, probe.predict_proba(test).T, strict=True)
    areas = [
        roc_auc_score(hit, p)
        for value, p in seen
        if (hit := rank[held_out] == value).any() and not hit.all()
    ]
    return float(np.mean(areas))


@score_function(chance=0.0)
def sap(
    latents: Array, factor_values: NDArray[Any], continuous: bool = False, seed: int = 0
) -> float:
    """Separated attribute predictability: how much better the best single latent predicts a factor than the second.

    A linear support vector machine on one standardised latent classifies the factor's value; the score of a latent is
    its accuracy on a third of the samples held out. 0 to 1; a perfect code of many-valued factors stays well below 1,
    since a line through one number cannot tell the values in its middle.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F).
        continuous: Score by squared correlation instead, for factors whose values are ordered.
        seed: Seed of the split.

    Source:
        Kumar, Sattigeri, Balakrishnan (2018), Variational inference of disentangled latent concepts from unlabeled
        observations. Classifier as in Locatello et al. (2019), who do not standardise.
    """
    codes, ranks = checked(latents, factor_values)
    codes = _with_rival(codes)
    if continuous:
        table = np.array([[_squared_correlation(z, rank) for rank in ranks.T] for z in codes.T])
    else:
        table = np.array([[_accuracy(z[:, None], rank, seed) for rank in ranks.T] for z in codes.T])
    return float(_gap(table).mean())


def _squared_correlation(a: Array, b: Levels) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float((a @ a) * (b @ b))
    return float((a @ b) ** 2) / scale if scale > 0 else 0.0


def _accuracy(code: Array, rank: Levels, seed: int) -> float:
    fit, held_out = split(len(code), seed)
    train, test = standardised(code[fit], code[held_out])
    machine = LinearSVC(C=0.01, class_weight="balanced", random_state=seed).fit(train, rank[fit])
    return float(machine.score(test, rank[held_out]))


@score_function(
    best=1.0,
    chance={"dci_disentanglement": 0.0, "dci_completeness": 0.0, "dci_informativeness": 0.5},
)
def dci(
    latents: Array, factor_values: NDArray[Any], importance: Importance = "forest", seed: int = 0
) -> dict[str, float]:
    """Disentanglement, completeness and informativeness, each 1 at best.

    Trees predict each factor from all latents on two thirds of the samples; a table (D, F) says how important each
    latent is for each factor. Disentanglement: each latent matters for one factor; completeness: each factor needs one
    latent (see `importance_scores`). Informativeness is the accuracy on the held-out third, chance by its frequency.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F), at least two of which vary.
        importance: `forest`, the default for speed: ten trees on all latents with at least 1 % of the samples in each
            leaf, which keeps noise from gathering importance. `boosting`: gradient boosted trees as in Locatello et al.
            (2019), tens of times slower, for numbers to be compared with theirs.
        seed: Seed of the split and of the trees.

    Returns:
        `dci_disentanglement`, `dci_completeness`, `dci_informativeness`.

    Source:
        Eastwood, Williams (2018), A framework for the quantitative evaluation of disentangled representations.
    """
    if importance not in ("forest", "boosting"):
        raise ConfigError(f"importance must be 'forest' or 'boosting', got {importance!r}")
    codes, ranks = checked(latents, factor_values, least=2)
    fit, held_out = split(len(codes), seed)
    models = [_trees(importance, seed).fit(codes[fit], rank[fit]) for rank in ranks.T]
    table = np.stack([model.feature_importances_ for model in models], 1)
    accuracies = [
        model.score(codes[held_out], rank[held_out])
        for model, rank in zip(models, ranks.T, strict=True)
    ]
    disentanglement, completeness = importance_scores(table)
    return {
        "dci_disentanglement": disentanglement,
        "dci_completeness": completeness,
        "dci_informativeness": float(np.mean(accuracies)),
    }


def _trees(importance: Importance, seed: int) -> Any:
    if importance == "boosting":
        return GradientBoostingClassifier(random_state=seed)
    return RandomForestClassifier(10, max_features=None, min_samples_leaf=0.01, random_state=seed)


def importance_scores(table: Array) -> tuple[float, float]:
    """Disentanglement and completeness of importances (D, F), not negative, D and F at least 2 for a score below 1.

    One minus the entropy of each row (column) in units of its greatest, weighted by the row's (column's) share of all.
    """
    return _concentration(table), _concentration(table.T)


def _concentration(table: Array) -> float:
    total = table.sum(1)
    if table.shape[1] == 1 or total.sum() == 0:
        return float(table.shape[1] == 1)
    used = total > 0
    spread = entropy(table[used], axis=1, base=table.shape[1])
    return float((1 - spread) @ total[used] / total.sum())
