"""Changes of values by a gain and an offset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.constants import constant
from unwarp.warps.maps import IdentityMap, Map
from unwarp.warps.warp import Warp, check_theta, log_slope_of_tanh
from unwarp.warps.window import Padding, Window


@dataclass(frozen=True)
class GainMap(Map):
    """N changes of values, `x_obs = g x + b`.

    No point moves. Products and inverses of gains are gains, and exact. A gain commutes with every
    map of points, so that it comes first in a product.

    Attributes:
        gain: Positive factors g, (N,).
        offset: Offsets b in units of the values, (N,).

    >>> import torch
    >>> louder = GainMap(torch.tensor([2.0]), torch.tensor([1.0]))
    >>> louder.compose(louder)(torch.ones(1, 1, 2)).tolist()
    [[[7.0, 7.0]]]
    """

    gain: Tensor
    offset: Tensor

    def __len__(self) -> int:
        return len(self.gain)

    @property
    def reference(self) -> Tensor:
        """The gains, with the dtype and the device of the map."""
        return self.gain

    def __getitem__(self, rows: Tensor | slice) -> GainMap:
        return GainMap(self.gain[rows], self.offset[rows])

    def pull(self, points: Tensor) -> Tensor:
        """The points themselves (N, P, axes), since no point moves."""
        return points.expand(len(self), *points.shape[-2:])

    def push(self, points: Tensor) -> Tensor:
        """The points themselves (N, P, axes), since no point moves."""
        return self.pull(points)

    @property
    def point_map(self) -> Map:
        """The identity, since no point moves."""
        return IdentityMap(len(self))

    is_invertible = True

    def invert(self) -> GainMap:
        """The inverse, with gain 1 / g and offset -b / g."""
        return GainMap(1 / self.gain, -self.offset / self.gain)

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """The product with an inner map.

        Args:
            inner: The map that acts first.

        Returns:
            If `inner` is a `GainMap` (g', b'), one gain g g' with the offset g b' + b. Otherwise
            this map and then `inner`: it acts first now, since it commutes with maps of points.
        """
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
        """Change the values of templates; arguments as for `Map`.

        The values are changed before padding, so that values beyond `source` are 0 with the padding
        `zeros`, not the offset.
        """
        gain, offset = (part.reshape(-1, *[1] * (x.dim() - 1)) for part in (self.gain, self.offset))
        return IdentityMap(len(x))(gain * x + offset, source, target, padding)


@dataclass(frozen=True)
class Gain(Warp):
    """One gain and one offset per sample, for all its channels.

    `x_obs = exp(theta_0) x_template + theta_1`. Theta is (log_gain, offset), exact for every
    product of these maps. Use it after a warp that moves points: `Chain(CosineTime(), Gain())` for
    recordings of different loudness or baseline, `Chain(Affine2d(), Gain())` for pictures of
    different contrast. A chain gives it the domain of the other warp.

    Attributes:
        most: Largest gain that one stage predicts; the smallest is its inverse.
        offset: Largest offset that one stage predicts, in units of the values. A model takes
            standardised series, so that the unit is their standard deviation, and pictures with
            values from 0 to 1, so that it is their range.

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
        super().__post_init__()
        if not self.most > 1:
            raise ConfigError(
                f"Gain: most={self.most} is the largest gain; give a number above 1, since the "
                "smallest gain is 1 / most"
            )
        if not self.offset > 0:
            raise ConfigError(f"Gain: offset={self.offset} is not positive; give more than 0")

    @property
    def domain(self) -> str:
        """`series` or `image`, by the number of axes of `size`."""
        return "series" if len(self.size) == 1 else "image"

    @property
    def unit(self) -> str:
        """Unit of offsets: `sd` for series, `range` for pictures."""
        return "sd" if self.domain == "series" else "range"

    @property
    def moves_points(self) -> bool:
        """False: values change, and no point moves."""
        return False

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Columns of theta: `log_gain` and `offset` (in `unit`)."""
        limit = math.log(self.most)
        return (
            Factor("log_gain", "log factor", -limit, limit),
            Factor("offset", self.unit, -self.offset, self.offset),
        )

    def constrain(self, raw: Tensor) -> Tensor:
        """Theta (N, 2) as `half_range tanh(raw)` of real numbers `raw` (N, 2)."""
        return torch.tanh(raw) * constant(tuple(f.half_range for f in self.factors), raw)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives (N, 2) of tanh at `raw` (N, 2)."""
        return log_slope_of_tanh(raw)

    def map(self, theta: Tensor) -> GainMap:
        """Changes of values with the parameters theta (N, 2)."""
        check_theta(self, theta)
        return GainMap(theta[:, 0].exp(), theta[:, 1])

    def theta(self, map: Map) -> Tensor:
        """Log gain and offset of a map.

        Args:
            map: N deformations; a map without a gain counts as gain 1 with offset 0.

        Returns:
            Theta (N, 2).
        """
        change = gain_part(map)
        return torch.stack([change.gain.log(), change.offset], -1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns (N,) of a map: `gain` (a factor) and `offset` (in `unit`)."""
        change = gain_part(map)
        return {
            Factor("gain", "factor", 1 / self.most, self.most): change.gain,
            Factor("offset", self.unit, -self.offset, self.offset): change.offset,
        }

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from the columns `gain` and `offset`.

        Args:
            columns: Columns (N,) by name.

        Returns:
            Theta (N, 2).

        Raises:
            ConfigError: A column is missing.
        """
        missing = [name for name in ("gain", "offset") if name not in columns]
        if missing:
            raise ConfigError(
                f"columns {', '.join(missing)} are missing; {self.name!r} needs gain, offset"
            )
        return torch.stack([columns["gain"].log(), columns["offset"]], -1)


def gain_part(map: Map) -> GainMap:
    """The change of values within a map.

    Args:
        map: N deformations.

    Returns:
        The first gain among the parts of the map, else N gains of 1 with offsets of 0.
    """
    gains = [part for part in map.parts if isinstance(part, GainMap)]
    if gains:
        return gains[0]
    return GainMap(map.reference.new_ones(len(map)), map.reference.new_zeros(len(map)))
