"""`Canvas`: the frame of a sample and the window of its template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from unwarp.errors import DataError
from unwarp.warps import Map, Padding, Window, interpolate_missing


@dataclass(frozen=True)
class Canvas:
    """The frame of a sample and the window of its template.

    A model has one. It places templates on the frame, and prepares samples for encoders.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        window: The part of the frame that the decoder's templates fill.
        padding: Values of the frame outside a template: `zeros`, `border` or `reflection`.
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

    @cached_property
    def frame(self) -> Window:
        """The window that is the whole frame.

        Its size is (H, W) or (T,), the shape of a sample without its channels.
        """
        return Window.frame(self.shape[1:])

    def render(self, templates: Tensor, map: Map) -> Tensor:
        """Templates on the frame, deformed.

        Args:
            templates: Templates on `window`, (N, C, ...).
            map: Their deformations, N of them or one for all.

        Returns:
            Pictures or series (N, *shape), before the link.
        """
        return torch.as_tensor(map(templates, self.window, self.frame, self.padding))

    def encoder_input(self, x: Tensor) -> Tensor:
        """Samples in the form that an encoder takes.

        Without `gaps` they are returned as they are. With `gaps`, missing values are interpolated
        in time, and one channel is appended for each channel: 1 for observed values, 0 in gaps.

        Args:
            x: Samples (N, *shape); NaN in gaps.

        Returns:
            Finite samples (N, C, ...), with 2 C channels if `gaps`.

        Raises:
            DataError: The samples have another shape.
        """
        if x.shape[1:] != self.shape:
            raise DataError(
                f"samples have shape {tuple(x.shape[1:])}, the model was built for {self.shape}; "
                "build a model for these samples with recipe.build(data.shape)"
            )
        if not self.gaps:
            return x
        return torch.cat([interpolate_missing(x), torch.isfinite(x).to(x)], 1)
