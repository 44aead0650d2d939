"""Samples of a model, with the way back to the user's form."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unwarp.core import Array
from unwarp.data.recordings import IrregularSeries, RegularSamples
from unwarp.data.scaling import Scaler

Origin = RegularSamples | IrregularSeries
"""Parsed samples in the form that the user gave."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Scaled samples of a model, and the user's units, type and layout.

    `Schema.prepare` makes them. After a model has aligned or reconstructed `x`, one of the methods
    brings the result into the user's form.

    Attributes:
        x: Scaled samples (N, *shape), float32; NaN for missing values that are masked.
        scaler: The scale that was applied.
        origin: The samples before resampling and scaling.

    >>> import numpy as np, torch
    >>> origin = RegularSamples(np.array([[[10, 20]]]), np.array([[10, 20]]))
    >>> prepared = Prepared(torch.tensor([[[0.0, 1.0]]]), Scaler(10.0, 10.0), origin)
    >>> prepared.restore_shape(prepared.x + 1)
    array([[20, 30]])
    """

    x: Tensor
    scaler: Scaler
    origin: Origin

    def __len__(self) -> int:
        return len(self.x)

    def restore_shape(self, x: Tensor) -> Array:
        """Results in the user's units, type and shape, evenly spaced.

        Args:
            x: Scaled samples (N, *shape), on the CPU.

        Returns:
            An array in the layout of the user's samples. Irregular series are (N, T) or (N, C, T),
            at the times of the schema's clock.
        """
        return self.origin.restore_shape(self.scaler.undo(x.numpy()))

    def restore_times(self, x: Tensor) -> Array | list[Array]:
        """Results in the user's form, at the user's times.

        Args:
            x: Scaled samples (N, *shape), on the CPU.

        Returns:
            An array in the layout of the user's samples, or a list of N series if the user gave a
            list of series of unequal lengths.
        """
        return self.origin.restore_times(self.scaler.undo(x.numpy()))
