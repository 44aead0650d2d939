"""Two families of deformations as one, applied one after the other."""

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
    """Two families as one: `Chain(a, b)` applies a to the template first.

    Its maps have `pull = pull_a o pull_b`. Columns of theta come in the order of the
    arguments, and their names start with the family's: `affine_shift_x`. Only two chains are
    allowed, because only their maps determine theta: a family without an inverse before an
    invertible one (`Displacement2d`, then `Affine2d`), and a family of points before one of values
    (`CosineTime`, then `Gain`). Theta is exact for maps of the chain, and after centring for those
    of `recentre`; the links project all other products one by one.

    Attributes:
        links: The two families, first acts first.

    >>> from unwarp.warps import Affine2d, Displacement2d
    >>> warp = Chain(Displacement2d(2), Affine2d())
    >>> warp.factors[0].name, warp.factors[-1].name
    ('displacement_x_0_0', 'affine_shift_y')
    """

    name: ClassVar[str] = "chain"
    links: tuple[Warp, ...]

    def __init__(self, *links: Warp, size: Sequence[int] = (2, 2)) -> None:
        """Chain families.

        Args:
            links: The families, first acts first.
            size: Samples per axis of the frame; `bind` sets it in the links, too.

        Raises:
            ConfigError: Theta would not determine the maps of the chain.
        """
        # whether a family has inverses shows in any of its maps
        invertible = [link.map(torch.zeros(1, len(link.factors))).is_invertible for link in links]
        is_points_then_values = [link.moves_points for link in links] == [True, False]
        is_residual_then_invertible = invertible == [False, True]
        if (
            not (is_points_then_values or is_residual_then_invertible)
            or not all(link.factors for link in links)
            or len({link.domain for link in links}) > 1
        ):
            raise ConfigError(
                f"Chain({', '.join(link.name for link in links)}) is not possible; chain a "
                "displacement with an invertible warp, such as Chain(Displacement2d(4), "
                "Affine2d()), or a warp of time with a gain, such as Chain(CosineTime(), Gain()): "
                "only then does theta describe the deformation without loss"
            )
        # a frozen dataclass with its own __init__ sets its fields this way
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "size", tuple(size))

    @property
    def domain(self) -> str:
        """Domain of the links, which all have the same."""
        return self.links[0].domain

    @property
    def parts(self) -> tuple[Warp, ...]:
        """The links, first acts first."""
        return self.links

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Chain:
        """The chain of the bound links.

        Args:
            size: Samples per axis of the frame, (H, W) or (T,).
            extent: Central share of the frame that templates fill, in (0, 1].

        Returns:
            A copy for this size.
        """
        return Chain(*(link.bind(size, extent) for link in self.links), size=size)

    def recentre(self, anchor: Map) -> Chain:
        """The chain of the recentred links.

        Args:
            anchor: The mean deformation, one row.

        Returns:
            The family of the maps `m.compose(anchor.invert())`.
        """
        return Chain(*(link.recentre(anchor) for link in self.links), size=self.size)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Factors of the links in order, prefixed by the link's name."""
        return tuple(
            replace(f, name=f"{link.name}_{f.name}") for link in self.links for f in link.factors
        )

    def _split(self, theta: Tensor) -> list[tuple[Warp, Tensor]]:
        """Pairs of a link and its columns (N, P_link)."""
        widths = [len(link.factors) for link in self.links]
        return list(zip(self.links, torch.split(theta, widths, -1), strict=True))

    def constrain(self, raw: Tensor) -> Tensor:
        """Theta (N, P): each link constrains its columns of `raw` (N, P)."""
        return torch.cat([link.constrain(part) for link, part in self._split(raw)], -1)

    def map(self, theta: Tensor) -> Map:
        """The product of the links' maps.

        Args:
            theta: Parameters (N, P), the columns of the first link first.

        Returns:
            A map of N rows in normal form; a gain comes first there, since it commutes.
        """
        return chain(
            part for link, columns in self._split(theta) for part in link.map(columns).parts
        )

    def theta(self, map: Map) -> Tensor:
        """Theta (N, P): each link reads its part of the map."""
        return torch.cat([link.theta(map) for link in self.links], -1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Human columns (N,) of the links, the last link first."""
        return {
            f: column for link in reversed(self.links) for f, column in link.summary(map).items()
        }

    def mean(self, map: Map) -> Map:
        """The product of the links' mean deformations, one row."""
        mean: Map = IdentityMap(1)
        for link in self.links:
            mean = link.mean(map).compose(mean)
        return mean
