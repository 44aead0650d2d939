"""Smooth residual displacements of pictures: a coarse grid of control vectors, interpolated bicubically."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError, NotInvertibleError
from unwarp.warps.affine import AffineMap, affine_part, translation
from unwarp.warps.maps import IdentityMap, Map
from unwarp.warps.warp import Warp


@dataclass(frozen=True)
class DisplacementMap(Map):
    """N displacement fields: an observed point p reads the template at p - d(p).

    Attributes:
        control: Control vectors (N, 2, g, g), x then y, in half-widths; cell centres of a g x g division of the window.
        extent: Reach of that window in half-frames; from half a cell beyond it the field is constant.
        frame: The affine map (one row) that carries the window's coordinates to the template's.
    """

    control: Tensor
    extent: float
    frame: AffineMap

    def __len__(self) -> int:
        return len(self.control)

    @property
    def reference(self) -> Tensor:
        return self.control

    def __getitem__(self, rows: Tensor | slice) -> DisplacementMap:
        return replace(self, control=self.control[rows])

    def _field(self, points: Tensor) -> Tensor:
        """Displacement at window `points` (P, 2) shared by all rows, or (N, P, 2)."""
        n, _, g, _ = self.control.shape
        grid = points / self.extent
        if points.dim() == 3 and len(points) > 1:
            return _bicubic(self.control, grid[:, None]).squeeze(2).mT
        nodes = torch.eye(g * g, dtype=points.dtype, device=points.device).reshape(1, g * g, g, g)
        basis = _bicubic(nodes, grid.reshape(1, 1, -1, 2)).reshape(g * g, -1)
        return (self.control.reshape(n * 2, -1) @ basis).reshape(n, 2, -1).mT

    def pull(self, points: Tensor) -> Tensor:
        local = self.frame.pull(points)
        return self.frame.push(local - self._field(local))

    def push(self, points: Tensor) -> Tensor:
        raise NotInvertibleError(
            "a displacement knows where an observed point reads, not where a template point goes"
        )

    def invert(self) -> Map:
        raise NotInvertibleError(
            "a displacement has no inverse here; `invertible_part()` gives the part of a map that has one"
        )

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        if not isinstance(inner, AffineMap) or len(inner) > 1:
            return None
        frames = inner.invert().compose(self.frame)
        assert isinstance(frames, AffineMap)
        return (replace(self, frame=frames), inner)


def _bicubic(values: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(values, grid, mode="bicubic", padding_mode="border", align_corners=False)


@dataclass(frozen=True)
class Displacement2d(Warp):
    """Residual displacements on a `grid` x `grid` lattice of control vectors; theta holds x of all nodes, then y.

    Attributes:
        grid: Control vectors along each axis.
        reach: Largest displacement of a control vector, in half-widths.
        extent: Share of the frame that the lattice covers (the template's window).
        frame: Row-major 2 x 3 matrix of the map that carries the lattice into a centred template; None: identity.
    """

    name: ClassVar[str] = "displacement"
    grid: int = 4
    reach: float = 0.15
    extent: float = 1.0
    frame: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.grid < 2:
            raise ConfigError(
                f"grid={self.grid} must be at least 2 control vectors along each axis"
            )
        if self.reach < 0 or not 0 < self.extent <= 1:
            raise ConfigError(
                f"reach={self.reach} must be 0 or more, extent={self.extent} within (0, 1]"
            )

    def bind(self, size: tuple[int, ...], extent: float = 1.0) -> Displacement2d:  # type: ignore[override]
        return replace(self, size=tuple(size), extent=extent)

    @property
    def factors(self) -> tuple[Factor, ...]:
        nodes = [
            f"{axis}_{i}_{j}" for axis in "xy" for i in range(self.grid) for j in range(self.grid)
        ]
        return tuple(Factor(node, "half-widths", -self.reach, self.reach) for node in nodes)

    def constrain(self, raw: Tensor) -> Tensor:
        return self.reach * torch.tanh(raw)

    def map(self, theta: Tensor) -> DisplacementMap:
        frame = translation(theta.new_zeros(1, 2))
        if self.frame is not None:
            frame = AffineMap(theta.new_tensor(self.frame).reshape(1, 2, 3))
        return DisplacementMap(theta.reshape(-1, 2, self.grid, self.grid), self.extent, frame)

    def theta(self, map: Map) -> Tensor:
        found = [part for part in map.parts if isinstance(part, DisplacementMap)]
        return (
            found[0].control.flatten(1)
            if found
            else map.reference.new_zeros(len(map), len(self.factors))
        )

    def recentre(self, anchor: Map) -> Displacement2d:
        back = anchor.invert()
        still = affine_part(back).matrix.new_zeros(1, len(self.factors))
        moved = self.map(still).compose(back).parts[0]
        assert isinstance(moved, DisplacementMap)
        return replace(self, frame=tuple(moved.frame.matrix.flatten().tolist()))

    def mean(self, map: Map) -> IdentityMap:
        return IdentityMap(1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        height, width = self.size
        vectors = self.theta(map).reshape(len(map), 2, -1)
        pixels = vectors * vectors.new_tensor([[width / 2], [height / 2]])
        most = self.reach * max(height, width) / 2
        return {Factor("residual_px", "px", 0.0, most): pixels.square().sum(1).mean(-1).sqrt()}
