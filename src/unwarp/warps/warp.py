"""Deformations without weights: what a `Warp` and a `Map` promise, and the one convention.

Convention:
    * `theta` and maps say how the **template** moved to give the **observation**. `push` sends a template point to
      where it is seen; `pull` sends an observed point to the template point it shows. A picture is made by `pull`:
      `observation(p) = template(pull(p))`. A dot of the template shifted by +0.5 in x is seen at +0.5.
    * Points are normalised frame coordinates: -1 and 1 are the outer *edges* of the first and last pixel
      (`align_corners=False`), x points right, y points down; a point is (x, y). A point of a series is its time: the
      first *sample* stands at 0, the last one at 1 (sample i of T at i / (T - 1)).
    * `outer.compose(inner)`: `inner` acts on the template first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isabstract
from typing import Any, ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor, Registry
from unwarp.errors import ConfigError
from unwarp.warps.maps import IdentityMap, Map


@dataclass(frozen=True)
class Warp(ABC):
    """A family of deformations: a choice without weights. The columns of theta (N, P) are its `factors`.

    Attributes:
        size: Samples per axis of the frame (H, W) that the warp is bound to by `bind`; pixel columns and the aspect of
            a picture come from it. Unbound, the frame is square with one pixel a half-width.
    """

    name: ClassVar[str]
    registry: ClassVar[Registry[type[Warp]]] = Registry("warp", ConfigError)
    size: tuple[int, ...] = field(default=(2, 2), kw_only=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls) and not isabstract(cls):
            Warp.registry.add(cls.name, cls)

    @property
    def domain(self) -> str:
        """What the family deforms: pictures, series, or either (`auto`)."""
        return "image"

    @property
    def moves(self) -> bool:
        """Whether the family moves points, rather than changing values alone."""
        return True

    @property
    @abstractmethod
    def factors(self) -> tuple[Factor, ...]:
        """One `Factor` for each column of theta; their ranges bound what one stage predicts."""

    @abstractmethod
    def constrain(self, raw: Tensor) -> Tensor:
        """Bring any real numbers (N, P) into the box of `factors`; zero gives the identity."""

    @abstractmethod
    def map(self, theta: Tensor) -> Map:
        """The deformations with parameters `theta` (N, P)."""

    @abstractmethod
    def theta(self, map: Map) -> Tensor:
        """The chart: parameters (N, P) of `map`; exact for closed families, a projection otherwise."""

    @abstractmethod
    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns (N,) in human units, each with its own `Factor`."""

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta (N, P) from the human columns of `summary` by name; the way back from a table.

        Raises:
            ConfigError: A column is missing, or the family's summary does not determine theta.
        """
        raise ConfigError(
            f"the columns {', '.join(columns)} do not determine theta of {self.name!r}; use full=True"
        )

    @property
    def parts(self) -> tuple[Warp, ...]:
        """The elementary warps in the order in which they act on the template."""
        return (self,)

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Warp:
        """The same family bound to a frame of `size` samples whose templates fill the central `extent`."""
        from dataclasses import replace

        return replace(self, size=tuple(size))

    def recentre(self, anchor: Map) -> Warp:
        """The same family after centring, with `anchor` taken out of every map; most families absorb it."""
        return self

    def mean(self, map: Map) -> Map:
        """The mean deformation as one invertible map: circular for angles (none for a full circle), else arithmetic."""
        theta = self.theta(map)
        mean = theta.mean(0, keepdim=True)
        turn = torch.atan2(theta.sin().mean(0, keepdim=True), theta.cos().mean(0, keepdim=True))
        angle, circle = (
            torch.tensor(which, device=theta.device)
            for which in (
                [f.unit == "rad" for f in self.factors],
                [f.periodic for f in self.factors],
            )
        )
        return self.map(torch.where(angle, turn, mean).masked_fill(circle, 0.0))

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        fraction: float = 1.0,
        like: Tensor | None = None,
    ) -> Map:
        """`n` deformations, every column uniform over `fraction` of its range, for augmentation; device as `reference`."""
        theta = torch.rand(n, len(self.factors), generator=generator) * 2 - 1
        half = torch.tensor(
            [f.half_range * (1.0 if f.periodic else fraction) for f in self.factors]
        )
        return self.map((theta * half).to(torch.zeros(0) if like is None else like))


@dataclass(frozen=True)
class Identity(Warp):
    """The family that moves nothing: with it a model is the plain autoencoder of its kind."""

    name: ClassVar[str] = "identity"

    @property
    def domain(self) -> str:
        return "auto"

    @property
    def factors(self) -> tuple[Factor, ...]:
        return ()

    def constrain(self, raw: Tensor) -> Tensor:
        return raw

    def map(self, theta: Tensor) -> IdentityMap:
        return IdentityMap(len(theta))

    def theta(self, map: Map) -> Tensor:
        return map.reference.new_zeros(len(map), 0)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        return {}

    def mean(self, map: Map) -> IdentityMap:
        return IdentityMap(1)
