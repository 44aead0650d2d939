"""Windows of a frame, their grids, and interpolation of arrays at points.

The frame is the area or the time that an observation covers.

Convention:
    An image fills its frame from edge to edge: -1 and 1 are the outer edges of the first and the
    last pixel (`align_corners=False`). A series fills its frame from its first time step (0) to its
    last (1). Points are (x, y) or (time,); sizes are pixels (H, W) or time steps (T,).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.errors import ConfigError
from unwarp.values import brief
from unwarp.warps.constants import cache_tensors, constant

Padding = Literal["zeros", "border", "reflection"]
"""Values beyond an array: 0, the nearest value on its border, or a mirror image."""

MAX_KEPT_POINTS = 1 << 16
"""Greatest number of points of a lattice that is kept for its next use."""

PADDINGS: tuple[Padding, ...] = ("zeros", "border", "reflection")


@dataclass(frozen=True)
class Window:
    """A window about the centre of a frame, with its grid.

    The grid points are pixel centres or time steps. A model may compute templates on a window that
    is smaller than the frame. A call of a map takes two windows: `source` of the template and
    `target` of the observation.

    Attributes:
        size: Pixels (H, W) of images, time steps (T,) of series.
        extent: Size of the window along each axis as a share of the frame, in the order of `size`.

    >>> frame = Window.frame((20, 40))
    >>> frame.crop(0.5)
    Window(size=(10, 20), extent=(0.5, 0.5))
    """

    size: tuple[int, ...]
    extent: tuple[float, ...]

    @classmethod
    def frame(cls, size: Sequence[int]) -> Window:
        """The window that is the whole frame.

        Args:
            size: Pixels (H, W) or time steps (T,).

        Returns:
            The window with an extent of 1 along each axis.

        Raises:
            ConfigError: `size` is no tuple or list, or an empty one.
        """
        if not isinstance(size, Sequence) or isinstance(size, str | bytes) or not size:
            raise ConfigError(f"size={brief(size)} is no size of a frame; give (H, W) or (T,)")
        return cls(tuple(size), (1.0,) * len(size))

    def crop(self, share: float) -> Window:
        """The central part of this window, on the same grid.

        The number of grid points along an axis stays even or odd, so that the grid points of the
        crop are grid points of this window. At least 1 or 2 pixels, or 2 or 3 time steps, remain.

        Args:
            share: Share of the grid points to keep along each axis, in (0, 1], rounded.

        Returns:
            The smaller window.
        """
        is_series = len(self.size) == 1
        min_sizes = [min(n, 2 + n % 2) if is_series else 2 - n % 2 for n in self.size]
        size = tuple(
            max(min_size, n - 2 * round((1 - share) * n / 2))
            for min_size, n in zip(min_sizes, self.size, strict=True)
        )
        # n pixels have n widths, but n time steps have n - 1 intervals
        excess = int(is_series and self.size[0] > 1)
        axes = zip(self.extent, size, self.size, strict=True)
        return Window(size, tuple(e * (m - excess) / (n - excess) for e, m, n in axes))

    def lattice(self, like: Tensor) -> Tensor:
        """Positions of the pixels or time steps, in frame coordinates.

        Args:
            like: Tensor with the dtype and the device of the result.

        Returns:
            Points (P, axes), in the order of the flattened array: (x, y) of pixel centres in
            half-widths, or times of a series as shares of its length. Nobody may change them: the
            next call returns the same tensor, unless the lattice is large or a model is traced.
        """
        if math.prod(self.size) > MAX_KEPT_POINTS:
            return self._points(like)
        return _lattice(self, like)

    def _points(self, like: Tensor) -> Tensor:
        """Positions (P, axes) of `lattice`, computed anew."""
        if len(self.size) == 1:
            steps = torch.arange(self.size[0], dtype=like.dtype, device=like.device) / max(
                self.size[0] - 1, 1
            )
            return ((steps - 0.5) * self.extent[0] + 0.5)[:, None]
        axes = self.axes(like)
        return torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], -1).reshape(-1, len(axes))

    def axes(self, like: Tensor) -> tuple[Tensor, ...]:
        """Positions of the pixels of images along each axis, in half-widths.

        Args:
            like: Tensor with the dtype and the device of the result.

        Returns:
            Positions (H,) and (W,). Nobody may change them: the next call returns the same tensors.
        """
        return tuple(_axis(n, e, like) for n, e in zip(self.size, self.extent, strict=True))


@cache_tensors
def _axis(n: int, extent: float, like: Tensor) -> Tensor:
    """Centres of n pixels between -extent and extent."""
    return ((2 * torch.arange(n, dtype=like.dtype, device=like.device) + 1) / n - 1) * extent


@cache_tensors
def _lattice(window: Window, like: Tensor) -> Tensor:
    """The lattice of a window."""
    return window._points(like)


@dataclass(frozen=True)
class Band(Window):
    """Some lines of a window, to deform large arrays in parts.

    Attributes:
        window: The window.
        lines: Those of its lines, or time steps, that the band has.

    >>> torch.equal(Band.of(Window.frame((4, 4)), slice(1, 3)).lattice(torch.zeros(0)),
    ...             Window.frame((4, 4)).lattice(torch.zeros(0))[4:12])
    True
    """

    window: Window
    lines: slice

    @classmethod
    def of(cls, window: Window, lines: slice) -> Band:
        """Some lines of a window.

        Args:
            window: The window.
            lines: The lines, or time steps, within the window.
        """
        n = len(range(window.size[0])[lines])
        return cls((n, *window.size[1:]), window.extent, window, lines)

    def lattice(self, like: Tensor) -> Tensor:
        """Positions (P, axes) of the band, as of `Window.lattice`; never kept."""
        if len(self.size) == 1:
            return self.window.lattice(like)[self.lines]
        return self._points(like)

    def axes(self, like: Tensor) -> tuple[Tensor, ...]:
        """Positions of the band's lines and columns, as of `Window.axes`."""
        y, *rest = self.window.axes(like)
        return y[self.lines], *rest


def resample(
    x: Tensor, points: Tensor, source: Window, target: Window, padding: Padding = "zeros"
) -> Tensor:
    """Interpolate arrays at points, linearly along each axis.

    Args:
        x: Arrays (N, C, *source.size).
        points: Points to evaluate, (N, P, axes) or (1, P, axes) for all rows, in frame coordinates;
            P is the number of pixels or time steps of `target`.
        source: Window of `x`.
        target: Window of the result; only its size is used.
        padding: Values beyond `source`: `zeros`, `border` or `reflection`.

    Returns:
        Arrays (N, C, *target.size).
    """
    is_series = len(source.size) == 1
    grid = 2 * points - 1 if is_series else points
    # grid_sample takes coordinates of the source, from -1 to 1
    if not all(e == 1 for e in source.extent):
        grid = grid / constant(source.extent[::-1], points)
    if is_series:  # grid_sample takes images: a series becomes an image of one row
        grid = F.pad(grid, (0, 1))
        x = x.unsqueeze(2)
    size = (1, *target.size) if is_series else target.size
    grid = grid.expand(len(x), -1, -1).reshape(len(x), *size, grid.shape[-1])
    values = F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=is_series)
    return values.reshape(*values.shape[:2], *target.size)


def check_padding(padding: str) -> None:
    """Refuse an unknown padding.

    Args:
        padding: Name to check.

    Raises:
        ConfigError: The name is none of `PADDINGS`; the message lists them.
    """
    if not (isinstance(padding, str) and padding in PADDINGS):
        raise ConfigError(f"padding={padding!r} is unknown; choose one of {', '.join(PADDINGS)}")
