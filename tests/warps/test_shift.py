"""A lag alone: its unit and its sign."""

from __future__ import annotations

import numpy as np
import torch

from unwarp.warps import TimeShift


def test_lag_has_unit_and_sign() -> None:
    """The lag is in seconds or samples, and a positive one moves a peak to a later time."""
    theta = torch.tensor([[0.1], [-0.05]]).double()
    for sampling_rate, unit, expected in (
        (None, "samples", [20.0, -10.0]),
        (50.0, "s", [0.4, -0.2]),
    ):
        warp = TimeShift(sampling_rate=sampling_rate).bind((201,))
        (factor, lag), *_ = warp.summary(warp.map(theta)).items()
        assert (factor.name, factor.unit) == (f"lag_{unit}", unit)
        np.testing.assert_allclose(lag, expected, atol=1e-12)
        torch.testing.assert_close(warp.from_columns({factor.name: lag}), theta)
    x = torch.zeros(2, 1, 201).double()
    x[:, :, 100] = 1.0
    assert TimeShift().map(theta)(x).argmax(-1).flatten().tolist() == [120, 90]
