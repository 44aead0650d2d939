"""Batches of training samples on the device of a run.

Samples in memory are copied to a GPU once, if they fit. Others are copied batch by batch, from
page-locked memory, so that the GPU computes meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.data.samples import Samples
from unwarp.waiting import send

SHARE_OF_FREE_MEMORY = 0.25
"""Greatest share of the free memory of a GPU that training samples take."""


@dataclass(frozen=True)
class Supply:
    """Batches of training samples on a device.

    Attributes:
        data: Training samples.
        device: Device of the batches.
        has_gaps: Whether samples may have missing values.
        copy: All samples (N, *shape) on the device; None if each batch is copied.

    >>> supply = Supply.of(Dataset(torch.ones(3, 1, 2)), torch.device("cpu"), nn.Identity())
    >>> supply.batch(torch.tensor([2]), torch.Generator()).x.tolist()
    [[[1.0, 1.0]]]
    """

    data: Samples
    device: torch.device
    has_gaps: bool = True
    copy: Tensor | None = None

    @classmethod
    def of(cls, data: Samples, device: torch.device, model: nn.Module) -> Supply:
        """The batches of some samples.

        Samples from which each step draws new observations are drawn on the CPU.

        Args:
            data: Training samples.
            device: Device of the batches.
            model: The module that is trained; a `Model` says whether samples may have gaps.
        """
        x = data.x if isinstance(data, Dataset) and data.draw is None else None
        has_gaps = getattr(model, "gaps", None)
        if has_gaps is None:
            has_gaps = x is None or bool(x.isnan().any())
        copy = x.to(device) if x is not None and _fits(x, device) else None
        return cls(data, device, has_gaps, copy)

    def batch(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """Some samples on the device.

        Args:
            rows: Row numbers (B,), int64, on the CPU.
            generator: Source of all randomness of the samples.

        Returns:
            B samples on the device, and `rows` on the CPU.
        """
        if self.copy is not None:
            return Batch(self.copy[send(rows, self.device)], rows)
        batch = self.data.batch(rows, generator)
        return Batch(send(batch.x, self.device), batch.index)


def _fits(x: Tensor, device: torch.device) -> bool:
    """Whether samples are to be copied to a device, as a whole."""
    if x.device == device or device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return x.nbytes <= SHARE_OF_FREE_MEMORY * free
