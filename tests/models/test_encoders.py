"""Poses alone are those of the embedding, and what the prior judges of them is their chart."""

from __future__ import annotations

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
    "one stage": (AE(warp=Affine2d(), net=SMALL, encoder="one-stage"), PICTURES),
    "stochastic": (VAE(warp=Affine2d(), net=SMALL), PICTURES),
    "time": (AE(warp=CosineTime(), net=SMALL), TRACES),
    "one rung": (AE(warp=CosineTime(), net=SMALL, refinements=0), TRACES),
    "time and gain": (AE(warp=Chain(CosineTime(), Gain()), net=SMALL), TRACES),
    "one rung each": (AE(warp=Chain(CosineTime(), Gain()), net=SMALL, refinements=0), TRACES),
    "nothing": (AE(net=SMALL).without_warp(), PICTURES),
}


def drawn(name: str) -> tuple[Model, torch.Tensor]:
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
def test_a_pose_is_the_map_of_the_embedding(name: str) -> None:
    model, x = drawn(name)
    map, expected = model.pose(x), model.embed(x).map
    points = model.frame.lattice(x)
    torch.testing.assert_close(map.pull(points), expected.pull(points), rtol=0, atol=1e-6)
    if name != "nothing":
        assert (expected.pull(points) - points).abs().max() > 1e-3


@pytest.mark.parametrize(
    "name",
    ["staged", "one stage", "stochastic", "time", "one rung", "one rung each", "time and gain"],
)
@torch.no_grad()
def test_what_the_prior_judges_is_the_chart_of_the_whole_map(name: str) -> None:
    model, x = drawn(name)
    found = model.encode(x)
    half = torch.tensor([factor.half_range for factor in model.warp.factors])
    torch.testing.assert_close(found.theta, model.warp.theta(found.map) / half, rtol=0, atol=1e-5)
    assert found.theta.abs().max() > 1e-3


@torch.no_grad()
def test_no_warp_of_a_chain_is_left_without_a_rung() -> None:
    model, x = drawn("one rung each")
    assert [type(rung.warp) for rung in model.encoder.rungs] == [Gain, CosineTime]
    assert (model.encode(x).theta.abs().amax(0) > 1e-3).all()


@torch.no_grad()
def test_no_content_is_computed_for_a_pose(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = drawn("time")

    def refused(x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the content network was run")

    monkeypatch.setattr(model.encoder.content, "forward", refused)
    model.pose(x)
    with pytest.raises(AssertionError, match="was run"):
        model.embed(x)


def test_another_shape_is_refused() -> None:
    model, x = drawn("time")
    with pytest.raises(DataError, match=r"built for \(2, 20\)"):
        model.pose(x[:, :, :-1])
