"""Training samples in memory, or in the user's array until needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unwarp.core import Array, Batch
from unwarp.data.dataset import Dataset
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.outliers import limit
from unwarp.data.prepared import Prepared
from unwarp.data.source import Source
from unwarp.disk.sharded import ShardedArray

MAX_BYTES_IN_MEMORY = 256 << 20
"""Greatest size of scaled training samples that are kept in memory."""

MAX_BYTES_IN_ANY_ORDER, BYTES_PER_BLOCK = 4 << 30, 4 << 20
"""Greatest size of shards whose rows are drawn from all of them; larger ones are read in blocks of
the second size."""

MAX_BYTES_OF_VIEW = 32 << 20
"""Greatest size of the samples in memory that represent all others, for clusters and defaults."""


class Samples(Protocol):
    """Training samples, as `train` takes them.

    `Dataset` and `StoredSamples` meet it.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample (C, ...)."""

    @property
    def labels(self) -> Array | None:
        """Class of each sample (N,); None if unknown."""

    @property
    def registered_name(self) -> str:
        """Name of a built-in data set; empty for other data."""

    @property
    def rows_per_block(self) -> int:
        """Number of successive rows that are read together; 0 for any."""

    def __len__(self) -> int:
        """Number of samples N."""

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """Some samples, scaled for the model.

        Args:
            index: Row numbers (B,), int64, in any order.
            generator: Source of all randomness.
        """

    def preview(self, n: int) -> Tensor:
        """About `n` samples, or all, from which defaults are chosen."""

    def subset(self, rows: Array) -> Samples:
        """Some of the samples, by their indices `rows` (M,)."""

    def load(self) -> Dataset:
        """All samples, scaled and in memory."""


@dataclass(frozen=True, eq=False)
class StoredSamples:
    """Samples in the user's array, which are scaled batch by batch.

    The array may be a memory map that is larger than the memory.

    Attributes:
        prepared: The samples with their scale.
        labels: Class of each sample (N,); None if unknown.
        registered_name: Empty: the samples belong to no built-in data set.

    >>> from unwarp.data.recordings import RegularSamples
    >>> from unwarp.data.scaling import Scaler
    >>> x = np.array([[[0, 51]], [[102, 255]]], np.uint8)
    >>> samples = StoredSamples(Prepared(x, Scaler(factor=255.0), RegularSamples(x, x)))
    >>> samples.batch(torch.tensor([1]), torch.Generator()).x.tolist()
    [[[0.4000000059604645, 1.0]]]
    """

    prepared: Prepared
    labels: Array | None = None
    registered_name: str = ""

    def __len__(self) -> int:
        return len(self.prepared)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample (C, ...)."""
        return self.prepared.shape[1:]

    @property
    def rows_per_block(self) -> int:
        """Number of successive rows that are read together; 0 for any.

        It is positive for shards of more than 4 GiB, whose blocks have 4 MiB.
        """
        x = self.prepared.samples
        if not isinstance(x, ShardedArray) or x.nbytes <= MAX_BYTES_IN_ANY_ORDER:
            return 0
        return max(1, BYTES_PER_BLOCK * len(x) // x.nbytes)

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """Scaled samples of some rows.

        Args:
            index: Row numbers (B,), int64, in any order; they may repeat.
            generator: Not used.

        Returns:
            B samples and `index`.
        """
        return Batch(self.prepared[index.numpy()], index)

    def preview(self, n: int) -> Tensor:
        """At most `n` samples, spread evenly over all.

        Args:
            n: Greatest number of samples.

        Returns:
            Samples (M, C, ...).
        """
        return self.prepared[np.unique(np.linspace(0, len(self) - 1, n).astype(int))]

    def subset(self, rows: Array) -> StoredSamples:
        """Some of the samples.

        Args:
            rows: Indices of the samples to keep (M,), in the order of the result.
        """
        labels = None if self.labels is None else self.labels[rows]
        return StoredSamples(self.prepared.subset(rows), labels)

    def load(self) -> Dataset:
        """All samples, scaled and in memory."""
        return Dataset(self.prepared.x, labels=self.labels)

    @property
    def facts(self) -> dict[str, Any]:
        """Values, scale and size of the samples, for a checksum."""
        level = {"is_levelled": True} if self.prepared.is_levelled else {}
        return {
            "x": self.prepared.samples,
            "scale": vars(self.prepared.scaler),
            "size": self.prepared.size,
            **level,
        }


def training_samples(
    source: Source, prepared: Prepared, outliers: NDArray[np.intp]
) -> Dataset | StoredSamples:
    """Training samples, in memory unless they are large.

    Args:
        source: Names, labels and further facts of the samples.
        prepared: The samples with their scale.
        outliers: Indices of samples that do not count for the scale; their values are limited.

    Returns:
        A data set; or, if the scaled samples exceed 256 MiB, samples that stay where they are.
    """
    n_bytes = 4 * int(np.prod(prepared.shape, dtype=np.int64))
    if n_bytes > MAX_BYTES_IN_MEMORY and source.dataset is None and not outliers.size:
        return StoredSamples(prepared, source.labels)
    data = as_dataset(source, prepared)
    if outliers.size:
        data.x[outliers] = torch.from_numpy(limit(data.x[outliers].numpy(), prepared.is_bounded))
    return data


def as_dataset(source: Source, prepared: Prepared) -> Dataset:
    """Scaled samples in memory as a data set.

    Args:
        source: Names, labels and further facts of the samples.
        prepared: The samples with their scale.

    Returns:
        A data set; without `mask` and `times` if its series were resampled or are learned at a
        working size. Both have one entry per time step of the original series; after resampling,
        NaN marks the missing values, and the times are those of the clock.
    """
    data = source.as_dataset(prepared.x)
    is_resampled = isinstance(prepared.origin, IrregularSeries) or prepared.size is not None
    return replace(data, mask=None, times=None) if is_resampled else data


def reference_view(data: Samples, max_samples: int = 60_000, seed: int = 5) -> Dataset:
    """Training data with one reproducible observation of each sample, in memory.

    Nearest neighbours, clusters and scores use it in place of the training data, because a data set
    with `draw` generates new random observations at every step. A data set without `draw` and with
    at most `max_samples` samples keeps its samples.

    Args:
        data: Training data.
        max_samples: Largest number of samples; from a larger data set a random subset is taken. Of
            samples that are not in memory, at most 32 MiB are taken.
        seed: Seed of the subset and of the observations.

    Returns:
        A data set without `draw`.

    >>> len(reference_view(Dataset(torch.zeros(9, 1, 4)), max_samples=5))
    5
    """
    is_stored = isinstance(data, StoredSamples)
    if is_stored:
        n_bytes = 4 * int(np.prod(data.shape))
        max_samples = max(2, min(max_samples, MAX_BYTES_OF_VIEW // n_bytes))
    rows = np.arange(len(data))
    if isinstance(data, Dataset) and data.draw is None and len(data) <= max_samples:
        return data
    if len(data) > max_samples:
        rows = np.random.default_rng(seed).permutation(len(data))[:max_samples]
    subset = data.subset(np.sort(rows) if is_stored else rows).load()
    if subset.draw is None:
        return subset
    observations = subset.draw(subset.x, torch.Generator().manual_seed(seed))
    return replace(subset, x=observations, draw=None)
