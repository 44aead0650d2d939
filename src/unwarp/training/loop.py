"""The one training loop: players step in order, every random number is a function of the seed and the step.

Because nothing random is carried from step to step, a run resumes exactly from weights, optimiser states and the step.
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

from unwarp.core import Batch, Precision
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError, TrainingError
from unwarp.models import Model, Player
from unwarp.models.schedules import Schedule
from unwarp.training.engine import accelerator

if TYPE_CHECKING:
    from accelerate import Accelerator
from unwarp.training.batches import _generator, rows_at
from unwarp.training.callbacks import Callback
from unwarp.training.state import History, Row, State


class Objective(nn.Module):
    """A player's loss as a module, so that data-parallel wrappers and autocasting see its forward pass."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.module, self.loss = player.module, player.loss

    def forward(self, batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """The player's loss terms."""
        return self.loss(batch, step, generator)


LOG_EVERY = 10


LOOKED_AT = 1024
"""From how many samples a model gathers its kinds while it learns."""


def train(
    model: Model,
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
    """Train `players` on `data` for `steps` steps, then centre the model; the only loop of the project.

    Args:
        model: The model; it ends on the CPU in eval mode, centred on the training data.
        players: Who learns, in the order in which they step.
        data: Training data.
        steps: Number of steps.
        batch_size: Samples a step, over all processes.
        seed: Everything random follows from it.
        seconds: Bound on the training time; the schedules are hurried so that they end with it.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no`, `fp16` or `bf16` (mixed precision).
        callbacks: Progress, checkpoints and whatever looks on.

    Raises:
        TrainingError: A loss or its gradient is not finite; the message names the step, the player and the term.
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


def _start(model: Model, players: tuple[Player, ...], steps: int, seed: int, engine: Accelerator) -> State:
    """The state before the first step, with everything that learns on the engine's device."""
    for module in (model, *(player.module for player in players)):
        module.to(engine.device).train()
    optimisers = tuple(player.optimiser.build(player.module) for player in players)
    averages = tuple(_copies(player.module) if player.ema else {} for player in players)
    return State(model, players, optimisers, averages, steps, seed, scaler=engine.scaler)


def _finish(state: State, data: Dataset, engine: Accelerator) -> None:
    """Put averaged weights in their place, centre the model, and bring it to the CPU."""
    for player, average in zip(state.players, state.averages, strict=True):
        player.module.load_state_dict(average, strict=bool(average))
    state.model.eval().centre(_training_view(data, state.seed).to(engine.device))
    state.model.to("cpu")


@dataclass(frozen=True)
class _Turn:
    """A player's place in the loop."""

    player: Player
    objective: nn.Module
    optimiser: Any
    schedule: Schedule
    average: dict[str, Tensor]


def _turns(state: State, engine: Accelerator) -> list[_Turn]:
    """Everybody's turn in a step, in order; optimisers are wrapped for the gradient scaler alone, as that costs time."""
    return [
        _Turn(
            player,
            engine.prepare_model(Objective(player)),
            engine.prepare_optimizer(optimiser) if engine.scaler else optimiser,
            player.optimiser.schedule(state.steps),
            average,
        )
        for player, optimiser, average in zip(state.players, state.optimisers, state.averages, strict=True)
    ]


def _run(
    state: State,
    data: Dataset,
    engine: Accelerator,
    batch_size: int,
    seconds: float | None,
    callbacks: Sequence[Callback],
) -> None:
    turns = _turns(state, engine)
    started, last = time.perf_counter() - state.history.seconds, state.step - 1.0
    for step in count(state.step):
        state.step = step
        spent = time.perf_counter() - started
        position = max(float(step), state.steps * spent / seconds if seconds else 0.0)
        if position >= state.steps:
            break
        _gather(state, data, engine, last, position)
        last = position
        batch, generator = _batch(state, data, engine, batch_size)
        terms: Row = {}
        for turn in turns:
            if step % turn.player.every == 0:
                terms |= _move(engine, turn, batch, step, position, generator)
        if _logged(state):
            terms |= _measure(state, batch, generator)
        _record(state, terms, batch_size, time.perf_counter() - started)
        for callback in callbacks:
            callback.on_step(state, terms)


def _gather(state: State, data: Dataset, engine: Accelerator, last: float, position: float) -> None:
    """Let the model gather its kinds where, since the `last` position, the run came into a new part."""
    parts = (state.model.gathers + 1) / state.steps
    if int(parts * position) > int(parts * last):
        state.model.gather(_training_view(data, state.seed, LOOKED_AT).to(engine.device))


def _batch(state: State, data: Dataset, engine: Accelerator, size: int) -> tuple[Batch, torch.Generator]:
    """This process's share of a step's batch, and the generator of everything random in the step."""
    share = slice(engine.process_index, None, engine.num_processes)
    generator = _generator(state.seed, state.step * engine.num_processes + engine.process_index)
    batch = data.batch(rows_at(state.step, len(data), size, state.seed)[share], generator)
    return Batch(batch.x.to(engine.device), batch.index), generator


def _move(
    engine: Accelerator, turn: _Turn, batch: Batch, step: int, position: float, generator: torch.Generator
) -> Row:
    """One forward and backward pass of one player, and its move."""
    player, optimiser = turn.player, turn.optimiser
    optimiser.param_groups[0]["lr"] = player.optimiser.lr * turn.schedule(position)
    optimiser.zero_grad(set_to_none=True)
    terms = turn.objective(batch, step, generator)
    row = {name: float(value.detach()) for name, value in terms.items()}
    for name, value in row.items():
        _check_finite(value, f"the term {name!r}", player, batch, step)
    engine.backward(torch.stack(list(terms.values())).sum())
    if player.optimiser.clip or step % LOG_EVERY == 0:
        norm = float(engine.clip_grad_norm_(player.module.parameters(), player.optimiser.clip or math.inf))
        row[f"{player.name}.gradient"] = norm
        if engine.scaler is None:  # a scaler leaves such steps out and lowers its scale
            _check_finite(norm, "the gradient's norm", player, batch, step)
    optimiser.step()
    _average(player, turn.average, step)
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
    """What the players' measures give; nobody draws from the step's generator after them."""
    found = {p.name: p.measure(batch, state.step, generator) for p in state.players if p.measure}
    return {f"{player}.{name}": float(value) for player, row in found.items() for name, value in row.items()}


def _record(state: State, terms: Row, batch_size: int, seconds: float) -> None:
    history = state.history
    history.steps, history.seconds = state.step + 1, seconds
    history.samples += batch_size
    if _logged(state):
        history.rows.append({"step": state.step, "seconds": seconds, "samples": history.samples, **terms})


def _copies(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@torch.no_grad()
def _average(player: Player, average: dict[str, Tensor], step: int) -> None:
    """Follow the player's weights, quickly at first so that no run ends with its start.

    Buffers such as running statistics are averaged with the weights that they were taken under; counters are copied.
    """
    moves = step // player.every
    decay = min(player.ema or 0.0, (1 + moves) / (10 + moves))
    for name, value in player.module.state_dict().items() if average else ():
        average[name].lerp_(value, 1 - decay) if value.is_floating_point() else average[name].copy_(value)


def _training_view(data: Dataset, seed: int, most: int = 4096) -> Tensor:
    """Training samples as the model sees them, for the mean deformation."""
    index = rows_at(0, len(data), min(most, len(data)), seed)
    return data.batch(index, _generator(seed, 1 << 40)).x
