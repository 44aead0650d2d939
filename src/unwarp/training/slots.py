"""The step of one player: loss, gradient, clipping, optimiser and averaged weights."""

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
    """The loss of a player as the forward pass of a module.

    Wrappers for mixed precision and data-parallel processes act on a forward pass, and so on the
    whole loss.

    Args:
        player: The player.

    Attributes:
        module: The player's module, which holds the parameters.
        loss: The player's loss.

    Example:
        >>> player = Player("zero", nn.Identity(), lambda batch, step, generator: {"loss": batch.x})
        >>> Objective(player)(Batch(torch.zeros(1), torch.arange(1)), 0, torch.Generator())
        {'loss': tensor([0.])}
    """

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.module, self.loss = player.module, player.loss

    def forward(self, batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """The loss terms of the player.

        Args:
            batch: Samples of the step.
            step: Number of the step.
            generator: Generator of all draws in the step.

        Returns:
            Weighted scalars by name; their sum is minimised.
        """
        return self.loss(batch, step, generator)


@dataclass(frozen=True)
class PlayerSlot:
    """A player with all that its step needs.

    Attributes:
        player: The player.
        objective: Its loss as a module, wrapped for precision and processes.
        optimiser: Its optimiser, wrapped for the gradient scaler if there is one.
        schedule: Factor of its learning rate as a function of the position in the run, in steps.
        average: Its averaged weights by name, updated in place; empty for none.

    Example:
        >>> player = Player("net", nn.Linear(2, 1), lambda batch, step, generator: {})
        >>> optimiser = player.optimiser.build(player.module)
        >>> schedule = player.optimiser.schedule(steps=100)
        >>> PlayerSlot(player, Objective(player), optimiser, schedule, average={}).schedule(0)
        0.1
    """

    player: Player
    objective: nn.Module
    optimiser: Any
    schedule: Schedule
    average: dict[str, Tensor]


def make_slots(state: State, engine: Accelerator) -> list[PlayerSlot]:
    """The slots of the players, in the order of their steps.

    Args:
        state: State with players, optimisers and averages.
        engine: Accelerator of the run.

    Returns:
        One slot for each player. Optimisers are wrapped only for a gradient scaler, as the wrapper
        costs time.
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
    """Update the parameters of one player once.

    Args:
        engine: Accelerator of the run.
        slot: Slot of the player.
        batch: Samples of the step.
        step: Number of the step.
        position: Position in the run, in steps, for the schedule of the learning rate.
        generator: Generator of all draws in the step.

    Returns:
        The loss terms by name and, at logged steps or if gradients are clipped, the gradient norm
        before clipping as `<player>.gradient`.

    Raises:
        TrainingError: A loss term or the gradient norm is not finite.
    """
    player, optimiser = slot.player, slot.optimiser
    optimiser.param_groups[0]["lr"] = player.optimiser.lr * slot.schedule(position)
    optimiser.zero_grad(set_to_none=True)
    terms = slot.objective(batch, step, generator)
    row = {name: float(value.detach()) for name, value in terms.items()}
    for name, value in row.items():
        _check_finite(value, f"the loss term {name!r}", player, batch, step)
    engine.backward(torch.stack(list(terms.values())).sum())
    if player.optimiser.clip or step % LOG_EVERY == 0:
        max_norm = player.optimiser.clip or math.inf
        norm = float(engine.clip_grad_norm_(player.module.parameters(), max_norm))
        row[f"{player.name}.gradient"] = norm
        if engine.scaler is None:  # a scaler skips such steps and lowers its scale
            _check_finite(norm, "the gradient norm", player, batch, step)
    optimiser.step()
    _update_average(player, slot.average, step)
    return row


def _check_finite(value: float, quantity: str, player: Player, batch: Batch, step: int) -> None:
    """Refuse a value that is NaN or infinite, with the rows of the batch for a search."""
    if not math.isfinite(value):
        raise TrainingError(
            f"training stopped at step {step}, player {player.name!r}: {quantity} is {value}; "
            f"lower the player's learning rate (lr={player.optimiser.lr:g}), or check the data of "
            f"this batch, rows {batch.index[:5].tolist()} and more, for extreme values"
        )


@torch.no_grad()
def _update_average(player: Player, average: dict[str, Tensor], step: int) -> None:
    """Move the averaged weights towards the player's weights.

    The decay rises from 0.1 to the player's `ema`, so that the average of a short run does not hold
    on to the initial weights. Buffers such as running statistics are averaged with the weights that
    they belong to; counters are copied.
    """
    updates = step // player.interval
    decay = min(player.ema or 0.0, (1 + updates) / (10 + updates))
    for name, value in player.module.state_dict().items() if average else ():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


def copy_weights(module: nn.Module) -> dict[str, Tensor]:
    """Copies of a module's weights and buffers by name.

    They have no gradient and share no memory with the module; averages start from them.
    """
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
