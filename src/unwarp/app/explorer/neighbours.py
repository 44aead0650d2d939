"""Nearest samples, by content codes and by pixels or values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from unwarp.app.explorer.collection import Collection
from unwarp.core import Array
from unwarp.data.working_size import resize_smoothly
from unwarp.missing import interpolate_missing

N_NEIGHBOURS = 10
"""Number of neighbours of a sample."""

MAX_BYTES_OF_VALUES = 256 << 20
"""Memory for the values of all samples; larger collections are compared at a smaller size."""

MIN_SIDE = 8
"""Least number of pixels or time steps along an axis at which samples are compared."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Samples as points; the nearest ones have the least Euclidean distance.

    Attributes:
        points: Points (N, K), float32.

    >>> Neighbours(np.array([[0.0], [5.0], [1.0]], np.float32)).of_row(0)
    [2, 1]
    """

    points: Array

    def of_row(self, row: int) -> list[int]:
        """The nearest other samples of a sample, nearest first.

        Args:
            row: The sample.
        """
        nearest = self.of_point(self.points[row], N_NEIGHBOURS + 1)
        return [other for other in nearest if other != row][:N_NEIGHBOURS]

    def of_point(self, point: Array, n: int = N_NEIGHBOURS) -> list[int]:
        """The nearest samples of a point, nearest first.

        Args:
            point: A point (K,).
            n: Number of samples.
        """
        if not len(self.points):
            return []
        # |p - q|^2 without |q|^2, which is equal for all p
        distances = (self._squares - 2 * (self.points @ point)).astype(np.float64)
        n = min(n, len(distances))
        nearest = np.argpartition(distances, n - 1)[:n]
        return [int(i) for i in nearest[np.argsort(distances[nearest], kind="stable")]]

    @cached_property
    def _squares(self) -> Array:
        """Squared lengths of the points (N,)."""
        return np.asarray(np.einsum("nk,nk->n", self.points, self.points))


@dataclass(frozen=True, eq=False)
class ValueNeighbours:
    """Neighbours by pixels or values, at a size that fits in memory.

    Attributes:
        size: Pixels (H, W) or time steps (T,) at which samples are compared.
        neighbours: The samples as points.
    """

    size: tuple[int, ...]
    neighbours: Neighbours

    @classmethod
    def of(cls, collection: Collection) -> ValueNeighbours:
        """The neighbours of a collection.

        Args:
            collection: The collection.
        """
        samples = collection.samples
        if samples is None:
            return cls((), Neighbours(np.zeros((0, 0), np.float32)))
        size = size_in_memory(samples.shape)
        blocks = [values_of(samples[rows], size) for rows in samples.chunks()]
        return cls(size, Neighbours(np.concatenate(blocks)))


def size_in_memory(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Size at which samples fit in the memory for their values.

    Args:
        shape: Shape (N, C, ...) of all samples.

    >>> size_in_memory((100_000, 1, 28, 28)), size_in_memory((1000, 1, 28, 28))
    ((25, 25), (28, 28))
    """
    excess = 4 * np.prod(shape, dtype=float) / MAX_BYTES_OF_VALUES
    if excess <= 1:
        return tuple(shape[2:])
    share = excess ** (-1 / len(shape[2:]))
    return tuple(min(side, max(MIN_SIDE, int(side * share))) for side in shape[2:])


def values_of(x: torch.Tensor, size: tuple[int, ...]) -> Array:
    """Samples as points (N, K) at a size.

    Missing values of series are interpolated.

    Args:
        x: Samples (N, C, ...), scaled for the model.
        size: Pixels (H, W) or time steps (T,).
    """
    if x.ndim == 3:
        x = interpolate_missing(x)
    return np.asarray(resize_smoothly(x, size).flatten(1).numpy(), np.float32)
