"""The update of one player: loss, gradient, clipping, optimiser and averaged weights.

A player is a module with its loss and optimiser. A slot is a player with all objects that an update
needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unwarp.collectives.exchange import share_gradients
from unwarp.core import Batch
from unwarp.models.players import Player
from unwarp.models.schedules import Schedule
from unwarp.training.engine import mean_of_processes
from unwarp.training.pending import StepNumbers
from unwarp.training.state import LOG_EVERY, State

if TYPE_CHECKING:
    from accelerate import Accelerator


class Objective(nn.Module):
    """The loss of a player as the forward pass of a module.

    `accelerate` wraps the forward pass of a module for mixed precision and data-parallel processes.
    With this module the wrapper covers the whole loss.

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
            generator: Source of random numbers.

        Returns:
            Loss terms by name, scalars multiplied by their weights; their sum is minimised.
        """
        return self.loss(batch, step, generator)


@dataclass(frozen=True)
class PlayerSlot:
    """A player with all objects that its update needs.

    Attributes:
        player: The player.
        objective: The player's `Objective`, wrapped for mixed precision and processes.
        optimiser: The player's optimiser, wrapped if there is a gradient scaler.
        schedule: Function from the position in the run, in steps, to the factor of the learning
            rate, rollbacks included.
        average: The player's averaged weights by name, updated in place; empty for a player without
            an average.

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
        One slot for each player. Optimisers are wrapped only if there is a gradient scaler, since
        the wrapper takes time.
    """
    records = zip(state.players, state.optimisers, state.averages, strict=True)
    return [
        PlayerSlot(
            player,
            share_gradients(engine.prepare_model(Objective(player))),
            engine.prepare_optimizer(optimiser) if engine.scaler else optimiser,
            _schedule(player, state),
            average,
        )
        for player, optimiser, average in records
    ]


def _schedule(player: Player, state: State) -> Schedule:
    """The schedule of a player for the present number of steps, times the factor of rollbacks."""
    schedule = player.optimiser.schedule
    return lambda position: state.history.rate_factor * schedule(state.steps)(position)


def step_player(
    engine: Accelerator,
    slot: PlayerSlot,
    batch: Batch,
    step: int,
    position: float,
    generator: torch.Generator,
    numbers: StepNumbers,
) -> None:
    """Update the parameters of one player's module once.

    Args:
        engine: Accelerator of the run.
        slot: Slot of the player.
        batch: Samples of the step.
        step: Number of the step.
        position: Position in the run, in steps, for the schedule of the learning rate. It is
            greater than `step` if the run will end early, by its greatest training time.
        generator: Source of random numbers.
        numbers: Numbers of the step, which get the loss terms by name and, if gradients are clipped
            or the step is a multiple of `LOG_EVERY`, the gradient norm before clipping as
            `<player>.gradient`.
    """
    player, optimiser = slot.player, slot.optimiser
    optimiser.param_groups[0]["lr"] = player.optimiser.lr * slot.schedule(position)
    optimiser.zero_grad(set_to_none=True)
    terms = slot.objective(batch, step, generator)
    values = torch.stack(list(terms.values()))
    words = {name: f"the loss term {name!r}" for name in terms}
    numbers.add(player, words, mean_of_processes(values.detach(), engine))
    numbers.check_on_cpu()
    engine.backward(values.sum())
    if player.optimiser.clip or step % LOG_EVERY == 0:
        max_norm = player.optimiser.clip or math.inf
        norm = torch.as_tensor(engine.clip_grad_norm_(player.module.parameters(), max_norm))
        # a scaler skips an update with a gradient that is not finite
        words, is_checked = {f"{player.name}.gradient": "the gradient norm"}, engine.scaler is None
        numbers.add(player, words, norm, is_checked)
        numbers.check_on_cpu()
    optimiser.step()
    _update_average(player, slot.average, step)


@torch.no_grad()
def _update_average(player: Player, average: dict[str, Tensor], step: int) -> None:
    """Update the exponential moving average of the player's weights, in place.

    The decay rises from 0.1 to the player's `ema`, so that initial weights have little influence on
    the average of a short run. Buffers of floating-point numbers are averaged like weights, and
    integer buffers are copied.
    """
    n_updates = step // player.interval
    decay = min(player.ema or 0.0, (1 + n_updates) / (10 + n_updates))
    for name, value in player.module.state_dict().items() if average else ():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


def copy_weights(module: nn.Module) -> dict[str, Tensor]:
    """Copies of a module's weights and buffers by name.

    They have no gradients and share no memory with the module. Moving averages start from them.
    """
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
