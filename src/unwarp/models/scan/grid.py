"""Poses of pictures on a grid.

A turn is a rotation, a scale and a mirror; a shift follows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.models.registration import generators
from unwarp.warps import AffineMap, Map, Warp, translation
from unwarp.warps.affine_map import affine_part

Device = torch.device | str

N_SCALES = 5
"""Number of scales to try for a warp that scales."""

MAX_SHIFT = 0.5
"""Greatest shift to try, in half-widths."""

WIDTH_OF_PEAK_RAD = math.radians(40)
"""Greatest distance of angles that belong to one peak of a likelihood."""


@dataclass(frozen=True)
class Grid:
    """Poses that a picture is compared at.

    Attributes:
        family: Family of affine maps, bound to the frame of the pictures.
        table: Angle, log scale and mirror of each turn (O, 3).
        size: Height and width of pictures in pixels.
        reach: Greatest shift along an axis in pixels.

    >>> from unwarp.warps import Rigid2d
    >>> grid = Grid.of(Rigid2d(rotation=180, mirror=True, size=(16, 16)), (16, 16), 24)
    >>> len(grid.table), grid.reach, len(grid.shifts)
    (48, 4, 81)
    """

    family: Warp
    table: Tensor
    size: tuple[int, int]
    reach: int

    @classmethod
    def of(cls, family: Warp, size: tuple[int, int], n_angles: int, device: Device = "cpu") -> Grid:
        """The grid of a family of maps.

        Args:
            family: Family of affine maps, bound to a frame.
            size: Height and width of pictures in pixels.
            n_angles: Number of angles, spread over the range of the family.
            device: Device of the pictures.
        """
        factors = {factor.name: factor for factor in family.factors}
        scale = next((f for f in family.factors if f.name.startswith("log_scale")), None)
        axes = (
            _angles(factors["rotation"], n_angles),
            _steps(scale.half_range, N_SCALES) if scale else torch.zeros(1),
            torch.arange(2.0 if "mirror" in factors else 1.0),
        )
        shift = min(factors["shift_x"].half_range, MAX_SHIFT)
        table = torch.cartesian_prod(*axes).to(device)
        return cls(family, table, size, round(shift * min(size) / 2))

    @property
    def turns(self) -> AffineMap:
        """The turns, maps of templates without shifts (O)."""
        return affine_part(self.maps(self.table))

    def maps(self, table: Tensor, shift: Tensor | None = None) -> Map:
        """Maps from templates to pictures.

        Args:
            table: Angles, log scales and mirrors (N, 3).
            shift: Shifts (N, 2) in pixels, (y, x); None for none.
        """
        columns = {"rotation": 0, "mirror": 2, "log_scale": 1, "log_scale_x": 1, "log_scale_y": 1}
        none = torch.zeros_like(table[:, 0])
        theta = [
            table[:, columns[f.name]] if f.name in columns else none for f in self.family.factors
        ]
        map = self.family.map(torch.stack(theta, -1))
        if shift is None:
            return map
        half_sides = shift.new_tensor(self.size[::-1]) / 2
        return translation(shift.flip(1) / half_sides).compose(map)

    @property
    def directions(self) -> Tensor:
        """Directions (P, 2, 3) in which turns and shifts vary."""
        names, basis = ("rotation", "shift_x", "shift_y"), generators(self.family)
        scales = ("log_scale", "log_scale_x", "log_scale_y")
        varying = [f.name for f in self.family.factors if not f.discrete and f.half_range > 0]
        parts = [basis[varying.index(name)] for name in names if name in varying]
        scaling = [basis[varying.index(name)] for name in scales if name in varying]
        parts += [torch.stack(scaling).sum(0)] if scaling else []
        return torch.stack(parts).to(self.table) if parts else basis[:0].to(self.table)

    @property
    def is_periodic(self) -> bool:
        """Whether angles go round the full circle."""
        return any(factor.periodic for factor in self.family.factors)

    @property
    def angles_and_scales(self) -> Tensor:
        """Angle and log scale of each turn (O, 2)."""
        return self.table[:, :2]

    @property
    def numbers(self) -> Tensor:
        """Numbers (O, 2) of turns that have a Gaussian prior.

        Angles of the full circle have none, and are 0.
        """
        return self.angles_and_scales * self.table.new_tensor([float(not self.is_periodic), 1.0])

    @property
    def shifts(self) -> Tensor:
        """Shifts (S, 2) in pixels, (y, x)."""
        steps = torch.arange(-self.reach, self.reach + 1.0, device=self.table.device)
        return torch.cartesian_prod(steps, steps)

    @property
    def places(self) -> Tensor:
        """Places (S,) of the shifts in a flattened picture on the circle."""
        y, x = (self.shifts % self.shifts.new_tensor(self.size)).long().T
        places: Tensor = y * self.size[1] + x
        return places

    def neighbours(self, turn: Tensor) -> tuple[Tensor, Tensor]:
        """The turns of the same peak, and their distances.

        Args:
            turn: Turns (N,), rows of the table.

        Returns:
            Whether a turn is of the peak (N, O), and changes of angle and log scale (N, O, 2).
        """
        change = self.table - self.table[turn][:, None]
        angle = change[..., 0]
        if self.is_periodic:
            angle = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
        is_near = (angle.abs() <= WIDTH_OF_PEAK_RAD) & (change[..., 2] == 0)
        return is_near, torch.stack([angle, change[..., 1]], -1)


def _angles(factor: Factor, n: int) -> Tensor:
    """Angles (A,) over the range of a factor."""
    if factor.periodic:
        return torch.arange(n) * (2 * math.pi / n)
    return _steps(factor.half_range, n)


def _steps(half_range: float, n: int) -> Tensor:
    """Numbers spread over a range; 0 alone for a range of 0."""
    return torch.linspace(-half_range, half_range, n) if half_range > 0 else torch.zeros(1)
