"""`Canvas`: the frame of a sample and the window of its template."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.errors import DataError
from unwarp.warps import Map, Padding, Window, interpolate_missing


@dataclass(frozen=True)
class Canvas:
    """The frame of a sample and the window of its template.

    The frame is the whole area of an image or the whole time span of a series. The window is the
    part of it that templates fill. The canvas deforms templates onto the frame, and prepares
    samples for encoders. Every model has one.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        window: The part of the frame that the decoder's templates fill.
        padding: Values outside a template: `zeros`, `border` or `reflection`.
        gaps: Whether samples may have gaps (NaN).

    >>> from unwarp.warps import IdentityMap
    >>> canvas = Canvas((1, 4, 4), Window.frame((4, 4)).crop(0.5))
    >>> canvas.render(torch.ones(1, 1, 2, 2), IdentityMap(1))[0, 0, 1]
    tensor([0., 1., 1., 0.])
    """

    shape: tuple[int, ...]
    window: Window
    padding: Padding = "zeros"
    gaps: bool = False

    @property
    def frame(self) -> Window:
        """The whole frame as a window, of size (H, W) or (T,)."""
        return Window.frame(self.shape[1:])

    def render(self, templates: Tensor, map: Map) -> Tensor:
        """Deformed templates on the whole frame.

        Args:
            templates: Templates (N, C, ...) on `window`.
            map: N deformations, or one for all templates.

        Returns:
            Images or series (N, *shape), before the link.
        """
        return torch.as_tensor(map(templates, self.window, self.frame, self.padding))

    def encoder_input(self, x: Tensor) -> Tensor:
        """Samples in the form that an encoder takes.

        Without `gaps` they are returned unchanged. With `gaps`, missing values are interpolated in
        time, and a mask channel is appended for each channel: 1 for observed values, 0 in gaps.

        Args:
            x: Samples (N, *shape); NaN in gaps.

        Returns:
            Finite samples (N, C, ...), with 2 C channels if `gaps`.

        Raises:
            DataError: The samples have another shape.
        """
        if x.shape[1:] != self.shape:
            raise DataError(
                f"x has samples of shape {tuple(x.shape[1:])}, the model was built for "
                f"{self.shape}; build a model for these samples with recipe.build(data.shape)"
            )
        if not self.gaps:
            return x
        return torch.cat([interpolate_missing(x), torch.isfinite(x).to(x)], 1)
