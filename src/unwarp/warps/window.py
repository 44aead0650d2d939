"""The part of a frame that an array shows, and reading an array at points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.errors import ConfigError

Padding = Literal["zeros", "border", "reflection"]


PADDINGS: tuple[Padding, ...] = ("zeros", "border", "reflection")


@dataclass(frozen=True)
class Window:
    """A centred window of the frame: its samples per axis (H, W) or (T,), and its share of the frame per axis (y, x)."""

    size: tuple[int, ...]
    extent: tuple[float, ...]

    @classmethod
    def frame(cls, size: Sequence[int]) -> Window:
        """The whole frame at `size` samples per axis."""
        return cls(tuple(size), (1.0,) * len(size))

    def crop(self, share: float) -> Window:
        """The central window with about `share` of the samples along each axis, on the same pixel grid."""
        series = len(self.size) == 1
        fewest = [min(n, 2 + n % 2) if series else 2 - n % 2 for n in self.size]
        size = tuple(
            max(few, n - 2 * round((1 - share) * n / 2))
            for few, n in zip(fewest, self.size, strict=True)
        )
        gap = int(series and self.size[0] > 1)
        reach = zip(self.extent, size, self.size, strict=True)
        return Window(size, tuple(e * (m - gap) / (n - gap) for e, m, n in reach))

    def lattice(self, like: Tensor) -> Tensor:
        """Sample centres in frame coordinates, (P, axes), x first, with dtype and device of `reference`; times of a series."""
        if len(self.size) == 1:
            steps = torch.arange(self.size[0], dtype=like.dtype, device=like.device) / max(
                self.size[0] - 1, 1
            )
            return ((steps - 0.5) * self.extent[0] + 0.5)[:, None]
        axes = [
            ((2 * torch.arange(n, dtype=like.dtype, device=like.device) + 1) / n - 1) * e
            for n, e in zip(self.size, self.extent, strict=True)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], -1).reshape(-1, len(axes))


def resample(
    x: Tensor, points: Tensor, source: Window, target: Window, padding: Padding = "zeros"
) -> Tensor:
    """Read `x` (N, C, *source.size) at `points` (N, P, axes), giving (N, C, *target.size); linear along each axis."""
    series = len(source.size) == 1
    grid = 2 * points - 1 if series else points
    if not all(e == 1 for e in source.extent):
        grid = grid / torch.tensor(source.extent[::-1], dtype=points.dtype, device=points.device)
    if series:
        grid = F.pad(grid, (0, 1))
        x = x.unsqueeze(2)
    size = (1, *target.size) if series else target.size
    grid = grid.expand(len(x), -1, -1).reshape(len(x), *size, grid.shape[-1])
    out = F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=series)
    return out.reshape(*out.shape[:2], *target.size)


def check_padding(padding: str) -> None:
    """Refuse an unknown padding mode with the list of known ones."""
    if padding not in PADDINGS:
        raise ConfigError(f"padding={padding!r} is unknown; choose one of {', '.join(PADDINGS)}")
