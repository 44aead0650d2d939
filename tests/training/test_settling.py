"""Settling keeps poses, measures content, and trains a decoder."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import AE, Net
from unwarp.models.model import Model
from unwarp.training.loop import train
from unwarp.training.settling import noise_sd, pose_weights, settle
from unwarp.warps import CosineTime

RECIPE = AE(
    warp=CosineTime(), content="elastic", n_content=6, n_joint=3, refinements=0, net=Net(channels=8)
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Forty series of two kinds."""
    rng = torch.Generator().manual_seed(0)
    t, late = torch.linspace(0, 1, 48), 0.1 * torch.rand(40, 1, generator=rng)
    centre = 0.35 + 0.3 * (torch.arange(40) % 2)[:, None]
    return Dataset(torch.exp(-0.5 * ((t - centre - late) / 0.06) ** 2)[:, None])


@pytest.fixture(scope="module")
def joint(data: Dataset) -> Model:
    """A model whose content is learned together with the pose."""
    model = RECIPE.joint().build(data.shape, seed=0)
    train(model, RECIPE.joint().players(model), data, steps=20, batch_size=20, device="cpu")
    return model


def settled(joint: Model, data: Dataset, **options: int) -> Model:
    """The settled model."""
    return settle(joint, RECIPE, data, batch_size=20, device="cpu", **options)[0]


def test_settled_model_keeps_poses(joint: Model, data: Dataset) -> None:
    """Every sample has the deformation that it had before."""
    points = torch.linspace(0, 1, 9)[:, None]
    before, after = (m.pose(data.x).pull(points) for m in (joint, settled(joint, data, steps=2)))
    assert torch.equal(before, after)


def test_settled_decoder_learns(joint: Model, data: Dataset) -> None:
    """More steps explain the samples better, with codes that do not change."""

    def error(model: Model) -> Tensor:
        return (model.reconstruct(model.embed(data.x)) - data.x).square().mean()

    short, long = settled(joint, data, steps=1), settled(joint, data, steps=150)
    assert error(long) < 0.3 * error(short)
    assert torch.equal(short.embed(data.x).content, long.embed(data.x).content)


def test_settling_repeats_bit_by_bit(joint: Model, data: Dataset) -> None:
    """The same seed gives the same weights, and the joint model does not change."""
    state = {name: value.clone() for name, value in joint.state_dict().items()}
    first, second = (settled(joint, data, steps=5, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.equal(state[name], value) for name, value in joint.state_dict().items())
    assert pose_weights(joint).keys() < state.keys()


def test_measured_recipes_have_no_players(data: Dataset) -> None:
    """A recipe with measured content is trained in two phases, and says so."""
    with pytest.raises(ConfigError, match=r"recipe\.joint\(\)"):
        RECIPE.players(RECIPE.build(data.shape))
    assert RECIPE.joint().n_content == 3 and RECIPE.joint().joint() == RECIPE.joint()
    baseline = RECIPE.without_warp()
    assert baseline.n_content == 6 and baseline.joint() == RECIPE.joint().without_warp()


def test_noise_moves_to_the_next_code() -> None:
    """Its squared norm is, on average, the squared distance to the nearest code."""
    codes = torch.eye(5)
    expected = 2**0.5 / 5**0.5
    assert noise_sd(codes) == pytest.approx(expected)
    assert noise_sd(torch.cat([codes, torch.zeros(5, 7)], 1)) == pytest.approx(expected)
    assert noise_sd(torch.zeros(3, 2)) == 0.0
