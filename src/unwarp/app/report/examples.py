"""Samples of a report: a few examples, or an overview of many."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from unwarp.analysis.embedding import Embedding, embed
from unwarp.app.outcome import Outcome, Trial
from unwarp.core import Array, Labels

MAX_EXAMPLES = 14
"""Held-out samples that are shown side by side as examples."""

MIN_HELD_OUT_FOR_OVERVIEW = 30
"""Held-out samples that are enough for an overview; with fewer, training samples are added."""


def held_out_samples(outcome: Outcome) -> Tensor:
    """The held-out samples (N, *shape), scaled as the model takes them."""
    return outcome.test.x


def example_rows(labels: Array | None, n: int, max_examples: int = MAX_EXAMPLES) -> Array:
    """Rows of examples, in rising order and spread over the classes.

    Classes take turns, so that a rare class has an example too.

    Args:
        labels: Classes (n,); None if unknown: then rows are evenly spaced.
        n: Number of samples to choose from.
        max_examples: Greatest number of examples.

    Returns:
        Positions of at most `max_examples` samples.

    >>> example_rows(np.array([0, 0, 0, 0, 1]), 5, 3)
    array([0, 1, 4])
    """
    if labels is None:
        return np.linspace(0, n - 1, min(n, max_examples)).astype(int)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turns = [rows[i] for i in range(max_examples) for rows in classes if i < len(rows)]
    return np.sort(np.array(turns[:max_examples]))


def has_overview_of_held_out(outcome: Outcome) -> bool:
    """Whether the overview consists of held-out samples alone.

    It does if these are at least `MIN_HELD_OUT_FOR_OVERVIEW`. It also does for data sets that draw
    new observations in each training step: their training part holds clean originals, which
    would not compare with the observations.
    """
    return len(outcome.test) >= MIN_HELD_OUT_FOR_OVERVIEW or outcome.training.draw is not None


def overview_samples(outcome: Outcome) -> Tensor:
    """The samples of the overview (N, *shape), scaled for the model.

    Training samples, if any, come before the held-out ones.
    """
    parts = [outcome.test.x]
    if not has_overview_of_held_out(outcome):
        parts = [outcome.training.x, outcome.test.x]
    return torch.cat(parts)


def overview_embedding(trial: Trial, outcome: Outcome) -> Embedding:
    """The embedding of the overview by one of the two models.

    Args:
        trial: The model, with its embedding of the held-out samples.
        outcome: The run of the model.

    Returns:
        Codes, templates and deformations of N samples, in the order of `overview_samples`.
    """
    if has_overview_of_held_out(outcome):
        return trial.embedding
    return embed(trial.unwarper.model_, overview_samples(outcome))


def overview_labels(outcome: Outcome) -> Labels | None:
    """The classes (N,) of `overview_samples`, in their order; None if unknown."""
    training, test = outcome.training.labels, outcome.test.labels
    if test is None or has_overview_of_held_out(outcome) or training is None:
        return test
    return np.concatenate([training, test])


def describe_overview(outcome: Outcome, noun: str) -> str:
    """A phrase for the samples of the overview, such as `held-out series`.

    Args:
        outcome: The run.
        noun: Word for samples in the plural.
    """
    if has_overview_of_held_out(outcome):
        return f"held-out {noun}"
    return f"all {len(outcome.training) + len(outcome.test)} {noun}, since few are held out"


def nearest_clusters(codes: Array, centres: Array) -> Array:
    """The cluster of each code: the one with the nearest centre.

    Args:
        codes: Content codes (N, D).
        centres: Centres of the clusters (K, D).

    Returns:
        Rows of `centres` (N,), from 0 to K - 1.
    """
    return np.asarray(pairwise_distances_argmin(codes, centres))


def nearest_to_mean(codes: Array) -> int:
    """The row of the code nearest to the mean code.

    Args:
        codes: Content codes (N, D).

    >>> nearest_to_mean(np.array([[-3.0], [0.4], [2.0]]))
    1
    """
    return int(np.linalg.norm(codes - codes.mean(0), axis=1).argmin())


def first_component(codes: Array) -> Array:
    """The first principal component of codes.

    Args:
        codes: Content codes (N, D).

    Returns:
        Score of each code (N,), with mean 0. The sign makes the largest coefficient positive.

    >>> first_component(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 6.0]])).round(6).tolist()
    [-2.0, -1.0, 3.0]
    """
    centred = codes - codes.mean(0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.asarray(centred @ direction * np.sign(direction[np.abs(direction).argmax()]))
