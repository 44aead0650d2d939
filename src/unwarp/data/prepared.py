"""Scaled samples for a model, and conversion of its results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from unwarp.core import Array
from unwarp.data.recordings import IrregularSeries, RegularSamples
from unwarp.data.scaling import Scaler

Origin = RegularSamples | IrregularSeries
"""The user's samples after parsing, before they are resampled and scaled."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Scaled samples for a model, and conversion of its results.

    `Schema.prepare` returns one. After a model has aligned or reconstructed `x`, one of two methods
    converts the result to the user's units, dtype and layout. They differ for series that were
    resampled: `restore_shape` keeps the evenly spaced steps, `restore_times` resamples to the time
    steps of the user's series. For all other samples they return the same.

    Attributes:
        x: Scaled samples (N, *shape), float32; NaN for missing values if `missing` is `mask`.
        scaler: The scale that was applied.
        origin: The parsed samples before resampling and scaling.

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

    def restore_shape(self, x: Tensor, overwrite: bool = False) -> Array:
        """Results in the user's units, dtype and layout, evenly spaced.

        Use it for aligned series, which all have the same time steps.

        Args:
            x: Scaled samples (N, *shape), on the CPU.
            overwrite: Whether `x` may be overwritten, which saves memory.

        Returns:
            An array in the layout of the user's samples. Series that were resampled are (N, T) or
            (N, C, T), at the times of the schema's clock.
        """
        dtype = self.origin.precise_dtype
        out = x.numpy() if overwrite and dtype == np.float32 else None
        return self.origin.restore_shape(self.scaler.undo(x.numpy(), out, dtype))

    def restore_times(self, x: Tensor) -> Array | list[Array]:
        """Results in the user's units, at the user's time steps.

        Use it for reconstructions, which are compared with the user's series step by step.

        Args:
            x: Scaled samples (N, *shape), on the CPU.

        Returns:
            An array in the layout and dtype of the user's samples; or a list of N arrays with the
            lengths of the user's series, if these are a list and were resampled.
        """
        dtype = self.origin.precise_dtype
        return self.origin.restore_times(self.scaler.undo(x.numpy(), dtype=dtype))
