"""Dynamic time warping of series to templates, and how far they lie apart once it is done.

A measure, not a way to align: a path of matched samples may stand still and jump, and each pair costs the product of
the lengths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.errors import DataError


def aligned_rmse(template: Array, x: Array) -> float:
    """Root mean square distance of series from their templates, each sample over the template's samples matched to it.

    The template is aligned to the series by multivariate dynamic time warping with squared Euclidean distances. A sample of
    the series that is matched to several of the template counts their mean, so that every sample counts once; squares are
    summed over channels and averaged over samples and series (Rhodes and Lee 2023, TimewarpVAE).

    Args:
        template: What each series looks like without its warp, (N, C, K).
        x: Series as observed (N, C, T).

    Raises:
        DataError: Numbers of series or channels that differ.
    """
    if template.shape[:2] != x.shape[:2]:
        raise DataError(
            f"template has shape {template.shape}, x has shape {x.shape}; series and channels must agree"
        )
    cost = np.square(x[..., :, None] - template[..., None, :]).sum(1)
    return float(np.sqrt(np.mean([_along(each, matched(each)) for each in cost])))


def matched(cost: Array) -> NDArray[np.bool_]:
    """The cells (T, K) of the cheapest path through `cost` (T, K) from its first cell to its last, by steps of one."""
    total = accumulated(cost)
    path = np.zeros(cost.shape, np.bool_)
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    path[i, j] = True
    while i or j:
        steps = [(a, b) for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if a >= 0 and b >= 0]
        i, j = min(steps, key=lambda at: total[at])
        path[i, j] = True
    return path


def accumulated(cost: Array) -> Array:
    """The least sum of `cost` (T, K) on any path from the first cell to each cell, (T, K).

    Row by row: entering a row at k and running along it to j costs `run[j] - run[k - 1]`, whose least value over k is a
    running minimum.
    """
    total = np.empty(cost.shape, np.float64)
    total[0] = np.cumsum(cost[0], dtype=np.float64)
    for i in range(1, len(cost)):
        above = total[i - 1]
        enter = np.minimum(above, np.r_[np.inf, above[:-1]])
        run = np.cumsum(cost[i], dtype=np.float64)
        total[i] = run + np.minimum.accumulate(enter - np.r_[0.0, run[:-1]])
    return total


def _along(cost: Array, path: NDArray[np.bool_]) -> float:
    """Mean over rows of the mean cost on the path in each row."""
    return float(((cost * path).sum(1) / path.sum(1)).mean())
