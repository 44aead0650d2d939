"""Data sets: samples with labels, masks, true deformations and other facts.

A sample is one image or one series. Training takes batches from a `Dataset`, scores use all of its
samples. `unwarp.datasets` has the built-in data sets; `Source.as_dataset` makes one of a user's
samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Batch, Domain, Factor
from unwarp.errors import DataError
from unwarp.values import brief
from unwarp.warps import Map

Draw = Callable[[Tensor, torch.Generator], Tensor]
"""A function that returns a random observation of each original.

It takes originals (B, ...) and a random generator and returns observations (B, C, ...), such as
deformed copies of clean images.
"""

FIELDS_PER_SAMPLE = ("labels", "ids", "maps", "factor_values", "mask", "times")
"""Fields of a `Dataset` with one row per sample; `x` is another one."""


@dataclass(frozen=True)
class Dataset:
    """N samples with labels, true deformations and other facts about them.

    Models are trained on `x`, or on the observations that `draw` returns for `x`. When a data set
    is opened as a `Source`, values with a mask of False become missing, and series with `times` are
    resampled. The number of classes in `labels` is the default number of clusters. All other fields
    are for scores and reports only. `subset` selects the same rows of all fields.

    Attributes:
        x: Samples (N, C, H, W) or (N, C, T), float32. If `draw` is set, the originals from which it
            generates observations.
        name: Name of the data set.
        source: Origin of the data in words, such as a citation.
        licence: Licence of the data; empty if unknown.
        labels: Class of each sample (N,); None if unknown.
        ids: Number or name of the original of each sample (N,). Samples with the same id are
            observations of the same original.
        maps: The true deformation of each sample, N maps; None if unknown.
        factors: Description of each column of `factor_values`.
        factor_values: True factors of variation (N, F), in the units of `factors`; None if unknown.
        orders: Order of rotational symmetry of each class, by label: a rotation by 360 / order
            degrees leaves the samples of the class unchanged. None unless all samples of a class
            are deformations of one template.
        mask: True if a value was observed (N, ...); None if all values were.
        times: Time stamps of series (N, T); None if the steps are evenly spaced.
        draw: Function that generates a new random observation of each original of a batch at every
            step; None if `x` holds the observations.
        registered_name: Name of the data set for `datasets.load`; empty for other data.

    Raises:
        DataError: A field has another number of rows than `x`, or `factors` does not match the
            columns of `factor_values`.

    >>> data = Dataset(torch.zeros(4, 1, 9, 9), labels=np.array([0, 0, 1, 1]))
    >>> data.shape, data.subset(np.array([0, 3])).labels.tolist()
    ((1, 9, 9), [0, 1])
    """

    x: Tensor
    name: str = "data"
    source: str = ""
    licence: str = ""
    labels: np.ndarray[Any, Any] | None = None
    ids: np.ndarray[Any, Any] | None = None
    maps: Map | None = None
    factors: tuple[Factor, ...] = ()
    factor_values: np.ndarray[Any, Any] | None = None
    orders: Mapping[int, int] | None = None
    mask: Tensor | None = None
    times: Tensor | None = None
    draw: Draw | None = None
    registered_name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.x, Tensor) or self.x.ndim == 0:
            raise DataError(
                f"x={brief(self.x)} is no tensor of samples; give a torch.Tensor (N, C, ...)"
            )
        values = {name: getattr(self, name) for name in FIELDS_PER_SAMPLE}
        for name, value in values.items():
            if value is None:
                continue
            if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
                raise DataError(f"{name}={brief(value)} has no rows; give one row per sample")
            if len(value) != len(self.x):
                raise DataError(
                    f"{name} has {len(value)} rows, x has {len(self.x)}; give one row per sample"
                )
        shape = (len(self.x), 0) if self.factor_values is None else self.factor_values.shape
        if shape != (len(self.x), len(self.factors)):
            raise DataError(
                f"factor_values has shape {shape}, factors name {len(self.factors)} columns; give "
                "one factor per column"
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one observation (C, ...).

        If `draw` is set, it is the shape of what `draw` returns, which may differ from that of `x`.
        """
        probe = self.batch(torch.zeros(1, dtype=torch.long), torch.Generator().manual_seed(0))
        return tuple(probe.x.shape[1:])

    @property
    def rows_per_block(self) -> int:
        """Always 0: rows in memory are drawn in any order."""
        return 0

    @property
    def domain(self) -> Domain | None:
        """Domain of the samples, from their number of axes.

        None if no registered domain has this number of axes.
        """
        return Domain.of_axes(self.x.ndim - 2)

    def load(self) -> Dataset:
        """The data set itself, which is in memory."""
        return self

    def preview(self, n: int) -> Tensor:
        """Samples from which defaults are chosen; the originals if `draw` is set.

        Args:
            n: Ignored; samples in memory are all returned.

        Returns:
            Samples (N, C, ...).
        """
        return self.x

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """A batch of observations of given rows.

        With `draw`, each call generates new random observations.

        Args:
            index: Row numbers (B,), int64, in any order; they may repeat.
            generator: Source of all randomness of `draw`; not used if `draw` is None.

        Returns:
            B observations and `index`.
        """
        x = self.x[index]
        return Batch(self.draw(x, generator) if self.draw else x, index)

    def subset(self, rows: np.ndarray[Any, Any]) -> Dataset:
        """The data set reduced to some of its samples.

        Args:
            rows: Indices of the samples to keep (M,), in the order of the result, or a boolean mask
                (N,).

        Returns:
            A data set of M samples; fields without rows, such as `name` and `draw`, are unchanged.
        """
        rows = np.asarray(rows)
        index = torch.as_tensor(rows)
        selection: dict[str, Any] = {"x": self.x[index]}
        for name in FIELDS_PER_SAMPLE:
            value = getattr(self, name)
            if value is not None:
                selection[name] = value[rows if isinstance(value, np.ndarray) else index]
        return replace(self, **selection)
