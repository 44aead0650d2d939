"""Two families of deformations as one, applied one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.values import brief
from unwarp.warps.constants import lazy_property
from unwarp.warps.maps import IdentityMap, Map, chain
from unwarp.warps.warp import Warp, as_size, check_theta


@dataclass(frozen=True, init=False)
class Chain(Warp):
    """Two families as one: `Chain(a, b)` applies a to the template first.

    Its maps have `pull(p) = pull_a(pull_b(p))`. The columns of theta are those of the two families,
    in the order of the arguments, with the family's name in front: `affine_shift_x`. Three kinds
    of chains are allowed, since only their maps determine theta: a family without inverses followed
    by an invertible one (`Displacement2d`, then `Affine2d`), a family that moves points followed by
    one that changes values (`CosineTime` or `Affine2d`, then `Gain`), and a warp of time with fixed
    ends followed by lags (`CosineTime`, then `TimeShift` or `TimeAffine`), which move the ends.
    Theta is exact for maps of the chain and, after centring, for maps of the chain that `recentre`
    returns. For any other map, each family approximates its own part.

    Attributes:
        links: The two families, in the order in which they act.
        anchor: The mean deformation that centring removes from maps, for chains that end with lags;
            `recentre` sets it. None without centring, and for other chains.

    >>> from unwarp.warps import Affine2d, Displacement2d
    >>> warp = Chain(Displacement2d(2), Affine2d())
    >>> warp.factors[0].name, warp.factors[-1].name
    ('displacement_x_0_0', 'affine_shift_y')
    """

    name: ClassVar[str] = "chain"
    links: tuple[Warp, ...]
    anchor: Map | None = field(default=None, compare=False, repr=False)

    def __init__(
        self, *links: Warp, size: Sequence[int] = (2, 2), anchor: Map | None = None
    ) -> None:
        """Chain families.

        Args:
            links: The families, in the order in which they act.
            size: Size of the frame: pixels (H, W) or time steps (T,). `bind` also sets it in the
                links; this argument does not.
            anchor: The mean deformation, one row; None without centring.

        Raises:
            ConfigError: The maps of the chain would not determine theta.
        """
        if mistakes := [link for link in links if not isinstance(link, Warp)]:
            raise ConfigError(
                f"links={brief(mistakes[0])} is no warp; give warps, such as "
                "Chain(Displacement2d(4), Affine2d())"
            )
        # a change of values has no domain of its own: it has the frame of the other link
        links = tuple(
            link if link.moves_points else replace(link, size=links[0].size) for link in links
        )
        # the maps of a family are all invertible or none is, so that a single map tells
        invertible = [link.map(torch.zeros(1, len(link.factors))).is_invertible for link in links]
        is_points_then_values = [link.moves_points for link in links] == [True, False]
        is_only_second_invertible = invertible == [False, True]
        is_possible = is_points_then_values or is_only_second_invertible or _has_lines(links)
        if (
            not is_possible
            or not all(link.factors for link in links)
            or len({link.domain for link in links}) > 1
        ):
            raise ConfigError(
                f"Chain({', '.join(link.name for link in links)}) is not possible; chain a "
                "displacement with an invertible warp, such as Chain(Displacement2d(4), "
                "Affine2d()), any warp with a gain, such as Chain(Affine2d(), Gain()), or a warp "
                "of time with lags, such as Chain(CosineTime(), TimeShift()): only then does "
                "theta describe the deformation without loss"
            )
        # a frozen dataclass with its own __init__ sets its fields this way
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "size", as_size(size))
        object.__setattr__(self, "anchor", anchor)

    @property
    def domain(self) -> str:
        """Domain of the links, which all have the same."""
        return self.links[0].domain

    @property
    def parts(self) -> tuple[Warp, ...]:
        """The links, in the order in which they act."""
        return self.links

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Chain:
        """The chain of the bound links.

        Args:
            size: Size of the frame: pixels (H, W) or time steps (T,).
            extent: Central share of the frame that templates fill, in (0, 1].

        Returns:
            A copy for this size.
        """
        return Chain(*(link.bind(size, extent) for link in self.links), size=size)

    def with_size(self, size: Sequence[int]) -> Chain:
        """The chain with links on a frame of another size.

        Args:
            size: Size of the frame: pixels (H, W) or time steps (T,).
        """
        links = (link.with_size(size) for link in self.links)
        return Chain(*links, size=size, anchor=self.anchor)

    def recentre(self, anchor: Map) -> Chain:
        """The chain of the recentred links.

        Args:
            anchor: The mean deformation of the training samples, one row.

        Returns:
            The chain that describes centred maps, `map.compose(anchor.invert())`.
        """
        if _has_lines(self.links):
            return Chain(*self.links, size=self.size, anchor=anchor)
        return Chain(*(link.recentre(anchor) for link in self.links), size=self.size)

    @lazy_property
    def factors(self) -> tuple[Factor, ...]:
        """Factors of the links in order, with the link's name in front."""
        return tuple(
            replace(f, name=f"{link.name}_{f.name}") for link in self.links for f in link.factors
        )

    def _split(self, theta: Tensor) -> list[tuple[Warp, Tensor]]:
        """Each link with its columns of theta (N, P_link)."""
        widths = [len(link.factors) for link in self.links]
        return list(zip(self.links, torch.split(theta, widths, -1), strict=True))

    def constrain(self, raw: Tensor) -> Tensor:
        """Theta (N, P): each link constrains its columns of `raw` (N, P)."""
        return torch.cat([link.constrain(part) for link, part in self._split(raw)], -1)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives (N, P): each link differentiates its columns of theta."""
        return torch.cat([link.log_slope(part) for link, part in self._split(raw)], -1)

    def map(self, theta: Tensor) -> Map:
        """The product of the links' maps.

        Args:
            theta: Parameters (N, P), the columns of the first link first.

        Returns:
            A map of N rows, with its parts merged as far as possible. A gain becomes the first
            part, since it commutes with maps of points.
        """
        check_theta(self, theta)
        product = chain(
            part for link, columns in self._split(theta) for part in link.map(columns).parts
        )
        return product if self.anchor is None else product.compose(self._anchor(product).invert())

    def _anchor(self, map: Map) -> Map:
        """The anchor with the dtype and the device of a map; the identity if there is none."""
        if self.anchor is None:
            return IdentityMap(1)
        uncentred = Chain(*self.links, size=self.size)
        theta = torch.cat([link.theta(part) for link, part in uncentred._parts(self.anchor)], -1)
        return uncentred.map(theta.to(map.reference))

    def _parts(self, map: Map) -> list[tuple[Warp, Map]]:
        """Each link with the map that it reads theta from.

        A line in time moves the ends of the template, and what remains of the map is that of the
        other link. All other links read the whole map.
        """
        if not _has_lines(self.links):
            return [(link, map) for link in self.links]
        inner, outer = self.links
        map = map.compose(self._anchor(map))
        ends = outer.theta_of_ends(map)
        assert ends is not None
        line = outer.map(ends)
        return [(inner, line.invert().compose(map)), (outer, line)]

    def theta(self, map: Map) -> Tensor:
        """Theta (N, P): each link reads its part of the map."""
        return torch.cat([link.theta(part) for link, part in self._parts(map)], -1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Summary columns (N,) of the links, those of the last link first.

        Of two columns of one name the lag is that of the last link, and a speed that of the first.
        """
        columns: dict[Factor, Tensor] = {}
        parts = self._parts(map)
        if self.anchor is not None:
            means = Chain(*self.links, size=self.size)._parts(self._anchor(map))
            pairs = zip(parts, means, strict=True)
            parts = [(link, part.compose(mean.invert())) for (link, part), (_, mean) in pairs]
        for link, part in reversed(parts):
            summary = link.summary(part)
            names = {factor.name for factor in summary}
            columns = {
                factor: column
                for factor, column in columns.items()
                if factor.name not in names or factor.name.startswith("lag")
            }
            names = {factor.name for factor in columns}
            columns |= {f: column for f, column in summary.items() if f.name not in names}
        return columns

    def mean(self, map: Map) -> Map:
        """The product of the links' mean deformations, one row."""
        mean: Map = IdentityMap(1)
        for link, part in self._parts(map):
            mean = link.mean(part).compose(mean)
        return mean if self.anchor is None else mean.compose(self._anchor(map).invert())


def _has_lines(links: Sequence[Warp]) -> bool:
    """Whether a chain is a warp with fixed ends, then a line in time."""
    if len(links) != 2 or not links[0].has_fixed_ends:
        return False
    identity = links[1].map(torch.zeros(1, len(links[1].factors)))
    return links[1].theta_of_ends(identity) is not None
