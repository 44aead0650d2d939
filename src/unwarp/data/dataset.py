"""`Dataset`: named arrays and facts of a collection."""

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


def reference_view(data: Dataset, most: int = 60_000, seed: int = 5) -> Dataset:
    """Training data as the model sees it, each sample observed once: what neighbours and clusters are fitted on."""
    rows = (
        np.arange(len(data))
        if len(data) <= most
        else np.random.default_rng(seed).permutation(len(data))[:most]
    )
    kept = data.subset(rows)
    if kept.draw is None:
        return kept
    return replace(kept, x=kept.draw(kept.x, torch.Generator().manual_seed(seed)), draw=None)


Draw = Callable[[Tensor, torch.Generator], Tensor]


COLUMNS = ("labels", "ids", "maps", "factor_values", "mask", "times")
"""What has one row for each sample."""


@dataclass(frozen=True)
class Dataset:
    """N samples and what is known of them.

    Attributes:
        x: Samples (N, C, H, W) or (N, C, T), float32; the clean originals where `draw` makes the observations.
        name: Name of the data set.
        registered_name: Name by which `datasets.load` knows it; empty for any other.
        source: Where it comes from, for people.
        licence: Licence as far as known.
        labels: Classes (N,), used by metrics alone.
        ids: Which original each sample shows (N,), where some are observed more than once.
        maps: The true deformations, where known.
        factors: What each column of `factor_values` is.
        factor_values: Known factors of variation (N, F), in the units of `factors`.
        orders: Where all samples of a class share their canonical frame, how many turns of the full circle leave each class as
            it was, by label; None where they do not share it.
        mask: True where `x` was observed (N, ...), where some of it is missing.
        times: Time stamps (N, T) of series, where they are not evenly spaced.
        draw: How a batch of originals is observed afresh each time it is drawn in training; None: as it stands.
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
        for name in COLUMNS:
            value = getattr(self, name)
            if value is not None and len(value) != len(self.x):
                raise DataError(
                    f"{name} has {len(value)} rows, x has {len(self.x)}; they must agree"
                )
        found = (len(self.x), 0) if self.factor_values is None else self.factor_values.shape
        if found != (len(self.x), len(self.factors)):
            raise DataError(
                f"factor_values has shape {found}, factors name {len(self.factors)} columns; give both alike"
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one observation, (C, ...)."""
        probe = self.batch(torch.zeros(1, dtype=torch.long), torch.Generator().manual_seed(0))
        return tuple(probe.x.shape[1:])

    @property
    def domain(self) -> Domain | None:
        """What the samples are, by their number of axes; None where no domain has so many."""
        return Domain.of_axes(self.x.ndim - 2)

    def batch(self, index: Tensor, generator: torch.Generator) -> Batch:
        """The samples at `index` (N,), freshly observed where the data set draws."""
        x = self.x[index]
        return Batch(self.draw(x, generator) if self.draw else x, index)

    def subset(self, rows: np.ndarray[Any, Any]) -> Dataset:
        """The same data set with some rows only."""
        places = np.asarray(rows)
        index = torch.as_tensor(places)
        kept: dict[str, Any] = {"x": self.x[index]}
        for name in COLUMNS:
            value = getattr(self, name)
            if value is not None:
                kept[name] = value[places if isinstance(value, np.ndarray) else index]
        return replace(self, **kept)
