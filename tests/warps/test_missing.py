"""Missing values of series are filled by linear interpolation."""

from __future__ import annotations

import numpy as np
import torch

from tests.warps.gaps import series_with_gaps
from unwarp.warps import interpolate_missing


def test_interpolate_missing_is_linear() -> None:
    """Each channel is interpolated as NumPy does it."""
    x = series_with_gaps()
    step = np.arange(x.shape[-1])
    for row, filled in zip(
        x.flatten(0, 1).numpy(), interpolate_missing(x).flatten(0, 1).numpy(), strict=True
    ):
        is_present = ~np.isnan(row)
        np.testing.assert_allclose(
            filled, np.interp(step, step[is_present], row[is_present]), atol=1e-5
        )


def test_interpolate_missing_keeps_values() -> None:
    """Values that are present stay, and a channel without any becomes 0."""
    x = series_with_gaps()
    x[2, 0] = torch.nan
    filled = interpolate_missing(x)
    assert torch.equal(filled[~x.isnan()], x[~x.isnan()])
    assert torch.equal(filled[2, 0], torch.zeros(40))
