"""How well observations are explained."""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.metrics.registry import score_function


@score_function(best=0.0)
def reconstruction_error(x: Array, x_hat: Array) -> float:
    """Squared error summed over features, mean over samples."""
    return float(np.square(x_hat - x).reshape(len(x), -1).sum(1).mean())


@score_function(best=1.0)
def explained(x: Array, x_hat: Array) -> float:
    """Share of the variance about the mean sample that reconstructions explain; 1 is perfect, 0 is the mean."""
    total = float(np.square(x - x.mean(0)).mean())
    return 1 - float(np.square(x_hat - x).mean()) / total if total else float("nan")
