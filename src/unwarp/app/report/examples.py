"""Samples of a report: a few examples, or an overview of many.

Examples are held-out samples that are shown side by side. The overview is the larger set of samples
for figures of the latent space and of clusters: the held-out samples or, if they are few, all
samples.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unwarp.analysis.embedding import Embedding, embed
from unwarp.app.outcome import Outcome, ScoredModel
from unwarp.core import Array, Labels

MAX_EXAMPLES = 10
"""Greatest number of held-out samples that are shown side by side as examples."""

MIN_HELD_OUT_FOR_OVERVIEW = 30
"""Held-out samples that suffice for an overview; if there are fewer, training samples are added."""


def held_out_samples(outcome: Outcome) -> Tensor:
    """The held-out samples (N, *shape), scaled for the model."""
    return outcome.test.x


def example_rows(labels: Array | None, n: int, max_examples: int = MAX_EXAMPLES) -> Array:
    """Rows of examples, in ascending order and spread over the classes.

    One sample of each class is chosen in turn, so that a rare class has an example, too.

    Args:
        labels: Classes (n,); None if unknown, for evenly spaced rows.
        n: Number of samples to choose from.
        max_examples: Greatest number of examples.

    Returns:
        Rows of at most `max_examples` samples, from 0 to n - 1.

    >>> example_rows(np.array([0, 0, 0, 0, 1]), 5, 3)
    array([0, 1, 4])
    """
    if labels is None:
        return np.linspace(0, n - 1, min(n, max_examples)).astype(int)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turns = [rows[i] for i in range(max_examples) for rows in classes if i < len(rows)]
    return np.sort(np.array(turns[:max_examples]))


def has_overview_of_held_out(outcome: Outcome) -> bool:
    """Whether the overview consists of held-out samples only, without training samples.

    It does if there are at least `MIN_HELD_OUT_FOR_OVERVIEW` held-out samples. It also does if the
    data set has a function `draw`, which makes a new random observation of each original in every
    training step: such originals are not deformed and cannot be compared with the held-out
    observations.
    """
    return len(outcome.test) >= MIN_HELD_OUT_FOR_OVERVIEW or outcome.training.draw is not None


def overview_samples(outcome: Outcome) -> Tensor:
    """The samples of the overview (N, *shape), scaled for the model.

    If the overview includes training samples, they come before the held-out samples.
    """
    parts = [outcome.test.x]
    if not has_overview_of_held_out(outcome):
        parts = [outcome.training.x, outcome.test.x]
    return torch.cat(parts)


def overview_embedding(model: ScoredModel, outcome: Outcome) -> Embedding:
    """The embedding of the overview by one of the two models.

    Args:
        model: The model, with its embedding of the held-out samples.
        outcome: The run of the model.

    Returns:
        Codes, templates and deformations of N samples, in the order of `overview_samples`.
    """
    if has_overview_of_held_out(outcome):
        return model.embedding
    return embed(model.unwarper.model_, overview_samples(outcome))


def overview_clusters(outcome: Outcome) -> Array:
    """The clusters (N,) of `overview_samples`, as `predict` gives them.

    Args:
        outcome: The run.
    """
    unwarper = outcome.warped.unwarper
    return unwarper.clusters_.assign(unwarper.model_, overview_samples(outcome))


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
        noun: Word for the samples, in the plural, such as `series`.
    """
    if has_overview_of_held_out(outcome):
        return f"held-out {noun}"
    return f"all {outcome.n_training + len(outcome.test)} {noun}, since few are held out"


def held_out_clusters(outcome: Outcome) -> Array:
    """The clusters (N,) of held-out samples, as `predict` gives them.

    Args:
        outcome: The run.
    """
    unwarper = outcome.warped.unwarper
    return unwarper.clusters_.assign(unwarper.model_, outcome.test.x)


def nearest_to_mean(codes: Array) -> int:
    """The row of the code that is nearest to the mean code.

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
        Coordinate of each code along the component (N,), with mean 0. The direction is chosen such
        that its coefficient of the greatest absolute value is positive.

    >>> first_component(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 6.0]])).round(6).tolist()
    [-2.0, -1.0, 3.0]
    """
    centred = codes - codes.mean(0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.asarray(centred @ direction * np.sign(direction[np.abs(direction).argmax()]))
