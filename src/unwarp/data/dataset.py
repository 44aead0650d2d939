"""Data sets: samples with labels, masks, true deformations and other facts.

Training takes batches of a `Dataset`; scores take all of it. The built-in data sets are in
`unwarp.datasets`; any source becomes one by `Source.as_dataset`.
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
from unwarp.warps import Map

Draw = Callable[[Tensor, torch.Generator], Tensor]
"""A function from originals (B, ...) and a random generator to new observations (B, C, ...)."""

FIELDS_PER_SAMPLE = ("labels", "ids", "maps", "factor_values", "mask", "times")
"""Fields of a `Dataset` with one row per sample, besides `x`."""


def reference_view(data: Dataset, max_samples: int = 60_000, seed: int = 5) -> Dataset:
    """Training data with a single, reproducible observation of each sample.

    Nearest neighbours, clusters and scores that compare with the training data are fitted on it.
    For a data set without `draw` and with at most `max_samples` samples it holds the same samples.

    Args:
        data: Training data.
        max_samples: Largest number of samples; of more, a random subset is taken.
        seed: Seed of the subset and of the observations.

    Returns:
        A data set without `draw`.

    >>> len(reference_view(Dataset(torch.zeros(9, 1, 4)), max_samples=5))
    5
    """
    if len(data) <= max_samples:
        rows = np.arange(len(data))
    else:
        rows = np.random.default_rng(seed).permutation(len(data))[:max_samples]
    subset = data.subset(rows)
    if subset.draw is None:
        return subset
    observations = subset.draw(subset.x, torch.Generator().manual_seed(seed))
    return replace(subset, x=observations, draw=None)


@dataclass(frozen=True)
class Dataset:
    """N samples with the facts known of them.

    Models learn from `x` alone, through `draw`. When a data set is opened, values outside `mask`
    become missing ones, and series with `times` are resampled. The number of classes in `labels` is
    the default number of clusters. All else is for scores and reports. `subset` selects the rows of
    all fields together.

    Attributes:
        x: Samples (N, C, H, W) or (N, C, T), float32. If `draw` is set, the originals from which it
            makes observations.
        name: Name of the data set.
        source: Origin of the data, for people.
        licence: Licence of the data, if it is known.
        labels: Classes (N,), if they are known.
        ids: Number or name of the original that each sample shows (N,). Samples with the same id
            are observations of one thing.
        maps: True deformations, a batch of N.
        factors: Description of each column of `factor_values`.
        factor_values: True factors of variation (N, F), in the units of `factors`.
        orders: Order of rotational symmetry of each class, by label: turns by 360 / order degrees
            leave it unchanged. Only if all samples of a class share one canonical frame; else None.
        mask: True if a value was observed (N, ...); None if all were.
        times: Time stamps of series (N, T), if they are not evenly spaced.
        draw: Function that observes a batch of originals anew in each training step; None to use
            `x` itself.
        registered_name: Name under which `datasets.load` has it; empty for any other data.

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
        for name in FIELDS_PER_SAMPLE:
            value = getattr(self, name)
            if value is not None and len(value) != len(self.x):
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
        """Shape of one observation (C, ...), which `draw` may have changed."""
        probe = self.batch(torch.zeros(1, dtype=torch.long), torch.Generator().manual_seed(0))
        return tuple(probe.x.shape[1:])

    @property
    def domain(self) -> Domain | None:
        """Domain of the samples by their number of axes.

        None if no registered domain has as many axes.
        """
        return Domain.of_axes(self.x.ndim - 2)

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """The samples of given rows, observed anew by `draw`.

        Args:
            index: Row numbers (B,), int64, in any order and with repetitions.
            generator: Source of all randomness of `draw`; unused without it.

        Returns:
            B samples and `index`.
        """
        x = self.x[index]
        return Batch(self.draw(x, generator) if self.draw else x, index)

    def subset(self, rows: np.ndarray[Any, Any]) -> Dataset:
        """The data set reduced to given rows, in their order.

        Args:
            rows: Row numbers (M,), or a boolean mask (N,).

        Returns:
            A data set of M samples; fields without rows, such as `name` and `draw`, are the same.
        """
        rows = np.asarray(rows)
        index = torch.as_tensor(rows)
        selection: dict[str, Any] = {"x": self.x[index]}
        for name in FIELDS_PER_SAMPLE:
            value = getattr(self, name)
            if value is not None:
                selection[name] = value[rows if isinstance(value, np.ndarray) else index]
        return replace(self, **selection)
