"""Settling keeps poses, measures content, and trains a decoder."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.pictures import pictures
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import AE, Net
from unwarp.models.model import Model
from unwarp.training.loop import train
from unwarp.training.settling import noise_sd, pose_parameters, pose_weights, settle
from unwarp.warps import Affine2d, Chain, CosineTime, Displacement2d, Identity, Rigid2d, Warp

RECIPE = AE(
    warp=CosineTime(), content="elastic", n_content=6, n_joint=3, refinements=0, net=Net(channels=8)
)
PICTURES = Dataset(torch.from_numpy(pictures(40)).float() / 255)
SMALL = Net("mlp", (32,), (32,))
WARPS: tuple[Warp, ...] = (
    Identity(),
    Affine2d(),
    Chain(Displacement2d(3), Affine2d()),
    Rigid2d(rotation=180),
    Rigid2d(mirror=True),
)


def recipe_of(warp: Warp) -> AE:
    """A recipe with gradient codes."""
    fields = {"n_content": 5, "n_joint": 3, "pose_clusters": 2, "refinements": 1, "crop": 0.9}
    return AE(warp=warp, content="gradients", net=SMALL, **fields)


@pytest.fixture(scope="module", params=WARPS, ids=lambda warp: warp.name)
def recipe(request: pytest.FixtureRequest) -> AE:
    """Recipes of pictures: no warp, one start, a chain, several angles, a mirror."""
    return recipe_of(request.param)


@pytest.fixture(scope="module")
def pose_model(recipe: AE) -> Model:
    """A model of pictures with a joint code."""
    model = recipe.joint().build(PICTURES.shape, seed=0)
    train(model, recipe.joint().players(model), PICTURES, steps=10, batch_size=20, device="cpu")
    return model


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


@torch.no_grad()
def test_content_alone_is_that_of_embed(
    pose_model: Model, recipe: AE, joint: Model, data: Dataset
) -> None:
    """Codes alone need fewer runs of the stages; they are the same to the bit."""
    pictures = settle(pose_model, recipe, PICTURES, steps=2, batch_size=20, device="cpu")[0]
    series = settled(joint, data, steps=2)
    pairs = ((pose_model, PICTURES.x), (pictures, PICTURES.x), (joint, data.x), (series, data.x))
    for model, x in pairs:
        assert torch.equal(model.eval().encode_content(x[:7]), model.embed(x[:7]).content)


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


def test_pictures_settle(recipe: AE, pose_model: Model) -> None:
    """Codes are of the recipe's size; more steps explain pictures better; seeds repeat."""
    short, long, again = (
        settle(pose_model, recipe, PICTURES, steps=steps, batch_size=20, device="cpu")[0]
        for steps in (1, 60, 60)
    )
    errors = [
        (model.reconstruct(model.embed(PICTURES.x)) - PICTURES.x).square().mean()
        for model in (short, long)
    ]
    assert long.embed(PICTURES.x).content.shape == (40, 5) and errors[1] < errors[0]
    assert all(map(torch.equal, long.state_dict().values(), again.state_dict().values()))


def test_settled_pictures_keep_poses() -> None:
    """With one start every picture has the deformation that it had before."""
    recipe = recipe_of(Affine2d())
    model = recipe.joint().build(PICTURES.shape, seed=0)
    train(model, recipe.joint().players(model), PICTURES, steps=10, batch_size=20, device="cpu")
    after = settle(model, recipe, PICTURES, steps=2, device="cpu")[0]
    points = torch.rand(9, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model.pose(PICTURES.x).pull(points), after.pose(PICTURES.x).pull(points))


def test_mode_of_a_model_does_not_count(recipe: AE, pose_model: Model) -> None:
    """A model in training mode settles as one in evaluation mode, and stays as it is."""
    options = {"steps": 2, "batch_size": 20}
    first = settle(pose_model.eval(), recipe, PICTURES, **options, device="cpu")[0]
    second = settle(pose_model.train(), recipe, PICTURES, **options, device="cpu")[0]
    assert pose_model.training and not second.training
    pose_model.eval()
    assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


def test_parameters_stand_for_poses(recipe: AE, pose_model: Model) -> None:
    """Maps of pictures are those of their parameters, also in chains and with mirrors."""
    map = pose_model.encode(PICTURES.x).map
    theta = pose_parameters(pose_model, map)
    assert theta is not None
    points = pose_model.frame.lattice(theta)
    assert torch.allclose(pose_model.warp.map(theta).pull(points), map.pull(points), atol=1e-4)


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
