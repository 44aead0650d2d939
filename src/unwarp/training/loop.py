"""The training loop of all families, with players that step in turn.

All random numbers follow from the seed and the number of the step, and none is carried over. So
weights, optimiser states and the step suffice to resume a run exactly.
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
from unwarp.training.batches import batch_rows, step_generator
from unwarp.training.callbacks import Callback
from unwarp.training.engine import make_accelerator
from unwarp.training.slots import PlayerSlot, copy_weights, make_slots, step_player
from unwarp.training.state import LOG_EVERY, History, Row, State

if TYPE_CHECKING:
    from accelerate import Accelerator

MAX_UPDATE_SAMPLES, MAX_FINISH_SAMPLES = 1024, 4096
"""Greatest number of training samples for the hooks of a model: in the run, and at its end."""

HOOK_STEP = 1 << 40
"""Step number for the generator of the samples for hooks, beyond the steps of any run."""


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
    """Train a model in place and return the history of the run.

    At each step the players update their parameters in turn, each on its own loss of the same
    batch. Training a model of a recipe takes `recipe.players(model)`; any other module needs a
    `Player` with a loss.

    Args:
        model: The module that is trained. If it has `training_hooks` (see `Hooks`), they are called
            with training samples. Afterwards it is on the CPU, in evaluation mode.
        players: The players, in the order of their steps.
        data: Training samples.
        steps: Number of steps, at least 1.
        batch_size: Samples per step, over all processes; at least 1.
        seed: Seed of all random numbers. On the CPU, runs with the same seed and the same number
            of threads are bit-equal.
        seconds: Greatest training time in seconds; schedules are shortened to end with it. None
            for no bound.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no` for float32, or `fp16` or `bf16` for mixed precision.
        callbacks: Observers of the run, such as `Progress` and `Checkpoint`.

    Returns:
        The history: losses, gradient norms and measures of every tenth step.

    Raises:
        ConfigError: A number is not positive, or the device or the precision is unknown.
        TrainingError: A loss or a gradient is not finite; the message names the step, the player
            and the term.

    Example:
        >>> from unwarp.models import AE, Net
        >>> recipe = AE(n_content=2, net=Net("mlp", (8,), (8,)))
        >>> model, data = recipe.build((1, 8, 8)), Dataset(torch.rand(20, 1, 8, 8))
        >>> history = train(model, recipe.players(model), data, steps=3, device="cpu")
        >>> history.steps, history.samples
        (3, 192)
    """
    _check_run_size(steps, batch_size, seconds)
    engine = make_accelerator(device, precision)
    state = _initial_state(model, tuple(players), steps, seed, engine)
    with _notifying(callbacks, state):
        _run_steps(state, data, engine, batch_size, seconds, callbacks)
    _finish(state, data, engine)
    for callback in callbacks:
        callback.on_end(state)
    return state.history


def _check_run_size(steps: int, batch_size: int, seconds: float | None) -> None:
    """Refuse sizes of a run that are not positive."""
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if value < 1:
            raise ConfigError(f"{name}={value} must be at least 1")
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"seconds={seconds} must be positive, or None for no bound")


@contextmanager
def _notifying(callbacks: Sequence[Callback], state: State) -> Iterator[None]:
    """Call `on_start` before a run, and `on_stop` if an exception ends it."""
    try:
        for callback in callbacks:
            callback.on_start(state)
        yield
    except BaseException:
        for callback in callbacks:
            callback.on_stop(state)
        raise


def _initial_state(
    model: nn.Module,
    players: tuple[Player, ...],
    steps: int,
    seed: int,
    engine: Accelerator,
) -> State:
    """The state before the first step, with all modules on the engine's device."""
    for module in (model, *(player.module for player in players)):
        module.to(engine.device).train()
    optimisers = tuple(player.optimiser.build(player.module) for player in players)
    averages = tuple(copy_weights(player.module) if player.ema else {} for player in players)
    return State(model, players, optimisers, averages, steps, seed, scaler=engine.scaler)


def _run_steps(
    state: State,
    data: Dataset,
    engine: Accelerator,
    batch_size: int,
    seconds: float | None,
    callbacks: Sequence[Callback],
) -> None:
    """Step from `state.step` until the last step, or until the time is over."""
    slots, previous_position = make_slots(state, engine), state.step - 1.0
    start_time = time.perf_counter() - state.history.seconds
    for step in count(state.step):
        state.step = step
        position = _position(state, time.perf_counter() - start_time, seconds)
        if position >= state.steps:
            break
        _update_model(state, data, engine, previous_position, position)
        previous_position = position
        batch, generator = _load_batch(state, data, engine, batch_size)
        terms = _step_players(slots, engine, batch, step, position, generator)
        terms |= _measure(state, batch, generator)
        _record(state, terms, batch_size, time.perf_counter() - start_time)
        for callback in callbacks:
            callback.on_step(state, terms)


def _step_players(
    slots: Sequence[PlayerSlot],
    engine: Accelerator,
    batch: Batch,
    step: int,
    position: float,
    generator: torch.Generator,
) -> Row:
    """The loss terms of the players that step now, each after its update."""
    terms: Row = {}
    for slot in slots:
        if step % slot.player.interval == 0:
            terms |= step_player(engine, slot, batch, step, position, generator)
    return terms


def _position(state: State, elapsed: float, seconds: float | None) -> float:
    """Position in the run, in steps: the step, or a later one if the time is nearer to its end."""
    return max(float(state.step), state.steps * elapsed / seconds if seconds else 0.0)


def _update_model(
    state: State, data: Dataset, engine: Accelerator, previous: float, position: float
) -> None:
    """Call the model's `update` hook if the run enters a new part between two positions.

    A run with n updates has n + 1 parts of equal length.
    """
    hooks = _hooks(state.model)
    parts_per_step = (hooks.n_updates + 1) / state.steps
    if hooks.n_updates and int(parts_per_step * position) > int(parts_per_step * previous):
        hooks.update(_training_samples(data, state.seed, MAX_UPDATE_SAMPLES).to(engine.device))


def _load_batch(
    state: State,
    data: Dataset,
    engine: Accelerator,
    batch_size: int,
) -> tuple[Batch, torch.Generator]:
    """This process's share of the step's batch, and the generator of the step."""
    share = slice(engine.process_index, None, engine.num_processes)
    stream = state.step * engine.num_processes + engine.process_index
    generator = step_generator(state.seed, stream)
    rows = batch_rows(state.step, len(data), batch_size, state.seed)
    batch = data.batch(rows[share], generator)
    return Batch(batch.x.to(engine.device), batch.index), generator


def _is_logged(state: State) -> bool:
    """Whether the current step has a row in the history."""
    return state.step % LOG_EVERY == 0 or state.step == state.steps - 1


@torch.no_grad()
def _measure(state: State, batch: Batch, generator: torch.Generator) -> Row:
    """The players' measures by name, at logged steps only.

    They use the step's generator last, so measuring does not change the training.
    """
    row: Row = {}
    for player in state.players if _is_logged(state) else ():
        measures = player.measure(batch, state.step, generator) if player.measure else {}
        row |= {f"{player.name}.{name}": float(value) for name, value in measures.items()}
    return row


def _record(state: State, terms: Row, batch_size: int, seconds: float) -> None:
    """Count the step in the history, and add a row if the step is logged."""
    history = state.history
    history.steps, history.seconds = state.step + 1, seconds
    history.samples += batch_size
    if _is_logged(state):
        counters = {"step": state.step, "seconds": seconds, "samples": history.samples}
        history.rows.append(counters | terms)


def _finish(state: State, data: Dataset, engine: Accelerator) -> None:
    """Load averaged weights, call the model's `finish` hook, and bring the model to the CPU."""
    for player, average in zip(state.players, state.averages, strict=True):
        player.module.load_state_dict(average, strict=bool(average))
    samples = _training_samples(data, state.seed, MAX_FINISH_SAMPLES).to(engine.device)
    _hooks(state.model.eval()).finish(samples)
    state.model.to("cpu")


def _hooks(model: nn.Module) -> Hooks:
    """The hooks of a module; hooks that do nothing if it has none."""
    hooks: Hooks = getattr(model, "training_hooks", Hooks())
    return hooks


def _training_samples(data: Dataset, seed: int, max_samples: int) -> Tensor:
    """At most `max_samples` training samples (N, *shape), as batches show them."""
    rows = batch_rows(0, len(data), min(max_samples, len(data)), seed)
    return data.batch(rows, step_generator(seed, HOOK_STEP)).x
