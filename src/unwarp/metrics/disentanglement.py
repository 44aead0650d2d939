"""Disentanglement of latents and known factors: MIG, DCI, SAP, modularity, explicitness.

`latents` are numbers (N, D) in any unit, `factor_values` the true values of known factors (N, F).
The scores use only which samples have equal values of a factor. A factor with more than 64 distinct
values counts as continuous and is divided into 20 bins of equal width. A factor that does not vary
is left out. Each score agrees with `disentanglement_lib` (Locatello et al. 2019) on fixed arrays,
except for the differences that its docstring names.
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
from unwarp.errors import ConfigError
from unwarp.metrics.levels import (
    BINS,
    Levels,
    bin_columns,
    column_information,
    mutual_information,
    prepare_codes,
)
from unwarp.metrics.probes import split_rows, standardise
from unwarp.metrics.registry import score_function
from unwarp.range_kinds import Choice

Importance = Literal["forest", "boosting"]
"""Kind of trees that measure the importance of a latent for a factor; `dci` explains both."""


def _gap(table: Array) -> Array:
    """Difference of the two largest entries of each column (D, F)."""
    ordered = np.sort(table, axis=0)
    return np.asarray(ordered[-1] - ordered[-2])


def _with_rival(codes: Array) -> Array:
    """Codes (N, D); if D is 1, a constant second latent is added, since a gap needs two."""
    return codes if codes.shape[1] > 1 else np.hstack([codes, np.zeros_like(codes)])


@score_function(best=1.0, chance=0.0)
def mig(latents: Array, factor_values: NDArray[Any], bins: int = BINS) -> float:
    """Mutual information gap (MIG) between the two most informative latents.

    `1/F sum_k (I(z_1; v_k) - I(z_2; v_k)) / H(v_k)`, with z_1 and z_2 the latents with most and
    second most information on the factor v_k. Permuted or rescaled latents score the same. A factor
    on which two latents have equal information adds 0.

    Args:
        latents: Codes (N, D); a single latent is compared with a constant.
        factor_values: Known factors (N, F).
        bins: Number of equal-width bins of each latent.

    Returns:
        0 to 1. 1 if each factor is determined by one latent and independent of all others; about 0
        on noise.

    Raises:
        DataError: The arrays are not finite tables with equal numbers of rows, or no factor varies.

    Source:
        Chen, Li, Grosse, Duvenaud (2018), Isolating sources of disentanglement in variational
        autoencoders. Bins as in Locatello et al. (2019).
    """
    codes, levels = prepare_codes(latents, factor_values)
    information = mutual_information(bin_columns(_with_rival(codes), bins), levels)
    return float(np.mean(_gap(information) / [column_information(v, v) for v in levels.T]))


@score_function(best=1.0)
def modularity(latents: Array, factor_values: NDArray[Any], bins: int = BINS) -> float:
    """Modularity: each latent carries information on at most one factor.

    `1/D sum_i (1 - sum_{k != k*} m_ik^2 / ((F - 1) m_ik*^2))`, with m_ik = I(z_i; v_k) and k* the
    factor on which latent i has most information. A factor may be spread over many latents. Noise
    can score high, since only the relative information of a latent on the factors matters.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F); two or more must vary.
        bins: Number of equal-width bins of each latent.

    Returns:
        0 to 1; latents without any information count as 0.

    Raises:
        DataError: As for `mig`, or fewer than two factors vary.

    Source:
        Ridgeway, Mozer (2018), Learning deep disentangled embeddings with the F-statistic loss.
    """
    codes, levels = prepare_codes(latents, factor_values, min_factors=2)
    squared = np.square(mutual_information(bin_columns(codes, bins), levels))
    best = squared.max(1)
    remainder = (squared.sum(1) - best) / (squared.shape[1] - 1)
    return float(
        np.mean(
            [1 - rest / top if top > 0 else 0.0 for rest, top in zip(remainder, best, strict=True)]
        )
    )


@score_function(best=1.0, chance=0.5)
def explicitness(latents: Array, factor_values: NDArray[Any], seed: int = 0) -> float:
    """Explicitness: area under the ROC curve of a logistic regression.

    The regression of each factor on all standardised latents is fitted to two thirds of the
    samples. On the other third, the area of one value against all other values is averaged over
    values, then over factors. The paper rescales the mean area to `2 area - 1`; this score does
    not.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F).
        seed: Seed of the split.

    Returns:
        0.5 (chance) to 1 (a linear classifier recognises each value).

    Raises:
        DataError: As for `mig`.

    Source:
        Ridgeway, Mozer (2018), Learning deep disentangled embeddings with the F-statistic loss.
    """
    codes, levels = prepare_codes(latents, factor_values)
    return float(np.mean([_roc_area(codes, column, seed) for column in levels.T]))


def _roc_area(codes: Array, levels: Levels, seed: int) -> float:
    """Mean area under the ROC curves of the values of one factor (N,)."""
    fit, held_out = split_rows(len(codes), seed)
    train, test = standardise(codes[fit], codes[held_out])
    probe = LogisticRegression(max_iter=2000).fit(train, levels[fit])
    probabilities = zip(probe.classes_, probe.predict_proba(test).T, strict=True)
    # if no held-out sample or all of them have a value, it has no curve and is left out
    areas = [
        roc_auc_score(hit, p)
        for value, p in probabilities
        if (hit := levels[held_out] == value).any() and not hit.all()
    ]
    return float(np.mean(areas))


@score_function(chance=0.0)
def sap(
    latents: Array, factor_values: NDArray[Any], continuous: bool = False, seed: int = 0
) -> float:
    """Separated attribute predictability (SAP) gap between the two best latents.

    Each latent is scored for each factor: a linear support vector machine classifies the factor's
    value from this latent (standardised), and the score is its held-out accuracy. The gap of a
    factor is the difference of its two best latents; the result is the mean over factors. Factors
    with many values keep even a perfect code well below 1, since a linear classifier on one latent
    cannot separate the values in the middle.

    Args:
        latents: Codes (N, D); a single latent is compared with a constant.
        factor_values: Known factors (N, F).
        continuous: Whether to score by the squared correlation instead of the accuracy, for factors
            with ordered values.
        seed: Seed of the split into two thirds for training and one third for testing.

    Returns:
        0 to 1; about 0 on noise.

    Raises:
        DataError: As for `mig`.

    Source:
        Kumar, Sattigeri, Balakrishnan (2018), Variational inference of disentangled latent
        concepts from unlabeled observations. Classifier as in Locatello et al. (2019), who do not
        standardise.
    """
    codes, levels = prepare_codes(latents, factor_values)
    codes = _with_rival(codes)
    if continuous:
        table = np.array([[_squared_correlation(z, v) for v in levels.T] for z in codes.T])
    else:
        table = np.array([[_accuracy(z[:, None], v, seed) for v in levels.T] for z in codes.T])
    return float(_gap(table).mean())


def _squared_correlation(a: Array, b: Levels) -> float:
    """Squared correlation of two columns (N,); 0 if one is constant."""
    a, b = a - a.mean(), b - b.mean()
    scale = float((a @ a) * (b @ b))
    return float((a @ b) ** 2) / scale if scale > 0 else 0.0


def _accuracy(code: Array, levels: Levels, seed: int) -> float:
    """Held-out accuracy of a linear classifier of a factor (N,) on one latent (N, 1)."""
    fit, held_out = split_rows(len(code), seed)
    train, test = standardise(code[fit], code[held_out])
    machine = LinearSVC(C=0.01, class_weight="balanced", random_state=seed).fit(train, levels[fit])
    return float(machine.score(test, levels[held_out]))


@score_function(
    best=1.0,
    chance={"dci_disentanglement": 0.0, "dci_completeness": 0.0, "dci_informativeness": 0.5},
)
def dci(
    latents: Array, factor_values: NDArray[Any], importance: Importance = "forest", seed: int = 0
) -> dict[str, float]:
    """Disentanglement, completeness and informativeness (DCI) of latents.

    Trees that predict each factor from all latents are fitted to two thirds of the samples. Their
    feature importances R (D, F) say how much each latent matters for each factor. Disentanglement
    is high if each latent matters for one factor, completeness if each factor needs one latent (see
    `importance_scores`). Informativeness is the accuracy on the other third of the samples, mean
    over factors; the paper has an error instead. Chance is the frequency of the most common value.

    Args:
        latents: Codes (N, D).
        factor_values: Known factors (N, F); two or more must vary.
        importance: `forest`, the default for speed: ten trees on all latents with at least 1 % of
            the samples in each leaf, so that noise gathers no importance. `boosting`: gradient
            boosted trees as in Locatello et al. (2019), tens of times slower, for comparison with
            published numbers.
        seed: Seed of the split and of the trees.

    Returns:
        `dci_disentanglement`, `dci_completeness`, `dci_informativeness`, each 0 to 1; 1 is best.

    Raises:
        ConfigError: `importance` is unknown.
        DataError: As for `mig`, or fewer than two factors vary.

    Source:
        Eastwood, Williams (2018), A framework for the quantitative evaluation of disentangled
        representations.
    """
    if not Choice(("forest", "boosting")).allows(importance):
        raise ConfigError(f"importance={importance!r} is unknown; choose 'forest' or 'boosting'")
    codes, levels = prepare_codes(latents, factor_values, min_factors=2)
    fit, held_out = split_rows(len(codes), seed)
    models = [_trees(importance, seed).fit(codes[fit], column[fit]) for column in levels.T]
    table = np.stack([model.feature_importances_ for model in models], 1)
    accuracies = [
        model.score(codes[held_out], column[held_out])
        for model, column in zip(models, levels.T, strict=True)
    ]
    disentanglement, completeness = importance_scores(table)
    return {
        "dci_disentanglement": disentanglement,
        "dci_completeness": completeness,
        "dci_informativeness": float(np.mean(accuracies)),
    }


def _trees(importance: Importance, seed: int) -> Any:
    """A classifier of the kind `importance`, not yet fitted."""
    if importance == "boosting":
        return GradientBoostingClassifier(random_state=seed)
    return RandomForestClassifier(10, max_features=None, min_samples_leaf=0.01, random_state=seed)


def importance_scores(table: Array) -> tuple[float, float]:
    """Disentanglement and completeness of a table of importances.

    Disentanglement is `sum_i rho_i (1 - H_F(R_i / sum_k R_ik))`, with H_F the entropy to the base F
    and rho_i the share of row i in the sum of all importances. Completeness is the same for the
    transposed table.

    Args:
        table: Importance of each latent for each factor (D, F), 0 or more.

    Returns:
        Disentanglement and completeness, 0 to 1. Disentanglement is 1 if there is one factor, and
        completeness is 1 if there is one latent. Otherwise both are 0 if all importances are 0.

    >>> importance_scores(np.eye(2))
    (1.0, 1.0)
    """
    return _concentration(table), _concentration(table.T)


def _concentration(table: Array) -> float:
    """Mean over rows of 1 - entropy to the base F, weighted by the row's share of the total."""
    total = table.sum(1)
    if table.shape[1] == 1 or total.sum() == 0:
        return float(table.shape[1] == 1)
    is_used = total > 0  # a row without importance has no distribution
    spread = entropy(table[is_used], axis=1, base=table.shape[1])
    return float((1 - spread) @ total[is_used] / total.sum())
