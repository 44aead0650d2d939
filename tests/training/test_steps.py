"""Steps of a run: where it begins, what it yields, and other batches after a rollback."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.training.waits import DEVICE, Waits, waits_of_step
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.models import AE, GAN, VAE, BetaVAE, MixingAE, Net, Recipe
from unwarp.models.players import Player
from unwarp.planning.presets import DIGITS, PICTURES, SERIES
from unwarp.training.engine import make_accelerator
from unwarp.training.state import Rollback, State
from unwarp.training.steps import Run
from unwarp.warps import Affine2d, Gain, TimeAffine

DATA = Dataset(torch.rand(12, 3, generator=torch.Generator().manual_seed(0)))

SMALL = Net(channels=8)
IMAGES, SERIES_X = torch.rand(16, 1, 16, 16), torch.rand(16, 1, 40)
RECIPES: dict[str, tuple[Recipe, Tensor]] = {
    "digits": (replace(DIGITS, net=SMALL), IMAGES),
    "pictures": (replace(PICTURES, net=SMALL), IMAGES),
    "circle": (AE(Affine2d(rotation=180), net=SMALL, starts=4, pose_clusters=2), IMAGES),
    "series": (replace(SERIES, net=SMALL), SERIES_X),
    "tempo": (replace(SERIES, warp=TimeAffine(), net=SMALL), SERIES_X),
    "gaps": (replace(SERIES, net=SMALL, gaps=True), SERIES_X),
    "vae": (VAE(Affine2d(), net=SMALL), IMAGES),
    "vae-gain": (VAE(Gain(), net=SMALL), SERIES_X),
    "beta-vae": (BetaVAE(Affine2d(), net=SMALL), IMAGES),
    "gan": (GAN(Affine2d(), net=SMALL), IMAGES),
    "mixing-ae": (MixingAE(Affine2d(), net=SMALL), IMAGES),
}
"""Small recipes with their samples."""


def run_of(batches: list[list[int]]) -> Run:
    """A run of eight steps that records the rows of its batches."""
    net = nn.Linear(3, 1)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        batches.append(batch.index.tolist())
        return {"error": net(batch.x).square().mean()}

    player = Player("net", net, loss)
    optimisers = (player.optimiser.build(net),)
    state = State(net, (player,), optimisers, ({},), steps=8, seed=0)
    return Run.of(state, DATA, make_accelerator("cpu"), batch_size=4)


def test_steps_continue_from_the_state() -> None:
    """Steps that begin in the middle have the batches and numbers of the whole run."""
    whole: list[list[int]] = []
    rest: list[list[int]] = []
    terms = [row.keys() for row in run_of(whole).steps()]
    assert len(terms) == 8 and all("error" in names for names in terms)
    run = run_of(rest)
    run.state.step = 5
    assert len(list(run.steps())) == 3
    assert rest == whole[5:]
    assert run.state.history.steps == 8


def test_rollback_changes_the_batches() -> None:
    """After each rollback the batches of the same steps are others; an epoch has every row once."""
    sequences: list[list[list[int]]] = []
    for n_rollbacks in range(3):
        batches: list[list[int]] = []
        run = run_of(batches)
        run.state.history.rollbacks = [Rollback(7, 0, {}, "")] * n_rollbacks
        list(run.steps())
        assert sorted(row for rows in batches[:3] for row in rows) == list(range(12))
        sequences.append(batches)
    assert sequences[0] != sequences[1] != sequences[2] != sequences[0]


@pytest.mark.parametrize("name", RECIPES)
def test_plain_step_waits_for_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two logged steps the CPU reads nothing from the device, and copies nothing to it."""
    assert waits_of_step(*RECIPES[name], monkeypatch) == []


def test_looks_at_values_are_seen() -> None:
    """The count of the other test sees numbers, masks, copies and indices."""
    x = torch.zeros(3, device=DEVICE)
    with Waits() as waits:
        float(x[0])
        x[torch.zeros(3, dtype=torch.long)]
        torch.ones(3).to(DEVICE)
    assert waits.names == ["_local_scalar_dense", "an index elsewhere", "a copy"]
