"""The poses that explain a picture are distinct, weighted, and its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.pictures import smooth_noise
from unwarp import AE
from unwarp.models import Net
from unwarp.models.model import Model
from unwarp.models.pose_modes import PoseModes, agree, has_modes, start_angles
from unwarp.models.registration import affine_pose
from unwarp.warps import (
    Affine2d,
    Chain,
    Displacement2d,
    Identity,
    IdentityMap,
    Rigid2d,
    Translation2d,
    Warp,
)

SIZE = (12, 16)
SMALL = AE(warp=Rigid2d(), n_content=2, net=Net("mlp", (16,), (16,)))
WARPS = [
    Rigid2d(),
    Rigid2d(rotation=180, mirror=True),
    Affine2d(rotation=180),
    Chain(Displacement2d(2), Rigid2d(rotation=90)),
]


def model_of(warp: Warp) -> Model:
    """A model with random weights in its last layers, so that its stages move pictures."""
    model = replace(SMALL, warp=warp).build((1, *SIZE), seed=0).eval()
    generator = torch.Generator().manual_seed(0)
    for weight in model.encoder.parameters():
        noise = 0.02 * torch.randn(weight.shape, generator=generator)
        weight.data += noise
    return model


@pytest.mark.parametrize("warp", WARPS, ids=lambda warp: f"{warp.name}-{len(warp.factors)}")
def test_modes_are_distinct_and_weighted(warp: Warp) -> None:
    """No two modes of a picture agree, the best is first, and a picture's weights sum to 1."""
    modes = PoseModes.of(model_of(warp), smooth_noise(6, SIZE))
    pose, n = affine_pose(modes.map), len(modes.rows)
    i, j = torch.combinations(torch.arange(n)).unbind(1)
    is_same = modes.rows[i] == modes.rows[j]
    i, j = i[is_same], j[is_same]
    assert not agree(pose[j], pose[i], SIZE).any()
    assert (modes.misfit[i] <= modes.misfit[j]).all()
    weights = modes.weights(0.5)
    sums = torch.zeros(6).index_add(0, modes.rows, weights)
    torch.testing.assert_close(sums, torch.ones(6))
    assert (weights[i] >= weights[j]).all() and n > 6


@pytest.mark.parametrize("warp", WARPS, ids=lambda warp: f"{warp.name}-{len(warp.factors)}")
def test_chosen_pose_is_a_mode(warp: Warp) -> None:
    """The pose of the model agrees with one of the modes, or with a better pose of that mode."""
    model, x = model_of(warp), smooth_noise(6, SIZE)
    modes = PoseModes.of(model, x)
    with torch.no_grad():
        chosen = affine_pose(model.pose(x))
    is_chosen = agree(affine_pose(modes.map), chosen[modes.rows], SIZE, 5.1, 0.03)
    assert set(modes.rows[is_chosen].tolist()) == set(range(6))


def test_modes_do_not_depend_on_others() -> None:
    """A picture alone has the modes that it has among others."""
    model, x = model_of(Rigid2d(rotation=180)), smooth_noise(5, SIZE)
    together, alone = PoseModes.of(model, x), PoseModes.of(model, x[3:4])
    rows = together.rows == 3
    torch.testing.assert_close(together.misfit[rows], alone.misfit)


def test_starts_cover_the_range() -> None:
    """Start angles are at most 30 degrees apart, up to the limit; none without a rotation."""
    degrees = start_angles(model_of(Rigid2d())).rad2deg()
    torch.testing.assert_close(degrees, torch.tensor([-45.0, -22.5, 0.0, 22.5, 45.0]))
    assert len(start_angles(model_of(Rigid2d(rotation=180)))) == 8
    assert start_angles(model_of(Rigid2d(mirror=True))).shape == (10, 2)
    single = replace(SMALL, warp=Rigid2d(rotation=180), starts=1).build((1, *SIZE))
    assert len(start_angles(single)) == 8
    for warp in (Translation2d(), Rigid2d(rotation=0), Identity()):
        assert not has_modes(model_of(warp))


def test_set_has_nine_tenths_of_the_weight() -> None:
    """It is the shortest beginning of a picture's modes with this sum; at T = 0 only the best."""
    misfit = torch.tensor([1.0, 1.0, 5.0, 2.0, 2.0, 2.0])
    rows = torch.tensor([0, 0, 0, 1, 1, 1])
    modes = PoseModes(IdentityMap(6), rows, torch.zeros(6, 1), misfit)
    assert modes.is_in_set(1e-3).tolist() == [True, True, False, True, True, True]
    assert modes.is_in_set(1e6).all()
    sharp = PoseModes(IdentityMap(2), rows[:2], torch.zeros(2, 1), torch.tensor([1.0, 1.1]))
    assert sharp.is_in_set(1e-6).tolist() == [True, False]
    expected = torch.softmax(torch.tensor([0.0, -1.0]), 0)
    torch.testing.assert_close(sharp.weights(0.05), expected)
