"""Agreement of nearest neighbours with clusters, before and after alignment.

Elastic distances of observed series form clusters, without any trained model. A warp that undoes a
common timing makes the Euclidean nearest neighbours of a series belong to its cluster more often. A
warp that undoes differences between kinds has the opposite effect.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.estimators.spectral import SelfTuning, SpectralClusters
from unwarp.models import Model
from unwarp.warps import align, interpolate_missing

MAX_CLUSTERED_SERIES = 256
"""Greatest number of series between which elastic distances are computed."""

N_NEIGHBOURS = 5
"""Nearest neighbours of a series whose clusters count; one alone is noisier."""


@torch.no_grad()
def agreement_gain(model: Model, x: Tensor, seed: int = 0) -> tuple[float, float]:
    """Gain in agreement of nearest neighbours with clusters, through alignment.

    The agreement of a series is the share of its five Euclidean nearest neighbours that belong to
    its cluster. Clusters are spectral, of the elastic distances of the observed series, as many as
    these suggest (`unwarp.estimators.spectral`).

    Args:
        model: A trained model, in evaluation mode.
        x: Series (N, C, T) in random order, at least 3, at most 256 of which are compared; NaN
            marks missing values.
        seed: Seed of the clusters.

    Returns:
        The mean gain, from -1 to 1, and its standard error over series.
    """
    x = x[:MAX_CLUSTERED_SERIES]
    aligned = align(x, model.pose(x), padding=model.padding)
    before, after = (_nearest(interpolate_missing(part)) for part in (x, aligned))
    tuning, distances = SelfTuning.fit(x)
    labels = SpectralClusters.fit(tuning, distances, np.zeros((len(x), 1)), None, seed)[1]
    gains = np.subtract(*((labels[rows] == labels).mean(0) for rows in (after, before)))
    return float(gains.mean()), float(gains.std() / math.sqrt(len(x)))


def _nearest(x: Tensor) -> Array:
    """Rows (5, N) of the Euclidean nearest other series of each series (N, C, T)."""
    distances = torch.cdist(x.flatten(1), x.flatten(1)).fill_diagonal_(torch.inf)
    return np.asarray(distances.topk(min(N_NEIGHBOURS, len(x) - 1), 0, largest=False).indices)
