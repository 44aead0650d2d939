"""Tensors of a run: their names say whose they are."""

from __future__ import annotations

import torch
from torch import nn

from unwarp.models import Player
from unwarp.prefixes import strip_prefix
from unwarp.training.state import State
from unwarp.training.tensors import restore_optimiser, state_tensors, weights_of


def small_state() -> State:
    """The state of a layer and of a player with another module, after one step of the player."""
    layer, critic = nn.Linear(2, 1), nn.Linear(3, 1)
    player = Player("critic", critic, lambda batch, step, generator: {})
    optimiser = player.optimiser.build(critic)
    critic(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return State(layer, (player,), (optimiser,), ({"bias": torch.ones(1)},), 9, 0)


def test_names_say_whose_tensors_are() -> None:
    """Each tensor has the owner as a prefix; those of the state are copies."""
    state = small_state()
    tensors = state_tensors(state)
    owners = {name.partition(".")[0] for name in tensors}
    assert owners == {"model", "player0", "average0", "optimiser0"}
    assert {name.partition(".")[0] for name in weights_of(state)} == owners - {"optimiser0"}
    state.averages[0]["bias"].add_(1)
    assert tensors["average0.bias"] == 1


def test_optimiser_comes_back() -> None:
    """The moments of an optimiser are those of its tensors."""
    state = small_state()
    tensors = strip_prefix(state_tensors(state), "optimiser0.")
    other = state.players[0].optimiser.build(nn.Linear(3, 1))
    restore_optimiser(other, tensors)
    moments = [list(optimiser.state.values()) for optimiser in (other, state.optimisers[0])]
    for first, second in zip(*moments, strict=True):
        assert all(torch.equal(first[name], second[name]) for name in second)
