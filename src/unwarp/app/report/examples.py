"""Samples that a report shows: a few examples, or an overview of many."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from unwarp.analysis.embedding import Embedding, embed
from unwarp.app.outcome import Outcome, Trial
from unwarp.core import Array, Labels

MAX_EXAMPLES = 14
"""Held-out samples that stand side by side as examples."""

MIN_HELD_OUT_FOR_OVERVIEW = 30
"""Held-out samples that suffice for an overview; with fewer, training samples join them."""


def held_out_samples(outcome: Outcome) -> Tensor:
    """The held-out samples (N, *shape), scaled as the model takes them."""
    return outcome.test.x


def example_rows(labels: Array | None, n: int, most: int = MAX_EXAMPLES) -> Array:
    """Rows of examples in rising order, spread over the classes.

    Args:
        labels: Classes (n,); None where they are unknown: rows are then spread evenly.
        n: Samples to choose from.
        most: Rows at most.

    Returns:
        Positions of the examples, at most `most`.
    """
    if labels is None:
        return np.linspace(0, n - 1, min(n, most)).astype(int)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turns = [members[i] for i in range(most) for members in classes if i < len(members)]
    return np.sort(np.array(turns[:most]))


def has_overview_of_held_out(outcome: Outcome) -> bool:
    """Whether held-out samples alone make the overview, being enough."""
    return len(outcome.test) >= MIN_HELD_OUT_FOR_OVERVIEW or outcome.training.draw is not None


def overview_samples(outcome: Outcome) -> Tensor:
    """The samples of the overview (N, *shape), scaled for the model."""
    parts = [outcome.test.x]
    if not has_overview_of_held_out(outcome):
        parts = [outcome.training.x, outcome.test.x]
    return torch.cat(parts)


def overview_embedding(trial: Trial, outcome: Outcome) -> Embedding:
    """The embedding of the overview's samples by one model.

    Args:
        trial: The model, with its embedding of the held-out samples.
        outcome: The run that it belongs to.
    """
    if has_overview_of_held_out(outcome):
        return trial.embedding
    return embed(trial.unwarper.model_, overview_samples(outcome))


def overview_labels(outcome: Outcome) -> Labels | None:
    """The classes of the overview's samples, where they are known."""
    training, test = outcome.training.labels, outcome.test.labels
    if test is None or has_overview_of_held_out(outcome) or training is None:
        return test
    return np.concatenate([training, test])


def overview_words(outcome: Outcome, noun: str) -> str:
    """Words for the overview's samples: `held-out series`, for example.

    Args:
        outcome: The run.
        noun: A word for samples, in the plural.
    """
    if has_overview_of_held_out(outcome):
        return f"held-out {noun}"
    return f"all {len(outcome.training) + len(outcome.test)} {noun}, since few are held out"


def nearest_clusters(codes: Array, centres: Array) -> Array:
    """The row of the nearest centre to each code, (N,).

    Args:
        codes: Content codes (N, D).
        centres: Centres of clusters (K, D).
    """
    return np.asarray(pairwise_distances_argmin(codes, centres))


def nearest_to_mean(codes: Array) -> int:
    """The row of `codes` (N, D) that is nearest to their mean."""
    return int(np.linalg.norm(codes - codes.mean(0), axis=1).argmin())


def first_component(codes: Array) -> Array:
    """The first principal component (N,) of `codes` (N, D)."""
    centred = codes - codes.mean(0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.asarray(centred @ direction * np.sign(direction[np.abs(direction).argmax()]))
