"""Codes of known factors: clean, mixed and noisy, as the published implementation saw them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array

Levels = NDArray[np.integer]
SIZES = (3, 4, 5)
Measure = Callable[..., Any]


def few(measure: Measure) -> Measure:
    """The same measure with fewer draws."""
    return lambda codes, factors: measure(codes, factors, 32, n_train=900, n_test=900)


def grid(repeats: int = 20) -> Levels:
    """Every combination of the three factors, `repeats` times."""
    axes = np.meshgrid(*(np.arange(size) for size in SIZES), indexing="ij")
    return np.tile(np.stack(axes, -1).reshape(-1, 3), (repeats, 1))


def code(name: str) -> tuple[Array, Levels]:
    """Standardised latents (1200, 5) and factors: `clean` and permuted, `mixed`, or `noisy` and mixed."""
    f = grid()
    random = np.random.default_rng(0)
    n = random.normal(size=(len(f), 5))
    a, b, c = f.T
    if name == "mixed":
        columns = [a + 0.3 * n[:, 0], b + 0.5 * c + 0.2 * n[:, 1], c + 0.5 * n[:, 2], n[:, 3]]
        z = np.stack([*columns, 0.5 * a - b + 0.4 * n[:, 4]], 1)
    elif name == "clean":
        z = np.stack([b + 0.2 * n[:, 0], n[:, 1], a + 0.2 * n[:, 2], c + 0.2 * n[:, 3], n[:, 4]], 1)
    else:
        mixture = np.array([[1.0, 0.6, 0, 0, 0.3], [0.5, 1.0, 0.4, 0, 0], [0, 0.3, 0.8, 0, 0.5]])
        z = f @ mixture + 1.5 * n
    z = (z - z.mean(0)) / z.std(0)
    rows = random.permutation(len(f))
    return z[rows], f[rows]
