"""Columns of poses: durations and lags of series, angles without a seam."""

from __future__ import annotations

import math

import pytest
import torch

from unwarp.core import IMAGES, SERIES, Domain
from unwarp.estimators.pose_columns import N_TIMES, pose_columns, pose_names
from unwarp.warps import Affine2d, CosineTime, Identity, TimeShift, Warp


def test_lag_is_a_column() -> None:
    """A pure lag changes no duration, and the last column is the lag itself."""
    warp = TimeShift(size=(50,))
    columns = pose_columns(warp.map(torch.tensor([[0.1], [-0.2]])), warp, SERIES)
    assert columns[:, :N_TIMES].abs().max() < 1e-5
    assert torch.allclose(columns[:, N_TIMES], torch.tensor([0.1, -0.2]), atol=1e-6)


def test_durations_fill_the_series() -> None:
    """The observed durations of the parts of a template add up to the whole series."""
    warp = CosineTime(4, size=(50,))
    map = warp.sample(5, torch.Generator().manual_seed(0))
    columns = pose_columns(map, warp, SERIES)
    sums = columns[:, :N_TIMES].exp().mean(1)
    assert torch.allclose(sums, torch.ones(5), atol=1e-4)
    assert columns[:, :N_TIMES].std() > 0.01


def test_angles_have_no_seam() -> None:
    """Both ends of the range of a periodic column are the same point."""
    warp = Affine2d(rotation=180.0)
    theta = torch.zeros(2, len(warp.factors))
    (index,) = (i for i, factor in enumerate(warp.factors) if factor.periodic)
    theta[:, index] = torch.tensor([1.0, -1.0]) * (math.pi - 1e-4)
    columns = pose_columns(warp.map(theta), warp, IMAGES)
    assert (columns[0] - columns[1]).norm() < 1e-3


@pytest.mark.parametrize(
    ("warp", "domain"),
    [(CosineTime(4), SERIES), (Affine2d(), IMAGES), (Affine2d(rotation=180.0), IMAGES)],
)
def test_columns_have_names(warp: Warp, domain: Domain) -> None:
    """There is one name for each column, and no name twice."""
    names = pose_names(warp, domain)
    map = warp.map(torch.zeros(2, len(warp.factors)))
    assert pose_columns(map, warp, domain).shape == (2, len(names)) and len({*names}) == len(names)


def test_identity_has_no_columns() -> None:
    """A model without a warp has no pose."""
    warp = Identity()
    map = warp.map(torch.zeros(3, 0))
    assert pose_columns(map, warp, SERIES).shape == (3, 0) and not pose_names(warp, SERIES)
