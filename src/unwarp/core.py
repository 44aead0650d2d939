"""What every floor shares: `Factor`, `Batch` and `Array`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Labels = NDArray[Any]


DomainName = Literal["auto", "image", "series"]


@dataclass(frozen=True)
class Factor:
    """One column of numbers: of a deformation table, or a known factor of a data set.

    Attributes:
        name: Column name, such as `rotation_deg`.
        unit: Unit as printed on an axis, such as `deg`, `px` or `factor`; empty for none.
        low: Lower end of the range (sliders, axes, scaling of errors).
        high: Upper end of the range.
        periodic: Whether `low` and `high` are the same point (a full circle).
    """

    name: str
    unit: str
    low: float
    high: float
    periodic: bool = False

    @property
    def half_range(self) -> float:
        """Half the distance from `low` to `high`, the scale of the prior."""
        return (self.high - self.low) / 2

    @property
    def label(self) -> str:
        """Name for people: `rotation (deg)`."""
        words = self.name.removesuffix(f"_{self.unit}").replace("_", " ")
        return f"{words} ({self.unit})" if self.unit else words


@dataclass(frozen=True)
class Batch:
    """A slice of a data set: `x` (N, C, ...) and the positions `index` (N,) it came from."""

    x: Tensor
    index: Tensor

    def __len__(self) -> int:
        return len(self.x)
