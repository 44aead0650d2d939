"""`Canvas`: the frame of a sample, and the part of it that templates fill."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from unwarp.errors import DataError
from unwarp.warps import Map, Padding, Window, interpolate_missing


@dataclass(frozen=True)
class Canvas:
    """The frame of a sample, and the part of it that templates fill.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        window: The part of the frame that the decoder draws.
        padding: Content of the frame beyond a template.
        gaps: Whether samples may have gaps (NaN).
    """

    shape: tuple[int, ...]
    window: Window
    padding: Padding = "zeros"
    gaps: bool = False

    @cached_property
    def frame(self) -> Window:
        """The window that is the whole frame."""
        return Window.frame(self.shape[1:])

    def draw(self, templates: Tensor, map: Map) -> Tensor:
        """Templates on the frame, deformed.

        Args:
            templates: Templates on `window`, (N, C, ...).
            map: Their deformations, N or one for all.

        Returns:
            Pictures or series (N, *shape).
        """
        return torch.as_tensor(map(templates, self.window, self.frame, self.padding))

    def encoder_input(self, x: Tensor) -> Tensor:
        """Samples (N, *shape) as an encoder takes them: gaps filled, their mask behind the values.

        Raises:
            DataError: Samples of another shape.
        """
        if x.shape[1:] != self.shape:
            raise DataError(
                f"samples have shape {tuple(x.shape[1:])}, the model was built for {self.shape}; "
                "use recipe.build(data.shape)"
            )
        if not self.gaps:
            return x
        return torch.cat([interpolate_missing(x), torch.isfinite(x).to(x)], 1)
