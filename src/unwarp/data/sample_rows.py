"""Some rows of training samples, without a copy of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Batch
from unwarp.data.dataset import Dataset
from unwarp.data.samples import Samples


@dataclass(frozen=True, eq=False)
class SampleRows:
    """Some rows of training samples, which stay where they are.

    Attributes:
        samples: All samples.
        rows: Indices of the rows (M,), in their order.

    >>> data = Dataset(torch.arange(4.0).view(4, 1, 1), labels=np.array([0, 0, 1, 1]))
    >>> part = SampleRows(data, np.array([3, 1]))
    >>> batch = part.batch(torch.tensor([0]), torch.Generator())
    >>> batch.x.tolist(), batch.index.tolist(), part.labels.tolist()
    ([[[3.0]]], [3], [1, 0])
    """

    samples: Samples
    rows: Array

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample (C, ...)."""
        return self.samples.shape

    @property
    def labels(self) -> Array | None:
        """Class of each sample (M,); None if unknown."""
        return None if self.samples.labels is None else self.samples.labels[self.rows]

    @property
    def registered_name(self) -> str:
        """Name of a built-in data set; empty for other data."""
        return self.samples.registered_name

    @property
    def rows_per_block(self) -> int:
        """Number of rows that are read together; 0 for any order."""
        return self.samples.rows_per_block

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """Some of the samples.

        Args:
            index: Indices of `rows` (B,), int64, in any order; they may repeat.
            generator: Source of all randomness.

        Returns:
            B samples, with their rows among all samples.
        """
        return self.samples.batch(torch.from_numpy(self.rows)[index], generator)

    def preview(self, n: int) -> Tensor:
        """At most `n` samples, spread evenly over the rows.

        Args:
            n: Greatest number of samples.

        Returns:
            Samples (M, C, ...).
        """
        spread = np.unique(np.linspace(0, len(self) - 1, n).astype(int))
        return self.subset(spread).load().preview(n)

    def subset(self, rows: Array) -> SampleRows:
        """Some of the samples.

        Args:
            rows: Indices of the samples to keep (K,), in the order of the result.
        """
        return SampleRows(self.samples, self.rows[rows])

    def load(self) -> Dataset:
        """All samples, scaled and in memory."""
        return self.samples.subset(self.rows).load()
