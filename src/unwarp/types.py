"""The words that every layer shares: `Factor`, `Batch`, `Kind` and the errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal["auto", "image", "series"]


class UnwarpError(Exception):
    """Base of every error that a user can cause; the message says what came and what to do."""


class DataError(UnwarpError, ValueError):
    """Data that cannot be used as given: rank, size, range, missing values, an unreadable file."""


class ConfigError(UnwarpError, ValueError):
    """A choice that does not exist or does not fit: an unknown warp, a value out of bounds."""


class CheckpointError(UnwarpError, ValueError):
    """A model or run folder that is damaged, absent, or written by a newer format."""


class TrainingError(UnwarpError, RuntimeError):
    """A training run that cannot go on; the message names the step, the player and the term."""


class NotInvertibleError(UnwarpError, RuntimeError):
    """A map was asked for something that its family does not have, such as an inverse."""


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
