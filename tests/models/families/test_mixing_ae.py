"""Mixing: what goes where, that unmixing undoes it, that gradients flow, and that the players keep to themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.pictures import blobs
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import MixingAE, Net, Optimiser
from unwarp.models.codec import describe, restore
from unwarp.models.families.mixing_ae import (
    MaskClassifier,
    accuracies,
    cycle_error,
    mix,
    unmixed_nll,
)
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Warp

SHAPE = (1, 12, 16)
SMALL = Net("mlp", (32, 16), (16, 32), norm=False)
WARPS = [Identity(), Affine2d(), Chain(Displacement2d(3), Affine2d())]


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_chunks_cover_the_code() -> None:
    assert MixingAE(n_content=12, chunks=4).sizes == (3, 3, 3, 3)
    assert MixingAE(n_content=7, chunks=3).sizes == (3, 2, 2)
    assert MixingAE(n_content=7, chunks=(1, 6)).sizes == (1, 6)
    plain = MixingAE(warp=Affine2d(), n_content=6, chunks=2).without_warp()
    assert (plain.n_content, plain.sizes) == (12, (3, 3, 6))
    recipe = MixingAE(n_content=7, chunks=(1, 6))
    assert restore(describe(recipe)) == recipe


@pytest.mark.parametrize(
    "wrong",
    [{"chunks": 0}, {"chunks": 13}, {"chunks": (4, 4)}, {"chunks": (0, 12)}, {"mixing": -1.0}],
)
def test_bad_fields_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="MixingAE"):
        MixingAE(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_a_mixed_row_is_drawn_from_the_chunks_and_the_map_that_its_mask_names(warp: Warp) -> None:
    recipe = MixingAE(warp=warp, n_content=5, chunks=(1, 4), net=SMALL)
    model = recipe.build(SHAPE).eval()
    for rung in getattr(model.encoder, "rungs", ()):
        nn.init.normal_(list(rung.parameters())[-2], std=0.1, generator=draw(3))
    found = model.encode(blobs(8))
    mixed = mix(model, found, recipe.sizes, draw(1))
    assert mixed.mask.shape == (8, 2 + bool(warp.factors))
    assert 0 < int(mixed.mask.sum()) < mixed.mask.numel()
    for i in range(8):
        first, second = (i if bit else int(mixed.partner[i]) for bit in mixed.mask[i, :2])
        code = torch.cat([found.content[first, :1], found.content[second, 1:]])[None]
        mapped = i if warp.factors and mixed.mask[i, 2] else int(mixed.partner[i])
        torch.testing.assert_close(
            mixed.x[i : i + 1], model.decode_warped(code, found.map[torch.tensor([mapped])])
        )


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_unmixing_with_a_perfect_encoder_is_the_plain_reconstruction(warp: Warp) -> None:
    recipe = MixingAE(warp=warp, n_content=5, chunks=2, net=SMALL)
    model, x = recipe.build(SHAPE).eval(), blobs(8)
    found = model.encode(x)
    mixed = mix(model, found, recipe.sizes, draw(1))
    rows = torch.where(mixed.moved, torch.arange(8), mixed.partner)
    perfect = replace(found, content=mixed.content, map=found.map[rows])
    plain = model.likelihood(model.decode_warped(found.content, found.map), x)
    torch.testing.assert_close(unmixed_nll(model, x, mixed, perfect).sum(), plain.sum())
    assert float(cycle_error(mixed, perfect).detach()) == 0
    assert float(cycle_error(mixed, replace(found, content=mixed.content + 1)).detach()) > 0


def test_the_unmixed_map_is_the_reencoded_one_where_the_map_was_the_rows_own() -> None:
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=SMALL)
    model, x = recipe.build(SHAPE).eval(), blobs(8)
    mixed = mix(model, model.encode(x), recipe.sizes, draw(1))
    theta = torch.zeros(8, 6, requires_grad=True)
    again = replace(mixed.source, map=model.warp.map(theta))
    unmixed_nll(model, x, mixed, again).sum().backward()
    assert theta.grad is not None
    assert torch.equal(theta.grad.abs().sum(1) > 0, mixed.moved)


def test_each_player_moves_only_its_own_weights_and_buffers() -> None:
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=replace(SMALL, norm=True))
    model = recipe.build(SHAPE)
    players = recipe.players(model)
    assert [player.name for player in players] == ["critic", "autoencoder"]
    for mover in players:
        before = [{k: v.clone() for k, v in p.module.state_dict().items()} for p in players]
        kept = model.anchor_theta.clone()
        mover = replace(mover, every=1, measure=None, optimiser=Optimiser(lr=0.01, warmup=0))
        train(model, [mover], Dataset(blobs(16)), steps=2, batch_size=8, device="cpu")
        model.anchor_theta.copy_(kept)
        now = [
            any(not torch.equal(v, old[k]) for k, v in p.module.state_dict().items())
            for old, p in zip(before, players, strict=True)
        ]
        assert now == [p.name == mover.name for p in players]


def test_every_term_reaches_the_encoder_through_the_mixed_sample() -> None:
    for weight in ("adversarial", "classification", "mixing"):
        weights = {"mixing": 0.0, "adversarial": 0.0, "classification": 0.0, weight: 1.0}
        recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=SMALL, **weights)  # type: ignore[arg-type]
        model = recipe.build(SHAPE)
        player = recipe.players(model)[-1]
        player.loss(Batch(blobs(8), torch.arange(8)), 0, draw())[weight].backward()
        content = model.encoder.content  # type: ignore[union-attr]
        assert all(
            p.grad is not None and bool(p.grad.abs().sum() > 0) for p in content.parameters()
        )  # type: ignore[union-attr]


def test_without_judges_there_is_one_player() -> None:
    recipe = MixingAE(n_content=4, chunks=2, net=SMALL, adversarial=0.0, classification=0.0)
    (player,) = recipe.players(recipe.build(SHAPE))
    assert set(player.loss(Batch(blobs(4), torch.arange(4)), 0, draw())) == {"mixing"}


def test_accuracy_is_that_of_the_mask() -> None:
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=SMALL)
    model, x = recipe.build(SHAPE).eval(), blobs(64)
    mixed = mix(model, model.encode(x), recipe.sizes, draw(1))

    class Oracle(MaskClassifier):
        def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> Tensor:
            return torch.where(mixed.mask, 1.0, -1.0) * torch.tensor([1.0, -1.0, 1.0])

    found = accuracies(Oracle(SMALL, SHAPE, ("1", "2", "deformation")), x, mixed)
    assert {k: float(v) for k, v in found.items()} == {
        "accuracy_1": 1,
        "accuracy_2": 0,
        "accuracy_deformation": 1,
    }


def test_history_holds_accuracies_and_the_cycle_and_training_learns_to_unmix() -> None:
    recipe = MixingAE(
        n_content=4, chunks=2, net=Net("mlp", (64,), (64,)), optimiser=Optimiser(lr=3e-3, warmup=10)
    )
    model = recipe.build(SHAPE)
    history = train(
        model, recipe.players(model), Dataset(blobs(64)), steps=120, batch_size=32, device="cpu"
    )
    first, last = history.rows[0], history.rows[-1]
    assert {"autoencoder.cycle", "autoencoder.accuracy_1", "autoencoder.accuracy_2"} <= set(last)
    constant = float(model.likelihood(blobs(1), blobs(1)).detach())
    assert last["mixing"] - constant < 0.5 * (first["mixing"] - constant)
