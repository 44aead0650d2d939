"""The Mixing Autoencoder: sizes of chunks, players and their gradients, and training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.pictures import blobs
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import MixingAE, Net, Optimiser
from unwarp.models.codec import describe, restore
from unwarp.training.loop import train
from unwarp.warps import Affine2d

SHAPE = (1, 12, 16)
SMALL_NET = Net("mlp", (32, 16), (16, 32), norm=False)


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def test_chunks_cover_the_code() -> None:
    """Sizes sum to `n_content`; without a warp the deformation becomes one more chunk."""
    assert MixingAE(n_content=12, chunks=4).chunk_sizes == (3, 3, 3, 3)
    assert MixingAE(n_content=7, chunks=3).chunk_sizes == (3, 2, 2)
    assert MixingAE(n_content=7, chunks=(1, 6)).chunk_sizes == (1, 6)
    baseline = MixingAE(warp=Affine2d(), n_content=6, chunks=2).without_warp()
    assert (baseline.n_content, baseline.chunk_sizes) == (12, (3, 3, 6))
    recipe = MixingAE(n_content=7, chunks=(1, 6))
    assert restore(describe(recipe)) == recipe


@pytest.mark.parametrize(
    "fields",
    [{"chunks": 0}, {"chunks": 13}, {"chunks": (4, 4)}, {"chunks": (0, 12)}, {"mixing": -1.0}],
)
def test_invalid_fields_are_refused(fields: dict[str, object]) -> None:
    """The message names the family."""
    with pytest.raises(ConfigError, match="MixingAE"):
        MixingAE(**fields)  # type: ignore[arg-type]


def test_players_train_their_module_alone() -> None:
    """A step of one player changes no weight or buffer of the other."""
    recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=replace(SMALL_NET, norm=True))
    model = recipe.build(SHAPE)
    players = recipe.players(model)
    assert [player.name for player in players] == ["critic", "autoencoder"]
    for player in players:
        before = [{k: v.clone() for k, v in p.module.state_dict().items()} for p in players]
        anchor = model.anchor_theta.clone()
        learner = replace(player, interval=1, measure=None, optimiser=Optimiser(lr=0.01, warmup=0))
        train(model, [learner], Dataset(blobs(16)), steps=2, batch_size=8, device="cpu")
        model.anchor_theta.copy_(anchor)
        has_changed = [
            any(not torch.equal(v, state[k]) for k, v in p.module.state_dict().items())
            for state, p in zip(before, players, strict=True)
        ]
        assert has_changed == [p.name == player.name for p in players]


def test_terms_reach_the_encoder() -> None:
    """The gradient of each term passes the mixed sample to the content network."""
    for name in ("adversarial", "classification", "mixing"):
        weights = {"mixing": 0.0, "adversarial": 0.0, "classification": 0.0, name: 1.0}
        recipe = MixingAE(warp=Affine2d(), n_content=4, chunks=2, net=SMALL_NET)
        recipe = replace(recipe, **weights)  # type: ignore[arg-type]
        model = recipe.build(SHAPE)
        player = recipe.players(model)[-1]
        player.loss(Batch(blobs(8), torch.arange(8)), 0, rng())[name].backward()
        parameters = model.encoder.content.parameters()  # type: ignore[union-attr]
        assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in parameters)


def test_critic_and_classifier_are_optional() -> None:
    """Without their weights one player minimises the mixing term alone."""
    recipe = MixingAE(n_content=4, chunks=2, net=SMALL_NET, adversarial=0.0, classification=0.0)
    (player,) = recipe.players(recipe.build(SHAPE))
    assert set(player.loss(Batch(blobs(4), torch.arange(4)), 0, rng())) == {"mixing"}


def test_training_learns_to_unmix() -> None:
    """The mixing term falls by half at least; the history has accuracies and the cycle error."""
    net, optimiser = Net("mlp", (64,), (64,)), Optimiser(lr=3e-3, warmup=10)
    recipe = MixingAE(n_content=4, chunks=2, net=net, optimiser=optimiser)
    model, data = recipe.build(SHAPE), Dataset(blobs(64))
    history = train(model, recipe.players(model), data, steps=120, batch_size=32, device="cpu")
    first, last = history.rows[0], history.rows[-1]
    assert {"autoencoder.cycle", "autoencoder.accuracy_1", "autoencoder.accuracy_2"} <= set(last)
    constant = float(model.likelihood(blobs(1), blobs(1)).detach())
    assert last["mixing"] - constant < 0.5 * (first["mixing"] - constant)
