"""Several warps in a row, as one: `Chain(a, b)` moves the template by `a` first, then by `b`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.maps import IdentityMap, Map, chain
from unwarp.warps.warp import Warp


@dataclass(frozen=True, init=False)
class Chain(Warp):
    """Warps in a row; theta's columns stand in argument order, their names prefixed by the warp's.

    >>> from unwarp.warps import Affine2d, Displacement2d
    >>> warp = Chain(Displacement2d(2), Affine2d())
    >>> warp.factors[0].name, warp.factors[-1].name
    ('displacement_x_0_0', 'affine_shift_y')
    """

    name: ClassVar[str] = "chain"
    links: tuple[Warp, ...]

    def __init__(self, *links: Warp, size: Sequence[int] = (2, 2)) -> None:
        invertible = [link.map(torch.zeros(1, len(link.factors))).invertible for link in links]
        apart = [link.moves for link in links] == [True, False] or invertible == [False, True]
        if (
            not apart
            or not all(link.factors for link in links)
            or len({link.domain for link in links}) > 1
        ):
            raise ConfigError(
                f"Chain({', '.join(link.name for link in links)}): a chain is a residual without inverse, then a family with "
                "one, such as Chain(Displacement2d(4), Affine2d()), or a warp of time, then a gain, such as "
                "Chain(CosineTime(), Gain()): only then does theta describe it without loss"
            )
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "size", tuple(size))

    @property
    def domain(self) -> str:
        return self.links[0].domain

    @property
    def parts(self) -> tuple[Warp, ...]:
        return self.links

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Chain:
        return Chain(*(link.bind(size, extent) for link in self.links), size=size)

    def recentre(self, anchor: Map) -> Chain:
        return Chain(*(link.recentre(anchor) for link in self.links), size=self.size)

    @property
    def factors(self) -> tuple[Factor, ...]:
        return tuple(
            replace(f, name=f"{link.name}_{f.name}") for link in self.links for f in link.factors
        )

    def _split(self, theta: Tensor) -> list[tuple[Warp, Tensor]]:
        widths = [len(link.factors) for link in self.links]
        return list(zip(self.links, torch.split(theta, widths, -1), strict=True))

    def constrain(self, raw: Tensor) -> Tensor:
        return torch.cat([link.constrain(part) for link, part in self._split(raw)], -1)

    def map(self, theta: Tensor) -> Map:
        return chain(
            part for link, columns in self._split(theta) for part in link.map(columns).parts
        )

    def theta(self, map: Map) -> Tensor:
        return torch.cat([link.theta(map) for link in self.links], -1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        return {
            f: column for link in reversed(self.links) for f, column in link.summary(map).items()
        }

    def mean(self, map: Map) -> Map:
        mean: Map = IdentityMap(1)
        for link in self.links:
            mean = link.mean(map).compose(mean)
        return mean
