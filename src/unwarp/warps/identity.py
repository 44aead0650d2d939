"""The family without a deformation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from unwarp.core import Factor
from unwarp.warps.maps import IdentityMap, Map
from unwarp.warps.warp import Warp, check_theta


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
        """`raw` itself, which has no columns (N, 0)."""
        return raw

    def log_slope(self, raw: Tensor) -> Tensor:
        """`raw` itself, which has no columns (N, 0)."""
        return raw

    def map(self, theta: Tensor) -> IdentityMap:
        """The identity with as many rows as theta (N, 0)."""
        check_theta(self, theta)
        return IdentityMap(len(theta))

    def theta(self, map: Map) -> Tensor:
        """A tensor without columns (N, 0), for any map of N rows."""
        return map.reference.new_zeros(len(map), 0)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """No column."""
        return {}

    def mean(self, map: Map) -> IdentityMap:
        """The identity of one row."""
        return IdentityMap(1)
