"""The one training loop: players step in order, randomness follows from the seed and the step.

Because nothing random is carried from step to step, a run resumes exactly from weights, optimiser
states and the step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError, TrainingError
from unwarp.models.hooks import Hooks
from unwarp.models.players import Player
from unwarp.models.schedules import Schedule
from unwarp.training.batches import _generator, rows_at
from unwarp.training.callbacks import Callback
from unwarp.training.engine import Precision, accelerator
from unwarp.training.state import History, Row, State

if TYPE_CHECKING:
    from accelerate import Accelerator

LOG_EVERY = 10
"""Steps between two rows of the history."""
UPDATE_SAMPLES, FINISH_SAMPLES = 1024, 4096
"""Training samples, at most, that the hooks of a model get: between steps, and at the end."""


class Objective(nn.Module):
    """A player's loss as a module, with a forward pass for data-parallel wrappers and autocasting."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.module, self.loss = player.module, player.loss

    def forward(self, batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """The player's loss terms."""
        return self.loss(batch, step, generator)


def train(
    model: nn.Module,
    players: Sequence[Player],
    data: Dataset,
    *,
    steps: int,
    batch_size: int = 64,
    seed: int = 0,
    seconds: float | None = None,
    device: str = "auto",
    precision: Precision = "no",
    callbacks: Sequence[Callback] = (),
) -> History:
    """The history of a run of `players` on `data`; the only loop of the project.

    Args:
        model: The module that is trained. Its `training_hooks` (`Hooks`), where it has them, are
            called with training samples; it ends on the CPU in evaluation mode.
        players: The players, in the order in which they step.
        data: Training data.
        steps: Number of steps.
        batch_size: Samples a step, over all processes.
        seed: Everything random follows from it.
        seconds: Bound on the training time; the schedules are hurried so that they end with it.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no`, `fp16` or `bf16` (mixed precision).
        callbacks: Progress, checkpoints and whatever else observes the run.

    Raises:
        TrainingError: A loss or its gradient is not finite; the message names the step, the player
            and the term.
    """
    if steps < 1 or batch_size < 1:
        raise ConfigError(f"steps={steps} and batch_size={batch_size} must be at least 1")
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"seconds={seconds} must be positive, or None for no bound")
    engine = accelerator(device, precision)
    state = _start(model, tuple(players), steps, seed, engine)
    try:
        for callback in callbacks:
            callback.on_start(state)
        _run(state, data, engine, batch_size, seconds, callbacks)
    except BaseException:
        for callback in callbacks:
            callback.on_stop(state)
        raise
    _finish(state, data, engine)
    for callback in callbacks:
        callback.on_end(state)
    return state.history


def _start(
    model: nn.Module,
    players: tuple[Player, ...],
    steps: int,
    seed: int,
    engine: Accelerator,
) -> State:
    """The state before the first step, with everything that learns on the engine's device."""
    for module in (model, *(player.module for player in players)):
        module.to(engine.device).train()
    optimisers = tuple(player.optimiser.build(player.module) for player in players)
    averages = tuple(_copies(player.module) if player.ema else {} for player in players)
    return State(model, players, optimisers, averages, steps, seed, scaler=engine.scaler)


def _hooks(model: nn.Module) -> Hooks:
    """The hooks of a module; those that do nothing where it has none."""
    hooks: Hooks = getattr(model, "training_hooks", Hooks())
    return hooks


def _finish(state: State, data: Dataset, engine: Accelerator) -> None:
    """Put averaged weights in their place, finish the model, and bring it to the CPU."""
    for player, average in zip(state.players, state.averages, strict=True):
        player.module.load_state_dict(average, strict=bool(average))
    samples = _training_samples(data, state.seed, FINISH_SAMPLES).to(engine.device)
    _hooks(state.model.eval()).finish(samples)
    state.model.to("cpu")


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


def _slots(state: State, engine: Accelerator) -> list[PlayerSlot]:
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


def _run(
    state: State,
    data: Dataset,
    engine: Accelerator,
    batch_size: int,
    seconds: float | None,
    callbacks: Sequence[Callback],
) -> None:
    slots = _slots(state, engine)
    started, last = time.perf_counter() - state.history.seconds, state.step - 1.0
    for step in count(state.step):
        state.step = step
        elapsed = time.perf_counter() - started
        position = max(float(step), state.steps * elapsed / seconds if seconds else 0.0)
        if position >= state.steps:
            break
        _update(state, data, engine, last, position)
        last = position
        batch, generator = _batch(state, data, engine, batch_size)
        terms: Row = {}
        for slot in slots:
            if step % slot.player.every == 0:
                terms |= step_player(engine, slot, batch, step, position, generator)
        if _logged(state):
            terms |= _measure(state, batch, generator)
        _record(state, terms, batch_size, time.perf_counter() - started)
        for callback in callbacks:
            callback.on_step(state, terms)


def _update(state: State, data: Dataset, engine: Accelerator, last: float, position: float) -> None:
    """Call the model's `update` where a new part of the run began after the `last` position."""
    hooks = _hooks(state.model)
    parts = (hooks.updates + 1) / state.steps
    if hooks.updates and int(parts * position) > int(parts * last):
        hooks.update(_training_samples(data, state.seed, UPDATE_SAMPLES).to(engine.device))


def _batch(
    state: State,
    data: Dataset,
    engine: Accelerator,
    size: int,
) -> tuple[Batch, torch.Generator]:
    """This process's share of a step's batch, and the step's generator."""
    share = slice(engine.process_index, None, engine.num_processes)
    generator = _generator(state.seed, state.step * engine.num_processes + engine.process_index)
    batch = data.batch(rows_at(state.step, len(data), size, state.seed)[share], generator)
    return Batch(batch.x.to(engine.device), batch.index), generator


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


def _logged(state: State) -> bool:
    return state.step % LOG_EVERY == 0 or state.step == state.steps - 1


@torch.no_grad()
def _measure(state: State, batch: Batch, generator: torch.Generator) -> Row:
    """The players' measures by name; nobody draws from the step's generator after them."""
    row: Row = {}
    for player in state.players:
        measures = player.measure(batch, state.step, generator) if player.measure else {}
        row |= {f"{player.name}.{name}": float(value) for name, value in measures.items()}
    return row


def _record(state: State, terms: Row, batch_size: int, seconds: float) -> None:
    history = state.history
    history.steps, history.seconds = state.step + 1, seconds
    history.samples += batch_size
    if _logged(state):
        place = {"step": state.step, "seconds": seconds, "samples": history.samples}
        history.rows.append(place | terms)


def _copies(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


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


def _training_samples(data: Dataset, seed: int, most: int) -> Tensor:
    """Training samples (N, *shape) as the model gets them, at most so many."""
    index = rows_at(0, len(data), min(most, len(data)), seed)
    return data.batch(index, _generator(seed, 1 << 40)).x
