"""Steps of a run: where it begins, what it yields, and other batches after a rollback."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.models.players import Player
from unwarp.training.engine import make_accelerator
from unwarp.training.state import Rollback, State
from unwarp.training.steps import Run

DATA = Dataset(torch.rand(12, 3, generator=torch.Generator().manual_seed(0)))


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
