"""Gaps in series are filled on straight lines."""

from __future__ import annotations

import numpy as np
import torch

from tests.warps.gaps import gapped
from unwarp.warps import interpolate_missing


def test_gaps_are_filled_as_numpy_interpolates() -> None:
    x = gapped()
    step = np.arange(x.shape[-1])
    for row, own in zip(
        x.flatten(0, 1).numpy(), interpolate_missing(x).flatten(0, 1).numpy(), strict=True
    ):
        seen = ~np.isnan(row)
        np.testing.assert_allclose(own, np.interp(step, step[seen], row[seen]), atol=1e-5)


def test_filling_keeps_what_was_seen_and_makes_up_nothing_for_an_empty_channel() -> None:
    x = gapped()
    x[2, 0] = torch.nan
    whole = interpolate_missing(x)
    assert torch.equal(whole[~x.isnan()], x[~x.isnan()])
    assert torch.equal(whole[2, 0], torch.zeros(40))
