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
    latents = {"clean": clean, "mixed": mixed, "noisy": noisy}[name](factors, noise)
    latents = (latents - latents.mean(0)) / latents.std(0)
    rows = generator.permutation(len(factors))
    return latents[rows], factors[rows]


def clean(factors: Levels, noise: Array) -> Array:
    """Permuted factors with little noise, and two latents of noise alone."""
    a, b, c = factors.T
    d, e = noise[:, 1], noise[:, 4]
    return np.stack([b + 0.2 * noise[:, 0], d, a + 0.2 * noise[:, 2], c + 0.2 * noise[:, 3], e], 1)


def mixed(factors: Levels, noise: Array) -> Array:
    """Two latents of two factors each, two of one, and one of noise."""
    a, b, c = factors.T
    columns = [
        a + 0.3 * noise[:, 0],
        b + 0.5 * c + 0.2 * noise[:, 1],
        c + 0.5 * noise[:, 2],
        noise[:, 3],
        0.5 * a - b + 0.4 * noise[:, 4],
    ]
    return np.stack(columns, 1)


def noisy(factors: Levels, noise: Array) -> Array:
    """Five mixtures of the three factors, with strong noise."""
    mixture = np.array([[1.0, 0.6, 0, 0, 0.3], [0.5, 1.0, 0.4, 0, 0], [0, 0.3, 0.8, 0, 0.5]])
    return np.asarray(factors @ mixture + 1.5 * noise)
