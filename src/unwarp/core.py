"""Shared by every floor: `Factor`, `Batch`, `Array`, and the choices that have names.

Importing this file imports neither torch nor NumPy, so that the command line answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[Any]
    Labels = NDArray[Any]
else:

    def __getattr__(name: str) -> Any:
        """`Array` or `Labels`, the aliases that need NumPy."""
        if name not in ("Array", "Labels"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from numpy.typing import NDArray

        return NDArray[Any]


DomainName = Literal["auto", "image", "series"]
"""How samples are read."""


MissingPolicy = Literal["error", "interpolate", "mask"]
"""What a missing value of a series becomes."""


ScaleName = Literal["auto", "channel", "each"]
"""What is brought to one scale: all that was learned from, each channel, or each sample."""


DeviceName = Literal["auto", "cpu", "cuda", "mps"]
"""Where to compute."""


Precision = Literal["no", "fp16", "bf16"]
"""Mixed precision in training; `no` for float32."""


LatentDensity = Literal["auto", "prior", "mixture"]
"""The density that new codes are sampled from."""


LatentPart = Literal["content", "deformation"]
"""The part of the latents that a traversal varies."""


PathKind = Literal["linear", "spherical"]
"""How codes are joined."""


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
