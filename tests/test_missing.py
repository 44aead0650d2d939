"""Missing values of series are filled by linear interpolation."""

from __future__ import annotations

import numpy as np
import torch

from tests.warps.gaps import series_with_gaps
from unwarp.missing import fill_missing
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


def test_ends_repeat_their_nearest_value() -> None:
    """Before the first and after the last value nothing is extrapolated, for one value as well."""
    gap = torch.nan
    x = torch.tensor(
        [[[gap, gap, 4.0, 8.0, gap]], [[gap, 5.0, gap, gap, gap]], [[7.0] + [gap] * 4]]
    )
    filled = interpolate_missing(x)[:, 0].tolist()
    assert filled == [[4.0, 4.0, 4.0, 8.0, 8.0], [5.0] * 5, [7.0] * 5]
    assert interpolate_missing(torch.tensor([[[gap]], [[2.0]]])).flatten().tolist() == [0.0, 2.0]


def test_filled_values_have_no_gradient() -> None:
    """Missing values come from the reconstruction, which learns nothing from them."""
    x = torch.tensor([[1.0, torch.nan, 3.0]])
    x_hat = torch.full((1, 3), 9.0, requires_grad=True)
    filled = fill_missing(x, x_hat)
    assert filled.tolist() == [[1.0, 9.0, 3.0]] and not filled.requires_grad
