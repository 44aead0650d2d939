"""What samples a model takes: their kind, their shape and their units, found when it learns and kept with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unwarp.datasets import Dataset
from unwarp.readers import Scaler, as_given, as_samples, fit_scaler, read
from unwarp.types import DataError, Kind

Array = NDArray[Any]


@dataclass(frozen=True)
class Schema:
    """The samples of a user as a model sees them, and back.

    Attributes:
        kind: `image` or `series`.
        shape: Shape of a sample, (C, H, W) or (C, T).
        scaler: From the units of the data to those of the model.
        image_shape: (H, W) or (C, H, W) of flattened images; None where they have their shape.

    >>> Schema("series", (1, 3), Scaler(factor=2.0)).prepare([[0.0, 2.0, 4.0]])
    tensor([[[0., 1., 2.]]])
    """

    kind: Literal["image", "series"]
    shape: tuple[int, ...]
    scaler: Scaler
    image_shape: tuple[int, ...] | None = None

    @property
    def n_features(self) -> int:
        """Numbers in a sample."""
        return int(np.prod(self.shape))

    def prepare(self, X: Any) -> Tensor:
        """`X` scaled, (N, *shape).

        Raises:
            DataError: Samples of another shape.
        """
        samples, _ = as_samples(_load(X), self.kind, self.image_shape)
        if samples.shape[1:] != self.shape:
            raise DataError(
                f"X has {int(np.prod(samples.shape[1:]))} features, but Unwarper is expecting {self.n_features} features as "
                f"input: samples of shape {samples.shape[1:]} came, it was trained on {self.shape}"
            )
        return torch.from_numpy(self.scaler.apply(samples))

    def give_back(self, x: Tensor, X: Any) -> Array:
        """`x` (N, *shape) in the range, the dtype and the shape in which the samples `X` came."""
        return as_given(self.scaler.undo(x.numpy()), _load(X))

    def along(self, other: Any, n: int) -> Tensor:
        """Another channel, or a mask, of the same `n` samples in the same frame, unscaled (n, C', ...).

        Raises:
            DataError: Another number of samples, or another frame.
        """
        second, _ = as_samples(other, self.kind, self.image_shape if np.ndim(other) == 2 else None)
        if len(second) != n or second.shape[2:] != self.shape[1:]:
            raise DataError(
                f"other has shape {np.shape(other)}, X has {(n, *self.shape)}; samples and frame must agree"
            )
        return torch.from_numpy(np.array(second, np.float32))

    def locate(self, points: Any, n: int) -> Tensor:
        """Pixels or sample numbers, for each of `n` samples or for all, as points of a map's frame; `places` leads back.

        Convention:
            The first pixel's centre is (0, 0) and the frame is that of `unwarp.warps`: pixel edges at -1 and 1. Sample i of
            T of a series stands at i / (T - 1).

        Raises:
            DataError: Neither (K, axes) nor (n, K, axes).
        """
        size = self._size
        where = np.asarray(points, float)
        if where.shape[-1:] != size.shape or where.ndim not in (2, 3) or (where.ndim == 3 and len(where) != n):
            raise DataError(f"points has shape {where.shape}; give (K, {len(size)}) or ({n}, K, {len(size)})")
        framed = (2 * where + 1) / size - 1 if self.kind == "image" else where / (size - 1)
        return torch.as_tensor(framed, dtype=torch.float32)

    def places(self, framed: Tensor) -> Array:
        """Points of a map's frame (..., axes) as pixels or sample numbers."""
        where, size = framed.numpy(), self._size
        return np.asarray(((where + 1) * size - 1) / 2 if self.kind == "image" else where * (size - 1))

    @property
    def _size(self) -> Array:
        """Width and height, or length."""
        return np.array(self.shape[1:][::-1], float)


def learnable(
    X: Any, kind: Kind, scale: Literal["auto"] | None, image_shape: tuple[int, ...] | None
) -> tuple[Dataset, Schema]:
    """`X` as a checked, scaled data set, and what its samples are; see `Unwarper` for the arguments.

    Raises:
        DataError: Data that cannot be used, or a single sample.
        ConfigError: An unknown `kind` or `scale`.
    """
    given = read(X) if isinstance(X, str | Path) else None
    asked = given.kind if given and kind == "auto" else kind
    samples, found = as_samples(given.x if given else _load(X), asked, image_shape)
    scaler = fit_scaler(samples, found, scale)
    scaled = torch.from_numpy(scaler.apply(samples))
    data = replace(X, x=scaled) if isinstance(X, Dataset) else Dataset(scaled)
    if len(data) < 2:
        raise DataError("X holds 1 sample (n_samples=1); learning needs at least 2, better hundreds")
    return data, Schema(found, data.shape, scaler, image_shape)


def _load(X: Any) -> Any:
    if isinstance(X, Dataset):
        return X.x.numpy()
    return read(X).x if isinstance(X, str | Path) else X
