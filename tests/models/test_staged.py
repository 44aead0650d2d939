"""Poses without content, the coordinates of the prior, and runs of stages."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from unwarp import AE, VAE, Affine2d, Chain, CosineTime, Displacement2d, Gain, Similarity2d
from unwarp.errors import DataError
from unwarp.models import Model, Net, Recipe

SMALL = Net("mlp", (8,), (8,))
PICTURES, TRACES = (1, 12, 12), (2, 20)
RECIPES: dict[str, tuple[Recipe, tuple[int, ...]]] = {
    "staged": (AE(warp=Affine2d(), net=SMALL), PICTURES),
    "residual": (
        AE(warp=Chain(Displacement2d(2), Affine2d()), net=SMALL, start="centroid"),
        PICTURES,
    ),
    "several starts": (AE(warp=Similarity2d(rotation=180), net=SMALL, start="centroid"), PICTURES),
    "stochastic": (VAE(warp=Affine2d(), net=SMALL), PICTURES),
    "time": (AE(warp=CosineTime(), net=SMALL), TRACES),
    "single stage": (AE(warp=CosineTime(), net=SMALL, refinements=0), TRACES),
    "gain": (AE(warp=Chain(CosineTime(), Gain()), net=SMALL), TRACES),
    "single stages": (AE(warp=Chain(CosineTime(), Gain()), net=SMALL, refinements=0), TRACES),
    "small poses": (AE(warp=Affine2d(), net=SMALL, pose_size=8), PICTURES),
    "no warp": (AE(net=SMALL).without_warp(), PICTURES),
}


def random_model(name: str) -> tuple[Model, torch.Tensor]:
    """A model with random weights and a centring, and samples for it."""
    recipe, shape = RECIPES[name]
    model = recipe.build(shape).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    x = torch.rand(5, *shape, generator=generator)
    model.centre(x[:3])
    return model, x


@pytest.mark.parametrize("name", RECIPES)
@torch.no_grad()
def test_pose_equals_map_of_embedding(name: str) -> None:
    """`pose` returns the maps of `embed`, for every structure of an encoder."""
    model, x = random_model(name)
    map, expected = model.pose(x), model.embed(x).map
    points = model.frame.lattice(x)
    torch.testing.assert_close(map.pull(points), expected.pull(points), rtol=0, atol=1e-6)
    if name != "no warp":
        assert (expected.pull(points) - points).abs().max() > 1e-3


@pytest.mark.parametrize(
    "name",
    [
        "staged",
        "stochastic",
        "time",
        "single stage",
        "single stages",
        "gain",
    ],
)
@torch.no_grad()
def test_theta_is_chart_of_whole_map(name: str) -> None:
    """The coordinates of the prior are theta of the whole deformation, in half-ranges."""
    model, x = random_model(name)
    posterior = model.encode(x)
    half_ranges = torch.tensor([factor.half_range for factor in model.warp.factors])
    expected = model.warp.theta(posterior.map) / half_ranges
    torch.testing.assert_close(posterior.theta, expected, rtol=0, atol=1e-5)
    assert posterior.theta.abs().max() > 1e-3


@torch.no_grad()
def test_chain_has_a_stage_for_each_warp() -> None:
    """Without refinements, each warp of a chain has one stage, and all columns respond."""
    model, x = random_model("single stages")
    assert [type(stage.warp) for stage in model.encoder.rungs] == [Gain, CosineTime]
    assert (model.encode(x).theta.abs().amax(0) > 1e-3).all()


@torch.no_grad()
def test_pose_skips_the_content_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pose` does not run the content network, and `embed` does."""
    model, x = random_model("time")

    def refuse(x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the content network was run")

    monkeypatch.setattr(model.encoder.content, "forward", refuse)
    model.pose(x)
    with pytest.raises(AssertionError, match="was run"):
        model.embed(x)


@torch.no_grad()
def test_measured_content_keeps_passes() -> None:
    """Further passes change the pose, but no measured content; learned content follows."""
    shape, generator = (1, 16, 16), torch.Generator().manual_seed(0)
    recipe = AE(warp=Affine2d(), n_content=4, content="gradients", net=SMALL, passes=(2, 2))
    x = torch.rand(9, *shape, generator=generator)
    for kind, is_kept in ((recipe, True), (recipe.joint(), False)):
        few, many = (replace(kind, passes=(2, n)).build(shape, seed=1).eval() for n in (2, 5))
        for parameter in few.encoder.rungs.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        many.load_state_dict(few.state_dict())
        if is_kept:
            for model in (few, many):
                model.encoder.content.fit(x)
        first, second = few.embed(x), many.embed(x)
        assert torch.equal(first.content, second.content) == is_kept
        points = few.frame.lattice(x)
        assert (first.map.pull(points) - second.map.pull(points)).abs().max() > 1e-3


def test_pose_refuses_another_shape() -> None:
    """The message names the shape that the model was built for."""
    model, x = random_model("time")
    with pytest.raises(DataError, match=r"built for \(2, 20\)"):
        model.pose(x[:, :, :-1])
