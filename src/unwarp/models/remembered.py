"""Estimates of poses that a training asks for again and again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

MAX_SAMPLES = 4096
"""Greatest number of samples whose estimates are remembered."""


class RememberedEstimates:
    """Estimates of samples, each made once.

    The estimate of a sample must depend on nothing but the sample.

    >>> estimates = RememberedEstimates()
    >>> estimates.of(torch.ones(2, 3), lambda x: x.sum(1))
    tensor([3., 3.])
    >>> len(estimates)
    1
    """

    def __init__(self) -> None:
        self._by_sample: dict[bytes, Tensor] = {}

    def __len__(self) -> int:
        return len(self._by_sample)

    def clear(self) -> None:
        """Forget all estimates."""
        self._by_sample.clear()

    def of(self, x: Tensor, estimate: Callable[[Tensor], Tensor]) -> Tensor:
        """The estimates of samples.

        Args:
            x: Samples (N, ...), at least one.
            estimate: Function from samples (M, ...) to estimates (M, ...), for those that are new.

        Returns:
            Estimates (N, ...).
        """
        keys = [row.tobytes() for row in x.detach().cpu().numpy()]
        new = {key: i for i, key in enumerate(keys) if key not in self._by_sample}
        if len(self) + len(new) > MAX_SAMPLES:
            self.clear()
            new = {key: i for i, key in enumerate(keys)}
        if new:
            self._by_sample.update(zip(new, estimate(x[list(new.values())]), strict=True))
        return torch.stack([self._by_sample[key] for key in keys])
