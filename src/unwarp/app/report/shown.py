"""Which samples of a run a report shows."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from unwarp.analysis.embedding import Embedding, embed
from unwarp.app.outcome import Outcome, Trial
from unwarp.core import Array
from unwarp.estimators.unwarper import Unwarper

SHOWN = 14


POINTS = 1000


ROWS = 8


DRAWN = 28


FEW = 3


ENOUGH = 30


def held_out_alone(outcome: Outcome) -> bool:
    """Whether there are enough held-out samples to show; else all samples are."""
    return len(outcome.test) >= ENOUGH or outcome.training.draw is not None


def _shown(outcome: Outcome) -> Tensor:
    """The samples that are shown as a crowd, as the model sees them: the held-out ones, or all where those are few."""
    x = outcome.test.x if held_out_alone(outcome) else torch.cat([outcome.training.x, outcome.test.x])
    return x


def _embedding(trial: Trial, outcome: Outcome) -> Embedding:
    """What a model says of the samples that are shown as a crowd."""
    return trial.embedding if held_out_alone(outcome) else embed(trial.unwarper.model_, _shown(outcome))


def _kinds(outcome: Outcome) -> Array | None:
    """Classes of the samples that are shown as a crowd, where known."""
    training, test = outcome.training.labels, outcome.test.labels
    if test is None or held_out_alone(outcome) or training is None:
        return test
    return np.concatenate([training, test])


def _clusters(unwarper: Unwarper, codes: Array) -> Array:
    """The nearest of the cluster centres to each code (N, D)."""
    return np.asarray(pairwise_distances_argmin(codes, unwarper.cluster_centers_))


def _principal(codes: Array) -> Array:
    """Where codes (N, D) lie along the direction in which they vary most, (N,)."""
    centred = codes - codes.mean(0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.asarray(centred @ direction * np.sign(direction[np.abs(direction).argmax()]))


def _typical(codes: Array) -> int:
    """The row of `codes` (N, D) nearest their mean."""
    return int(np.linalg.norm(codes - codes.mean(0), axis=1).argmin())


def _held_out(outcome: Outcome) -> Tensor:
    """The held-out samples as the model sees them."""
    return outcome.test.x


def _examples(labels: Array | None, n: int, most: int = SHOWN) -> Array:
    """At most `most` rows to show: spread over the classes where they are known."""
    if labels is None:
        return np.linspace(0, n - 1, min(n, most)).astype(int)
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turn = [mine[i] for i in range(most) for mine in rows if i < len(mine)]
    return np.sort(np.array(turn[:most]))


def _crowd(outcome: Outcome, noun: str) -> str:
    """Which samples a figure of many shows."""
    n = len(outcome.training) + len(outcome.test)
    return f"held-out {noun}" if held_out_alone(outcome) else f"all {n} {noun}, since few are held out"
