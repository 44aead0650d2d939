"""Dynamic time warping (DTW) of series, and the distance after alignment.

DTW is used here only to measure, not to align: its paths may pause and jump, and the time for a
pair of series is the product of their lengths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.errors import DataError


def aligned_rmse(templates: Array, x: Array) -> float:
    """Root mean square distance of series from their templates after DTW.

    Each template is aligned to its series by multivariate DTW with squared Euclidean distances. If
    a time step of the series is matched to several time steps of the template, its squared distance
    is their mean, so that each time step has the same weight. Squared distances are summed over
    channels and averaged over time steps and series, as in TimewarpVAE (Rhodes and Lee 2023).

    Args:
        templates: Template of each series (N, C, K); K may differ from T.
        x: Series as observed (N, C, T), in the same unit.

    Returns:
        0 or more, in the unit of `x`; 0 if each path matches only equal values.

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

    The path leads from the first cell to the last. Each step goes to the next row, the next column,
    or both (step pattern of Sakoe and Chiba 1978, without slope constraint).

    Args:
        cost: Cost of matching time step i of the series to time step j of the template (T, K).

    Returns:
        True on the cells of the path (T, K); if steps cost the same, the path is diagonal.
    """
    total = accumulated_cost(cost)
    path = np.zeros(cost.shape, np.bool_)
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    path[i, j] = True
    while i or j:
        # `min` returns the first of equal steps: the diagonal one
        steps = [(a, b) for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if a >= 0 and b >= 0]
        i, j = min(steps, key=lambda cell: total[cell])
        path[i, j] = True
    return path


def accumulated_cost(cost: Array) -> Array:
    """Smallest cost of a path from the first cell to each cell.

    `D[i, j] = cost[i, j] + min(D[i-1, j-1], D[i-1, j], D[i, j-1])` (Sakoe and Chiba 1978), computed
    row by row without a loop over columns. A path that enters row i at column k and goes on to
    column j costs `run[j] - run[k - 1]` in this row, with `run` the cumulative cost of the row. The
    best k for all j therefore follows from a running minimum.

    Args:
        cost: Cost of matching time step i of the series to time step j of the template (T, K).

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
