"""Mixed batches: the latents of each row, and the errors of unmixing them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.pictures import blobs
from unwarp.models import MixingAE, Net
from unwarp.models.families.mixing import (
    MaskClassifier,
    cycle_error,
    mask_accuracies,
    mix,
    unmixed_nll,
)
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Warp

SHAPE = (1, 12, 16)
SMALL_NET = Net("mlp", (32, 16), (16, 32), norm=False)
WARPS = [Identity(), Affine2d(), Chain(Displacement2d(3), Affine2d())]


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_rows_follow_their_mask(warp: Warp) -> None:
    """A row is decoded from the chunks and the map that its mask names."""
    recipe = MixingAE(warp=warp, n_content=5, chunks=(1, 4), net=SMALL_NET)
    model = recipe.build(SHAPE).eval()
    for rung in getattr(model.encoder, "rungs", ()):
        nn.init.normal_(list(rung.parameters())[-2], std=0.1, generator=rng(3))
    posterior = model.encode(blobs(8))
    mixed = mix(model, posterior, recipe.chunk_sizes, rng(1))
    assert mixed.mask.shape == (8, 2 + bool(warp.factors))
    assert 0 < int(mixed.mask.sum()) < mixed.mask.numel()
    for i in range(8):
        first, second = (i if bit else int(mixed.partners[i]) for bit in mixed.mask[i, :2])
        code = torch.cat([posterior.content[first, :1], posterior.content[second, 1:]])[None]
        keeps_map = warp.factors and mixed.mask[i, 2]
        map_row = torch.tensor([i if keeps_map else int(mixed.partners[i])])
        expected = model.decode_warped(code, posterior.map[map_row])
        torch.testing.assert_close(mixed.x[i : i + 1], expected)


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_perfect_encoder_unmixes(warp: Warp) -> None:
    """If the latents of x3 come back, unmixing gives the plain reconstruction."""
    recipe = MixingAE(warp=warp, n_content=5, chunks=2, net=SMALL_NET)
    model, x = recipe.build(SHAPE).eval(), blobs(8)
    posterior = model.encode(x)
    mixed = mix(model, posterior, recipe.chunk_sizes, rng(1))
    rows = torch.where(mixed.map_mask, torch.arange(8), mixed.partners)
    perfect_posterior = replace(posterior, content=mixed.content, map=posterior.map[rows])
    nll = model.likelihood(model.decode_warped(posterior.content, posterior.map), x)
    torch.testing.assert_close(unmixed_nll(model, x, mixed, perfect_posterior).sum(), nll.sum())
    assert float(cycle_error(mixed, perfect_posterior).detach()) == 0
    imperfect_posterior = replace(posterior, content=mixed.content + 1)
    assert float(cycle_error(mixed, imperfect_posterior).detach()) > 0


def test_unmixing_takes_kept_maps() -> None:
    """The re-encoded map enters for the rows that kept their map, and for no other."""
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=SMALL_NET)
    model, x = recipe.build(SHAPE).eval(), blobs(8)
    mixed = mix(model, model.encode(x), recipe.chunk_sizes, rng(1))
    theta = torch.zeros(8, 6, requires_grad=True)
    reencoded = replace(mixed.posterior, map=model.warp.map(theta))
    unmixed_nll(model, x, mixed, reencoded).sum().backward()
    assert theta.grad is not None
    assert torch.equal(theta.grad.abs().sum(1) > 0, mixed.map_mask)


def test_accuracies_compare_with_the_mask() -> None:
    """An entry counts as correct if the sign of its logit agrees with the mask."""
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=SMALL_NET)
    model, x = recipe.build(SHAPE).eval(), blobs(64)
    mixed = mix(model, model.encode(x), recipe.chunk_sizes, rng(1))

    class Oracle(MaskClassifier):
        """Right about chunk 1 and the deformation, wrong about chunk 2."""

        def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> Tensor:
            """Logits from the true mask."""
            return torch.where(mixed.mask, 1.0, -1.0) * torch.tensor([1.0, -1.0, 1.0])

    accuracies = mask_accuracies(Oracle(SMALL_NET, SHAPE, ("1", "2", "deformation")), x, mixed)
    assert {name: float(value) for name, value in accuracies.items()} == {
        "accuracy_1": 1,
        "accuracy_2": 0,
        "accuracy_deformation": 1,
    }
