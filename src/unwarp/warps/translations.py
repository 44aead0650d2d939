"""Translations of images: a whole picture moves, and does not turn.

Convention:
    `p_obs = p_template + t`. Theta has shifts in half-widths, the summary columns in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.affine_map import AffineMap, affine_part, translation
from unwarp.warps.maps import Map
from unwarp.warps.warp import Warp, check_theta, log_slope_of_tanh


@dataclass(frozen=True)
class Translation2d(Warp):
    """Shifts of whole images: the group of translations of the plane.

    `p_obs = p_template + t`. Theta is (shift_x, shift_y). Use it if nothing turns or grows, such as
    for frames of a stage that drifts. The family is closed under products and inverses, and theta
    is exact for its maps. For any other affine map, theta is the movement of the centre.

    Attributes:
        shift: Largest shift in half-widths that one stage predicts.

    >>> import torch
    >>> warp = Translation2d(size=(40, 40))
    >>> {f.name: float(v) for f, v in warp.summary(warp.map(torch.tensor([[0.5, 0.0]]))).items()}
    {'shift_x_px': 10.0, 'shift_y_px': 0.0}
    """

    name: ClassVar[str] = "translation"
    shift: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.shift > 0:
            raise ConfigError(
                f"shift={self.shift} is out of range; give the largest shift in half-widths, above "
                "0, or the warp 'identity'"
            )

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Two shifts, in half-widths."""
        return tuple(
            Factor(f"shift_{axis}", "half-widths", -self.shift, self.shift) for axis in "xy"
        )

    def constrain(self, raw: Tensor) -> Tensor:
        """Theta (N, 2) of real numbers `raw` (N, 2): `shift tanh(raw)`."""
        return self.shift * torch.tanh(raw)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives (N, 2) of tanh at `raw` (N, 2)."""
        return log_slope_of_tanh(raw)

    def map(self, theta: Tensor) -> AffineMap:
        """Shifts with parameters (N, 2)."""
        check_theta(self, theta)
        return translation(theta)

    def theta(self, map: Map) -> Tensor:
        """Movement of the centre.

        Args:
            map: N deformations; only their last part is used (identity if it is not affine).

        Returns:
            Theta (N, 2).
        """
        return affine_part(map).matrix[..., 2]

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns `shift_x_px` and `shift_y_px` of a map."""
        theta, (height, width) = self.theta(map), self.size
        return {
            Factor(f"shift_{axis}_px", "px", -self.shift * side / 2, self.shift * side / 2): column
            * side
            / 2
            for axis, side, column in zip("xy", (width, height), theta.unbind(1), strict=True)
        }

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from the columns of `summary`.

        Args:
            columns: Columns (N,) by name, in pixels.

        Returns:
            Theta (N, 2).

        Raises:
            ConfigError: A column of `summary` is missing.
        """
        names = ["shift_x_px", "shift_y_px"]
        missing = [name for name in names if name not in columns]
        if missing:
            raise ConfigError(
                f"columns {', '.join(missing)} are missing; {self.name!r} needs {', '.join(names)}"
            )
        height, width = self.size
        sides = columns[names[0]].new_tensor([width, height])
        return torch.stack([columns[name] for name in names], -1) * 2 / sides
