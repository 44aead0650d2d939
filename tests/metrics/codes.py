"""Codes of known factors, clean, mixed and noisy, for comparison with published numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array

Levels = NDArray[np.integer]
SIZES = (3, 4, 5)
Measure = Callable[..., Any]


def with_few_draws(measure: Measure) -> Measure:
    """A measure with fewer draws than its default."""
    return lambda codes, factors: measure(codes, factors, 32, n_train=900, n_test=900)


def grid(repeats: int = 20) -> Levels:
    """Every combination of the three factors, `repeats` times."""
    axes = np.meshgrid(*(np.arange(size) for size in SIZES), indexing="ij")
    return np.tile(np.stack(axes, -1).reshape(-1, 3), (repeats, 1))


def code(name: str) -> tuple[Array, Levels]:
    """Standardised latents (1200, 5) and factors.

    Args:
        name: `clean` (permuted), `mixed`, or `noisy` (mixed, with more noise).
    """
    factors = grid()
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(len(factors), 5))
    a, b, c = factors.T
    if name == "mixed":
        columns = [
            a + 0.3 * noise[:, 0],
            b + 0.5 * c + 0.2 * noise[:, 1],
            c + 0.5 * noise[:, 2],
            noise[:, 3],
        ]
        z = np.stack([*columns, 0.5 * a - b + 0.4 * noise[:, 4]], 1)
    elif name == "clean":
        z = np.stack(
            [
                b + 0.2 * noise[:, 0],
                noise[:, 1],
                a + 0.2 * noise[:, 2],
                c + 0.2 * noise[:, 3],
                noise[:, 4],
            ],
            1,
        )
    else:
        mixture = np.array([[1.0, 0.6, 0, 0, 0.3], [0.5, 1.0, 0.4, 0, 0], [0, 0.3, 0.8, 0, 0.5]])
        z = factors @ mixture + 1.5 * noise
    z = (z - z.mean(0)) / z.std(0)
    rows = generator.permutation(len(factors))
    return z[rows], factors[rows]
