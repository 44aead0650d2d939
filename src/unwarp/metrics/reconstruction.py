"""Error of reconstructions, and the share of variance that reconstructions explain."""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.metrics.registry import score_function


@score_function(best=0.0)
def reconstruction_error(x: Array, x_hat: Array) -> float:
    """Squared error summed over features, mean over samples.

    `1/N sum_i |x_i - x_hat_i|^2`. It depends on the number of features and on their unit: compare
    it only between models of the same data.

    Args:
        x: Observations (N, ...).
        x_hat: Reconstructions of the observations (N, ...).

    Returns:
        0 or more, in squared units of `x`; 0 is perfect.
    """
    return float(np.square(x_hat - x).reshape(len(x), -1).sum(1).mean())


@score_function(best=1.0)
def explained(x: Array, x_hat: Array) -> float:
    """Share of the variance of samples that reconstructions explain.

    `1 - |x - x_hat|^2 / |x - mean(x)|^2`, the coefficient of determination over all features. It
    does not depend on the unit of `x`.

    Args:
        x: Observations (N, ...).
        x_hat: Reconstructions of the observations (N, ...).

    Returns:
        1 for perfect reconstructions, 0 if every reconstruction is the mean sample, negative for
        worse ones; NaN if all samples are equal.
    """
    total = float(np.square(x - x.mean(0)).mean())
    return 1 - float(np.square(x_hat - x).mean()) / total if total else float("nan")
