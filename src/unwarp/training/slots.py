"""The place of a player in the loop: its loss, optimiser and averaged weights, and its step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.errors import TrainingError
from unwarp.models.players import Player
from unwarp.models.schedules import Schedule
from unwarp.training.state import LOG_EVERY, Row, State

if TYPE_CHECKING:
    from accelerate import Accelerator


class Objective(nn.Module):
    """A player's loss as a module's forward pass, for data-parallel wrappers and autocasting."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.module, self.loss = player.module, player.loss

    def forward(self, batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """The player's loss terms."""
        return self.loss(batch, step, generator)


@dataclass(frozen=True)
class PlayerSlot:
    """A player's place in the loop.

    Attributes:
        player: The player.
        objective: Its loss as a module, wrapped for precision and processes.
        optimiser: Its optimiser, wrapped likewise.
        schedule: Factor of its learning rate over the run.
        average: Its averaged weights by name; empty for none.
    """

    player: Player
    objective: nn.Module
    optimiser: Any
    schedule: Schedule
    average: dict[str, Tensor]


def slots_of(state: State, engine: Accelerator) -> list[PlayerSlot]:
    """The players' places in a step, in order.

    Optimisers are wrapped for the gradient scaler alone, as that costs time.
    """
    records = zip(state.players, state.optimisers, state.averages, strict=True)
    return [
        PlayerSlot(
            player,
            engine.prepare_model(Objective(player)),
            engine.prepare_optimizer(optimiser) if engine.scaler else optimiser,
            player.optimiser.schedule(state.steps),
            average,
        )
        for player, optimiser, average in records
    ]


def step_player(
    engine: Accelerator,
    slot: PlayerSlot,
    batch: Batch,
    step: int,
    position: float,
    generator: torch.Generator,
) -> Row:
    """The loss terms of one player, after its forward pass, backward pass and step.

    Args:
        engine: Device, precision and processes.
        slot: The player's place in the loop.
        batch: Samples of the step.
        step: Number of the step.
        position: Place in the run, in steps, which the schedule follows.
        generator: Generator of everything random in the step.
    """
    player, optimiser = slot.player, slot.optimiser
    optimiser.param_groups[0]["lr"] = player.optimiser.lr * slot.schedule(position)
    optimiser.zero_grad(set_to_none=True)
    terms = slot.objective(batch, step, generator)
    row = {name: float(value.detach()) for name, value in terms.items()}
    for name, value in row.items():
        _check_finite(value, f"the term {name!r}", player, batch, step)
    engine.backward(torch.stack(list(terms.values())).sum())
    if player.optimiser.clip or step % LOG_EVERY == 0:
        bound = player.optimiser.clip or math.inf
        norm = float(engine.clip_grad_norm_(player.module.parameters(), bound))
        row[f"{player.name}.gradient"] = norm
        if engine.scaler is None:  # a scaler leaves such steps out and lowers its scale
            _check_finite(norm, "the gradient's norm", player, batch, step)
    optimiser.step()
    _average(player, slot.average, step)
    return row


def _check_finite(value: float, what: str, player: Player, batch: Batch, step: int) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"step {step}, player {player.name!r}: {what} is {value}; lower the learning rate "
            f"({player.optimiser.lr:g}) or look at rows {batch.index[:5].tolist()}... of the data"
        )


@torch.no_grad()
def _average(player: Player, average: dict[str, Tensor], step: int) -> None:
    """Follow the player's weights, quickly at first so that no run ends with its start.

    Buffers such as running statistics are averaged with the weights that they were taken under;
    counters are copied.
    """
    turns = step // player.every
    decay = min(player.ema or 0.0, (1 + turns) / (10 + turns))
    for name, value in player.module.state_dict().items() if average else ():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Copies of the weights and buffers of a module, by name."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
