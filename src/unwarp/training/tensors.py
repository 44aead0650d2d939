"""All tensors of a run by name: weights, averaged weights, optimiser states."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from unwarp.training.state import State


def state_tensors(state: State) -> dict[str, Tensor]:
    """Copies of all tensors of a state by name, on the CPU.

    The names are `model.NAME` for weights of the model, `player<i>.NAME` for those of a player with
    another module, `average<i>.NAME` for averaged weights, and `optimiser<i>.ROW.NAME` for the
    optimiser state of parameter number ROW.
    """
    tensors = weights_of(state)
    for i, optimiser in enumerate(state.optimisers):
        for row, moments in optimiser.state_dict()["state"].items():
            named = {f"optimiser{i}.{row}.{name}": value for name, value in moments.items()}
            tensors |= {name: torch.as_tensor(value) for name, value in named.items()}
    return copies(tensors)


def copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of tensors by name, on the CPU and without gradients."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


@torch.no_grad()
def restore_weights(state: State, tensors: Mapping[str, Tensor]) -> None:
    """Change the weights and averaged weights of a state in place.

    Args:
        state: The state of the run.
        tensors: New values, by the names of `weights_of`.
    """
    for name, value in weights_of(state).items():
        value.copy_(tensors[name])


def weights_of(state: State) -> dict[str, Tensor]:
    """The weights and averaged weights of a state by name, without copies."""
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    for i, (player, average) in enumerate(zip(state.players, state.averages, strict=True)):
        if player.module is not state.model:
            weights = player.module.state_dict()
            tensors |= {f"player{i}.{name}": value for name, value in weights.items()}
        tensors |= {f"average{i}.{name}": value for name, value in average.items()}
    return tensors


def rows_of(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Tensors with names `ROW.NAME`, by row and name."""
    rows: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        row, _, key = name.partition(".")
        rows.setdefault(int(row) if row.isdecimal() else -1, {})[key] = value
    return rows


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Load tensors as the states of the optimiser's parameters.

    Args:
        optimiser: The optimiser, changed in place.
        tensors: Tensors with names `ROW.NAME`, for parameter number ROW.
    """
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": rows_of(tensors), "param_groups": groups})
