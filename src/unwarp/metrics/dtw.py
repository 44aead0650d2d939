"""Dynamic time warping (DTW) of series, and the distance that remains.

DTW serves here as a measure, not as a way to align: its paths may pause and jump, and each pair
costs the product of the two lengths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.errors import DataError


def aligned_rmse(templates: Array, x: Array) -> float:
    """Root mean square distance of series from their templates after DTW.

    Each template is aligned to its series by multivariate DTW with squared Euclidean distances. A
    sample of the series that is matched to several of the template counts their mean, so that
    every sample has weight 1. Squares are summed over channels and averaged over samples and
    series, as in TimewarpVAE (Rhodes and Lee 2023).

    Args:
        templates: Template of each series (N, C, K); K may differ from T.
        x: Series as observed (N, C, T), in the same unit.

    Returns:
        0 or more, in the unit of `x`; 0 if a path matches equal samples throughout.

    Raises:
        DataError: The number of series or of channels differs.

    >>> aligned_rmse(np.array([[[0.0, 0.0, 1.0]]]), np.array([[[0.0, 1.0, 1.0]]]))
    0.0
    """
    if templates.shape[:2] != x.shape[:2]:
        raise DataError(
            f"templates have shape {templates.shape}, x has shape {x.shape}; series and channels "
            "must agree: give one template for each series"
        )
    costs = np.square(x[..., :, None] - templates[..., None, :]).sum(1)
    return float(np.sqrt(np.mean([_mean_along(cost, warping_path(cost)) for cost in costs])))


def warping_path(cost: Array) -> NDArray[np.bool_]:
    """Cheapest path through a cost matrix, as a mask.

    The path leads from the first cell to the last by steps of one sample in either direction or in
    both (step pattern of Sakoe and Chiba 1978, without slope constraint).

    Args:
        cost: Cost of matching sample i of the series to sample j of the template (T, K).

    Returns:
        True on the cells of the path (T, K); of equal steps the diagonal one is preferred.
    """
    total = accumulated_cost(cost)
    path = np.zeros(cost.shape, np.bool_)
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    path[i, j] = True
    while i or j:
        # the diagonal step comes first, so that it wins ties
        steps = [(a, b) for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if a >= 0 and b >= 0]
        i, j = min(steps, key=lambda cell: total[cell])
        path[i, j] = True
    return path


def accumulated_cost(cost: Array) -> Array:
    """Smallest cost of a path from the first cell to each cell.

    `D[i, j] = cost[i, j] + min(D[i-1, j-1], D[i-1, j], D[i, j-1])` (Sakoe and Chiba 1978), computed
    row by row without a loop over columns. Entering row i at column k and running along it to j
    costs `run[j] - run[k - 1]`, with `run` the cumulative cost of the row; its smallest value over
    k is a running minimum.

    Args:
        cost: Cost of matching sample i of the series to sample j of the template (T, K).

    Returns:
        Accumulated cost matrix (T, K); its last entry is the DTW cost.
    """
    total = np.empty(cost.shape, np.float64)
    total[0] = np.cumsum(cost[0], dtype=np.float64)
    for i in range(1, len(cost)):
        above = total[i - 1]
        enter = np.minimum(above, np.r_[np.inf, above[:-1]])
        run = np.cumsum(cost[i], dtype=np.float64)
        total[i] = run + np.minimum.accumulate(enter - np.r_[0.0, run[:-1]])
    return total


def _mean_along(cost: Array, path: NDArray[np.bool_]) -> float:
    """Mean over rows of the mean cost on the path in each row."""
    return float(((cost * path).sum(1) / path.sum(1)).mean())
