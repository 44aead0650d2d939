"""The one training loop: players step in order, randomness follows from the seed and the step.

Because nothing random is carried from step to step, a run resumes exactly from weights, optimiser
states and the step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unwarp.core import Batch, Precision
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models.hooks import Hooks
from unwarp.models.players import Player
from unwarp.training.batches import _generator, rows_at
from unwarp.training.callbacks import Callback
from unwarp.training.engine import accelerator
from unwarp.training.slots import slots_of, step_player, weights_of
from unwarp.training.state import LOG_EVERY, History, Row, State

if TYPE_CHECKING:
    from accelerate import Accelerator

UPDATE_SAMPLES, FINISH_SAMPLES = 1024, 4096
"""Training samples, at most, that the hooks of a model get: between steps, and at the end."""


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
    _check(steps, batch_size, seconds)
    engine = accelerator(device, precision)
    state = _start(model, tuple(players), steps, seed, engine)
    with _observed(state, callbacks):
        _run(state, data, engine, batch_size, seconds, callbacks)
    _finish(state, data, engine)
    for callback in callbacks:
        callback.on_end(state)
    return state.history


def _check(steps: int, batch_size: int, seconds: float | None) -> None:
    """Refuse sizes of a run that are not positive."""
    if steps < 1 or batch_size < 1:
        raise ConfigError(f"steps={steps} and batch_size={batch_size} must be at least 1")
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"seconds={seconds} must be positive, or None for no bound")


@contextmanager
def _observed(state: State, callbacks: Sequence[Callback]) -> Iterator[None]:
    """Tell callbacks of the start of a run, and of an error that ends it early."""
    try:
        for callback in callbacks:
            callback.on_start(state)
        yield
    except BaseException:
        for callback in callbacks:
            callback.on_stop(state)
        raise


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
    averages = tuple(weights_of(player.module) if player.ema else {} for player in players)
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


def _run(
    state: State,
    data: Dataset,
    engine: Accelerator,
    batch_size: int,
    seconds: float | None,
    callbacks: Sequence[Callback],
) -> None:
    slots, last = slots_of(state, engine), state.step - 1.0
    started = time.perf_counter() - state.history.seconds
    for step in count(state.step):
        state.step = step
        position = _position(state, time.perf_counter() - started, seconds)
        if position >= state.steps:
            break
        _update(state, data, engine, last, position)
        last = position
        batch, generator = _batch(state, data, engine, batch_size)
        terms: Row = {}
        for slot in (slot for slot in slots if step % slot.player.every == 0):
            terms |= step_player(engine, slot, batch, step, position, generator)
        terms |= _measure(state, batch, generator)
        _record(state, terms, batch_size, time.perf_counter() - started)
        for callback in callbacks:
            callback.on_step(state, terms)


def _position(state: State, elapsed: float, seconds: float | None) -> float:
    """Place in the run, in steps: by their number, or by the time where its bound is nearer."""
    return max(float(state.step), state.steps * elapsed / seconds if seconds else 0.0)


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


def _logged(state: State) -> bool:
    return state.step % LOG_EVERY == 0 or state.step == state.steps - 1


@torch.no_grad()
def _measure(state: State, batch: Batch, generator: torch.Generator) -> Row:
    """The players' measures by name, where the step is logged.

    Nobody draws from the step's generator after them.
    """
    row: Row = {}
    for player in state.players if _logged(state) else ():
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


def _training_samples(data: Dataset, seed: int, most: int) -> Tensor:
    """Training samples (N, *shape) as the model gets them, at most so many."""
    index = rows_at(0, len(data), min(most, len(data)), seed)
    return data.batch(index, _generator(seed, 1 << 40)).x
