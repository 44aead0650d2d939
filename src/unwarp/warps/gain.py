"""The affine counterpart for values of series: a gain and an offset, which chain with the warps of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.maps import IdentityMap, Map
from unwarp.warps.warp import Warp
from unwarp.warps.window import Padding, Window


@dataclass(frozen=True)
class GainMap(Map):
    """N changes of values: the observation is gain x template + offset, at the same points.

    Attributes:
        gain: Positive factors (N,).
        offset: What is added, in units of the values (N,).
    """

    gain: Tensor
    offset: Tensor

    def __len__(self) -> int:
        return len(self.gain)

    @property
    def reference(self) -> Tensor:
        return self.gain

    def __getitem__(self, rows: Tensor | slice) -> GainMap:
        return GainMap(self.gain[rows], self.offset[rows])

    def pull(self, points: Tensor) -> Tensor:
        return points.expand(len(self), *points.shape[-2:])

    def push(self, points: Tensor) -> Tensor:
        return self.pull(points)

    @property
    def point_map(self) -> Map:
        return IdentityMap(len(self))

    def invert(self) -> GainMap:
        return GainMap(1 / self.gain, -self.offset / self.gain)

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """Gains multiply, and act before any map of points, with which they commute."""
        if isinstance(inner, GainMap):
            return (GainMap(self.gain * inner.gain, self.gain * inner.offset + self.offset),)
        return (self, inner)

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        gain, offset = (part.reshape(-1, *[1] * (x.dim() - 1)) for part in (self.gain, self.offset))
        return IdentityMap(len(x))(gain * x + offset, source, target, padding)


@dataclass(frozen=True)
class Gain(Warp):
    """One gain and one offset a series, for all its channels: theta is (log gain, offset).

    Attributes:
        most: Largest gain; the smallest is its inverse.
        offset: Largest offset, in units of the values that the map sees: in a model, standard deviations.

    >>> import torch
    >>> louder = Gain().map(torch.tensor([[0.0, 0.5]]))
    >>> louder(torch.tensor([[[1.0, 2.0]]])).tolist()
    [[[1.5, 2.5]]]
    """

    name: ClassVar[str] = "gain"
    most: float = 2.0
    offset: float = 1.0
    size: tuple[int, ...] = field(default=(2,), kw_only=True)

    def __post_init__(self) -> None:
        if not self.most > 1:
            raise ConfigError(f"Gain: most={self.most} is the largest factor and must be above 1")
        if not self.offset > 0:
            raise ConfigError(f"Gain: offset={self.offset} must be positive")

    @property
    def domain(self) -> str:
        return "series"

    @property
    def moves(self) -> bool:
        return False

    @property
    def factors(self) -> tuple[Factor, ...]:
        log = math.log(self.most)
        return (
            Factor("log_gain", "log factor", -log, log),
            Factor("offset", "sd", -self.offset, self.offset),
        )

    def constrain(self, raw: Tensor) -> Tensor:
        return torch.tanh(raw) * raw.new_tensor([f.half_range for f in self.factors])

    def map(self, theta: Tensor) -> GainMap:
        return GainMap(theta[:, 0].exp(), theta[:, 1])

    def theta(self, map: Map) -> Tensor:
        found = gain_part(map)
        return torch.stack([found.gain.log(), found.offset], -1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        found = gain_part(map)
        return {
            Factor("gain", "factor", 1 / self.most, self.most): found.gain,
            Factor("offset", "sd", -self.offset, self.offset): found.offset,
        }

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        missing = [name for name in ("gain", "offset") if name not in columns]
        if missing:
            raise ConfigError(
                f"columns {', '.join(missing)} are missing; {self.name!r} needs gain, offset"
            )
        return torch.stack([columns["gain"].log(), columns["offset"]], -1)


def gain_part(map: Map) -> GainMap:
    """What a map does to values; nothing where it only moves points."""
    found = [part for part in map.parts if isinstance(part, GainMap)]
    return (
        found[0]
        if found
        else GainMap(map.reference.new_ones(len(map)), map.reference.new_zeros(len(map)))
    )
