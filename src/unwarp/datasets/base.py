"""`Dataset`: named arrays that belong together, and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.types import Batch, DataError
from unwarp.warps import Map

Draw = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Dataset:
    """N samples and what is known of them.

    Attributes:
        x: Samples (N, C, H, W) or (N, C, T), float32; the clean originals where `draw` makes the observations.
        name: Name of the data set.
        source: Where it comes from, for people.
        licence: Licence as far as known.
        labels: Classes (N,), used by metrics alone.
        ids: Which original each sample shows (N,), where some are observed more than once.
        maps: The true deformations, where known.
        draw: How a batch of originals is observed afresh each time it is drawn in training; None: as it stands.
    """

    x: Tensor
    name: str = "data"
    source: str = ""
    licence: str = ""
    labels: np.ndarray[Any, Any] | None = None
    ids: np.ndarray[Any, Any] | None = None
    maps: Map | None = None
    draw: Draw | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in ("labels", "ids", "maps") and value is not None and len(value) != len(self.x):
                raise DataError(f"{item.name} has {len(value)} rows, x has {len(self.x)}; they must agree")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one observation, (C, ...)."""
        probe = self.batch(torch.zeros(1, dtype=torch.long), torch.Generator().manual_seed(0))
        return tuple(probe.x.shape[1:])

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """The samples at `index` (N,), freshly observed where the data set draws."""
        x = self.x[index]
        return Batch(self.draw(x, generator) if self.draw else x, index)

    def subset(self, rows: np.ndarray[Any, Any]) -> Dataset:
        """The same data set with some rows only."""
        index = torch.as_tensor(np.asarray(rows))
        kept: dict[str, Any] = {
            name: None if (v := getattr(self, name)) is None else v[np.asarray(rows)] for name in ("labels", "ids")
        }
        return replace(self, x=self.x[index], maps=None if self.maps is None else self.maps[index], **kept)
