"""Smooth displacement fields of images, interpolated from vectors on a coarse grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError, NotInvertibleError
from unwarp.warps.affine_map import AffineMap, affine_part, translation
from unwarp.warps.maps import IdentityMap, Map
from unwarp.warps.warp import Warp, check_theta, log_slope_of_tanh

MAX_GRID = 64
"""Greatest number of control vectors along an axis: theta then has 8,192 columns."""


@dataclass(frozen=True)
class DisplacementMap(Map):
    """N displacement fields `pull(p) = F(q - d(q))` with `q = F^-1(p)`.

    The field d interpolates the control vectors with Keys' cubic convolution kernel (a = -0.75),
    `d(q) = sum_ij c_ij k(u - i) k(v - j)`, so that its derivative is continuous. The affine map F
    is the identity unless a single affine map acts before the displacement (see `merge`). The maps
    have no `push` and no inverse.

    R. G. Keys (1981), Cubic convolution interpolation for digital image processing, IEEE ASSP 29.

    Attributes:
        control: Control vectors (N, 2, g, g), x then y, in half-widths; they belong to the cell
            centres of a g x g division of the window.
        extent: Share of the frame that the window covers. Along each axis, the field no longer
            changes further than half a cell outside the window.
        frame: The affine map F, one row, from the coordinates q of the grid to those of the
            template.

    >>> import torch
    >>> right = DisplacementMap(torch.tensor([0.25, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 2, 2),
    ...                         1.0, translation(torch.zeros(1, 2)))
    >>> right.pull(torch.tensor([[0.5, 0.5]])).tolist()
    [[[0.25, 0.5]]]
    """

    control: Tensor
    extent: float
    frame: AffineMap

    def __len__(self) -> int:
        return len(self.control)

    @property
    def reference(self) -> Tensor:
        """The control vectors, with the dtype and the device of the map."""
        return self.control

    def __getitem__(self, rows: Tensor | slice) -> DisplacementMap:
        return replace(self, control=self.control[rows])

    def _field(self, points: Tensor) -> Tensor:
        """Displacements (N, P, 2) at points of the window, (P, 2) for all rows or (N, P, 2)."""
        n, _, g, _ = self.control.shape
        grid = points / self.extent
        if points.dim() == 3 and len(points) > 1:
            return _bicubic(self.control, grid[:, None]).squeeze(2).mT
        # all rows share the points: compute the kernel's weights once (from unit vectors at the
        # nodes), then multiply them by the control vectors of all rows
        nodes = torch.eye(g * g, dtype=points.dtype, device=points.device).reshape(1, g * g, g, g)
        basis = _bicubic(nodes, grid.reshape(1, 1, -1, 2)).reshape(g * g, -1)
        return (self.control.reshape(n * 2, -1) @ basis).reshape(n, 2, -1).mT

    def pull(self, points: Tensor) -> Tensor:
        """Template points that are visible at observed points.

        Args:
            points: Observed points (P, 2) for all rows, or (N, P, 2), in half-widths.

        Returns:
            Template points (N, P, 2).
        """
        local = self.frame.pull(points)
        return self.frame.push(local - self._field(local))

    is_invertible = False

    def push(self, points: Tensor) -> Tensor:
        """Not available.

        Raises:
            NotInvertibleError: Always.
        """
        raise NotInvertibleError(
            "a displacement maps observed points to template points only, so template points have "
            "no observed position; use pull, or invertible_part() of the map"
        )

    def invert(self) -> Map:
        """Not available.

        Raises:
            NotInvertibleError: Always.
        """
        raise NotInvertibleError(
            "a displacement has no inverse; use invertible_part(), the part of the map that has one"
        )

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """Swap places with one affine map that acts first.

        As deformations, D o A = A o D' (the right one acts first); D' is D with F replaced by
        A^-1 F. Therefore centring by an affine mean deformation keeps the control vectors.

        Args:
            inner: The map that acts first.

        Returns:
            D' and then `inner`, in the order in which they act; None if `inner` is not affine or
            has several rows.
        """
        if not isinstance(inner, AffineMap) or len(inner) > 1:
            return None
        frame = inner.invert().compose(self.frame)
        assert isinstance(frame, AffineMap)
        return (replace(self, frame=frame), inner)


def _bicubic(values: Tensor, grid: Tensor) -> Tensor:
    """Bicubic interpolation of `values` (N, C, g, g) at points `grid` (N, H, W, 2), -1 to 1."""
    return F.grid_sample(values, grid, mode="bicubic", padding_mode="border", align_corners=False)


@dataclass(frozen=True)
class Displacement2d(Warp):
    """Displacement fields with control vectors on a `grid` x `grid` lattice.

    `pull(p) = p - d(p)` with a bicubic field d (see `DisplacementMap`). Theta holds the vectors in
    half-widths: x of all nodes row by row, then y. Use it before an affine warp,
    `Chain(Displacement2d(4), Affine2d())`, for objects that also bend. Theta is exact for maps of
    the family; the maps have no inverse, and a product of two is not in the family.

    Attributes:
        grid: Control vectors along each axis, 2 or more.
        reach: Largest component of a control vector, in half-widths.
        extent: Share of the frame that the lattice covers, which `bind` sets.
        frame: The affine map F of `DisplacementMap` after centring, as the six entries of its 2 x 3
            matrix row by row, which `recentre` sets; None for the identity.

    >>> import torch
    >>> warp = Displacement2d(2, size=(20, 20))
    >>> right = warp.map(torch.tensor([[0.1] * 4 + [0.0] * 4]))
    >>> {f.name: round(float(v), 3) for f, v in warp.summary(right).items()}
    {'residual_px': 1.0}
    """

    name: ClassVar[str] = "displacement"
    grid: int = 4
    reach: float = 0.15
    extent: float = 1.0
    frame: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.grid <= MAX_GRID:
            raise ConfigError(
                f"grid={self.grid} is out of range; give 2 to {MAX_GRID} control vectors along "
                "each axis"
            )
        if self.frame is not None and len(self.frame) != 6:
            raise ConfigError(
                f"frame={self.frame} is no affine map; give the 6 numbers of its matrix, or None"
            )
        if self.reach < 0 or not 0 < self.extent <= 1:
            raise ConfigError(
                f"reach={self.reach} or extent={self.extent} is out of range; give a reach of 0 or "
                "more, and an extent above 0, at most 1"
            )

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Displacement2d:
        """The same family for images of a known size.

        Args:
            size: Height and width of the frame in pixels.
            extent: Central share of the frame that the lattice covers, in (0, 1].

        Returns:
            A copy with this size and extent.
        """
        return replace(cast(Displacement2d, super().bind(size)), extent=extent)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Columns of theta: `x_row_column` of all nodes, then `y_row_column`, in half-widths."""
        nodes = [
            f"{axis}_{i}_{j}" for axis in "xy" for i in range(self.grid) for j in range(self.grid)
        ]
        return tuple(Factor(node, "half-widths", -self.reach, self.reach) for node in nodes)

    def constrain(self, raw: Tensor) -> Tensor:
        """Theta (N, 2 g^2) as `reach tanh(raw)` of real numbers."""
        return self.reach * torch.tanh(raw)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives (N, 2 g^2) of tanh at `raw` (N, 2 g^2)."""
        return log_slope_of_tanh(raw)

    def map(self, theta: Tensor) -> DisplacementMap:
        """Displacement fields with the control vectors theta (N, 2 g^2)."""
        check_theta(self, theta)
        frame = translation(theta.new_zeros(1, 2))
        if self.frame is not None:
            frame = AffineMap(theta.new_tensor(self.frame).reshape(1, 2, 3))
        return DisplacementMap(theta.reshape(-1, 2, self.grid, self.grid), self.extent, frame)

    def theta(self, map: Map) -> Tensor:
        """The control vectors of a map.

        Args:
            map: N deformations.

        Returns:
            Theta (N, 2 g^2) of the displacement that acts first, zeros if there is none.
        """
        # only products of maps have several displacements, and theta cannot describe them
        displacements = [part for part in map.parts if isinstance(part, DisplacementMap)]
        if displacements:
            return displacements[0].control.flatten(1)
        return map.reference.new_zeros(len(map), len(self.factors))

    def recentre(self, anchor: Map) -> Displacement2d:
        """The family of centred maps; its lattice moves with the templates.

        Args:
            anchor: The mean deformation of the training samples, one row, invertible.

        Returns:
            A copy with the anchor in its `frame`; theta keeps its values.
        """
        inverse = anchor.invert()
        zero = affine_part(inverse).matrix.new_zeros(1, len(self.factors))
        centred = self.map(zero).compose(inverse).parts[0]
        assert isinstance(centred, DisplacementMap)
        return replace(self, frame=tuple(centred.frame.matrix.flatten().tolist()))

    def mean(self, map: Map) -> IdentityMap:
        """The identity: centring cannot remove a displacement, which has no inverse."""
        return IdentityMap(1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """The column `residual_px`: the size of the displacement.

        Args:
            map: N deformations.

        Returns:
            Root mean square length of the control vectors (N,), in pixels.
        """
        height, width = self.size
        vectors = self.theta(map).reshape(len(map), 2, -1)
        pixels = vectors * vectors.new_tensor([[width / 2], [height / 2]])
        limit = self.reach * max(height, width) / 2
        return {Factor("residual_px", "px", 0.0, limit): pixels.square().sum(1).mean(-1).sqrt()}
