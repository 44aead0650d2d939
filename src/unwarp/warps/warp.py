"""The interface of families of deformations, and the identity.

Convention:
    * Theta and maps say how the **template** moves to give the **observation**. `push` sends a
      template point to its observed position, `pull` sends an observed point to the template.
      A picture is made by `pull`: `observation(p) = template(pull(p))`. A dot of the template
      that is shifted by +0.5 in x appears at x = +0.5.
    * A point of a picture is (x, y), x to the right and y down, in half-widths: -1 and 1 are the
      outer *edges* of the first and the last pixel (`align_corners=False`). A point of a series
      is its time: 0 is the first *sample* and 1 the last one (sample i of T is at i / (T - 1)).
    * `outer.compose(inner)`: `inner` acts on the template first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import isabstract
from typing import Any, ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor, Registry
from unwarp.errors import ConfigError
from unwarp.warps.maps import IdentityMap, Map


@dataclass(frozen=True)
class Warp(ABC):
    """A family of deformations: a frozen record without weights.

    A network predicts any real numbers (N, P); `constrain` brings them into the box of `factors`
    and gives theta, `map` turns theta into a batch of deformations, and `theta` leads back. A
    product of maps may leave the box: theta is a chart of maps, its columns do not add up.

    Laws: `map(constrain(0))` is the identity; `theta(map(t))` is t; all of it is differentiable;
    and the sign law of this file holds. To add a family, derive a frozen dataclass with a class
    attribute `name`; it registers itself under that name and `Unwarper(warp=name)` finds it.

    Attributes:
        name: Name of the family, as users write it.
        registry: Every family by its name.
        size: Samples per axis of the frame, (H, W) or (T,), which `bind` sets. Human columns in
            pixels or samples and the aspect ratio of a picture depend on it. Unbound, a picture
            is square and one pixel is one half-width.

    >>> import torch
    >>> from unwarp.warps import Similarity2d
    >>> warp = Similarity2d().bind((28, 28))
    >>> [factor.name for factor in warp.factors]
    ['rotation', 'log_scale', 'shift_x', 'shift_y']
    >>> map = warp.map(warp.constrain(torch.zeros(1, 4)))
    >>> map.push(torch.tensor([[0.25, -0.5]])).tolist()
    [[[0.25, -0.5]]]
    """

    name: ClassVar[str]
    registry: ClassVar[Registry[type[Warp]]] = Registry("warp", ConfigError)
    size: tuple[int, ...] = field(default=(2, 2), kw_only=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register a concrete subclass that defines a `name`."""
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls) and not isabstract(cls):
            Warp.registry.add(cls.name, cls)

    @property
    def domain(self) -> str:
        """Name of the domain of its samples, or `auto` for any domain."""
        return "image"

    @property
    def moves_points(self) -> bool:
        """Whether the family moves points, instead of changing values alone."""
        return True

    @property
    @abstractmethod
    def factors(self) -> tuple[Factor, ...]:
        """Name, unit and range of each column of theta.

        The ranges are symmetric about 0. They bound the prediction of one stage of an encoder and
        set the scale of the prior; products of stages may exceed them.
        """

    @abstractmethod
    def constrain(self, raw: Tensor) -> Tensor:
        """Bring any real numbers into the box of `factors`.

        Args:
            raw: Outputs of a network, (N, P).

        Returns:
            Theta (N, P), strictly increasing in `raw` column by column; 0 gives 0, the identity.
        """

    @abstractmethod
    def map(self, theta: Tensor) -> Map:
        """The deformations with the parameters theta.

        Args:
            theta: Parameters (N, P), one column per factor; they may be outside the box.

        Returns:
            A map of N rows, differentiable in theta.
        """

    @abstractmethod
    def theta(self, map: Map) -> Tensor:
        """Parameters of a map: the chart of the family.

        Args:
            map: Deformations of this family, or products with other maps.

        Returns:
            Theta (N, P): exact for maps of the family, a projection for all other maps.
        """

    @abstractmethod
    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns of a table for people, in human units.

        Args:
            map: N deformations.

        Returns:
            Columns (N,) by factor; a name ends in its unit, such as `rotation_deg`.
        """

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from the columns of `summary`: the way back from a table.

        Args:
            columns: Columns (N,) by name, in the units of `summary`.

        Returns:
            Theta (N, P).

        Raises:
            ConfigError: A column is missing, or the columns do not determine theta.
        """
        raise ConfigError(
            f"the columns {', '.join(columns)} do not determine theta of {self.name!r}; "
            "use a table with full=True, which has every column of theta"
        )

    @property
    def parts(self) -> tuple[Warp, ...]:
        """The elementary families, first the one that acts on the template first."""
        return (self,)

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Warp:
        """The same family for samples of a known size.

        Args:
            size: Samples per axis of the frame, (H, W) or (T,).
            extent: Central share of the frame that templates fill, in (0, 1]; families with a
                grid of their own spread it over this part.

        Returns:
            A copy with this `size`.
        """
        return replace(self, size=tuple(size))

    def recentre(self, anchor: Map) -> Warp:
        """The family of centred maps, with a mean deformation divided out.

        A group of maps (affine maps, lags, gains) contains these maps already and returns itself.

        Args:
            anchor: The mean deformation, one row; `m.compose(anchor.invert())` is the centred `m`.

        Returns:
            The family of the centred maps, for its `map` and `theta`.
        """
        return self

    def mean(self, map: Map) -> Map:
        """The mean deformation: averages of theta, column by column.

        Angles are averaged on the circle, and a full circle has mean 0, since no direction is
        preferred. All other columns (log scales, shears, shifts) have their arithmetic mean.

        Args:
            map: N deformations.

        Returns:
            An invertible map of one row.
        """
        theta = self.theta(map)
        mean = theta.mean(0, keepdim=True)
        angle = torch.atan2(theta.sin().mean(0, keepdim=True), theta.cos().mean(0, keepdim=True))
        is_angle, is_full_circle = (
            torch.tensor(flags, device=theta.device)
            for flags in (
                [factor.unit == "rad" for factor in self.factors],
                [factor.periodic for factor in self.factors],
            )
        )
        return self.map(torch.where(is_angle, angle, mean).masked_fill(is_full_circle, 0.0))

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        fraction: float = 1.0,
        like: Tensor | None = None,
    ) -> Map:
        """Random deformations, uniform in each column of theta.

        Args:
            n: Number of deformations.
            generator: Source of randomness on the CPU; None for the global one.
            fraction: Central share of each range, 0 to 1; a full circle is always sampled whole.
            like: Tensor with the dtype and the device of the result; None for float32 on the CPU.

        Returns:
            A map of `n` rows.
        """
        # random numbers come from the CPU, so that a seed gives the same maps on every device
        theta = torch.rand(n, len(self.factors), generator=generator) * 2 - 1
        half_ranges = torch.tensor(
            [f.half_range * (1.0 if f.periodic else fraction) for f in self.factors]
        )
        return self.map((theta * half_ranges).to(torch.zeros(0) if like is None else like))


@dataclass(frozen=True)
class Identity(Warp):
    """The family without a deformation: theta has no column.

    A model with it is the plain autoencoder of its kind, the baseline without a warp. It suits
    samples of every domain.

    >>> import torch
    >>> Identity().map(torch.zeros(3, 0))
    IdentityMap(n=3)
    """

    name: ClassVar[str] = "identity"

    @property
    def domain(self) -> str:
        """`auto`: any domain."""
        return "auto"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """No factor."""
        return ()

    def constrain(self, raw: Tensor) -> Tensor:
        """The empty columns (N, 0) themselves."""
        return raw

    def map(self, theta: Tensor) -> IdentityMap:
        """The identity with as many rows as theta (N, 0)."""
        return IdentityMap(len(theta))

    def theta(self, map: Map) -> Tensor:
        """Empty columns (N, 0), for any map of N rows."""
        return map.reference.new_zeros(len(map), 0)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """No column."""
        return {}

    def mean(self, map: Map) -> IdentityMap:
        """The identity of one row."""
        return IdentityMap(1)
