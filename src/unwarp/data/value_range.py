"""Range and type of the values that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unwarp.core import Array, Domain
from unwarp.data.blocks import row_blocks
from unwarp.errors import DataError

MAX_SPREAD_RATIO = 20
"""Ratio of the spreads of new and learned samples beyond which their units must differ."""


@dataclass(frozen=True)
class ValueRange:
    """Range and type of samples, to compare the units of new samples.

    A model of uint8 images takes values from 0 to 255. Floats in [0, 1] would look black to it, and
    all results would be wrong without an error.

    Attributes:
        dtype: Name of the type of the user's numbers.
        low: Smallest value.
        high: Largest value.
        spread: Largest minus smallest value of a sample, the median over all samples.

    >>> x = np.array([[[0, 200]], [[10, 250]]], np.uint8)
    >>> ValueRange.of(x, x.dtype)
    ValueRange(dtype='uint8', low=0.0, high=250.0, spread=220.0)
    """

    dtype: str
    low: float
    high: float
    spread: float

    @classmethod
    def of(cls, x: Array, dtype: np.dtype[Any]) -> Self:
        """The range of samples.

        Args:
            x: Samples (N, C, ...), NaN for missing values.
            dtype: Type of the user's numbers.
        """
        low, high = np.empty(len(x)), np.empty(len(x))
        for rows in row_blocks(x):
            block = x[rows]
            part = block.reshape(len(block), -1)
            low[rows], high[rows] = np.fmin.reduce(part, 1), np.fmax.reduce(part, 1)
        ends, spread = (float(np.fmin.reduce(low)), float(np.fmax.reduce(high))), high - low
        return cls(dtype.name, *ends, float(np.nanmedian(spread)))

    def check(self, x: Array, dtype: np.dtype[Any], domain: Domain) -> None:
        """Refuse new samples in other units.

        Units differ if the spread of the new samples is much larger or smaller. A smaller spread
        counts only if the type is another one, because images may be faint; a larger one counts
        for another type and for images.

        Args:
            x: New samples (N, C, ...), NaN for missing values.
            dtype: Type of the user's numbers.
            domain: Domain of the samples.

        Raises:
            DataError: The units differ.
        """
        new = ValueRange.of(x, dtype)
        has_other_type = _type_class(np.dtype(self.dtype)) != _type_class(dtype)
        is_larger = new.spread > MAX_SPREAD_RATIO * self.spread
        is_smaller = MAX_SPREAD_RATIO * new.spread < self.spread
        if not (new.spread and self.spread):
            return
        if (is_larger and (has_other_type or domain.is_bounded)) or (is_smaller and has_other_type):
            raise DataError(
                f"X is {new.dtype} from {new.low:g} to {new.high:g}, the model was trained on "
                f"{self.dtype} from {self.low:g} to {self.high:g}; give X in the units and the "
                "type of the training data"
            )


def _type_class(dtype: np.dtype[Any]) -> str:
    """Name of a type; all floating-point types and objects have one name."""
    return dtype.name if dtype.kind in "biu" else "float"
