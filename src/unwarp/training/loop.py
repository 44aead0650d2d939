"""The training loop of all model families.

A run has steps. At each step, each player (a module with its loss and its optimiser) updates its
module once. The random numbers of a step depend only on the seed and the number of the step. So a
run can be resumed exactly from weights, optimiser states and the number of the step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unwarp.core import Batch, Precision
from unwarp.data.samples import Samples
from unwarp.devices import float32_gradients
from unwarp.models.hooks import Hooks
from unwarp.models.players import Player
from unwarp.ranges import ARGUMENTS, MAX_STEPS, Range, Whole, check_value
from unwarp.training.batches import batch_rows, step_generator
from unwarp.training.callbacks import Callback
from unwarp.training.engine import make_accelerator
from unwarp.training.interrupts import terminate_as_interrupt
from unwarp.training.slots import PlayerSlot, copy_weights, make_slots, step_player
from unwarp.training.state import LOG_EVERY, History, Row, State

if TYPE_CHECKING:
    from accelerate import Accelerator

MAX_UPDATE_SAMPLES, MAX_FINISH_SAMPLES = 1024, 4096
"""Greatest number of training samples for the hooks `update` and `finish` of a model."""

HOOK_STEP = 1 << 40
"""Step number from which the random generator of samples for hooks is made.

It is greater than the number of steps of any run, so no step has the same generator.
"""

RANGES_OF_RUN: dict[str, Range] = {
    "steps": Whole(1, MAX_STEPS),
    "batch_size": Whole(1),
    "seconds": ARGUMENTS["max_seconds"],
}
"""Ranges of the arguments of `train` that bound a run, by name."""


@float32_gradients()
def train(
    model: nn.Module,
    players: Sequence[Player],
    data: Samples,
    *,
    steps: int,
    batch_size: int = 64,
    seed: int = 0,
    seconds: float | None = None,
    device: str = "auto",
    precision: Precision = "no",
    callbacks: Sequence[Callback] = (),
    facts: Mapping[str, Any] | None = None,
) -> History:
    """Train a model in place and return the history of the run.

    Ctrl-C and SIGTERM end the run by a `KeyboardInterrupt`; with a `Checkpoint` among the callbacks
    the run can then be resumed.

    At each step the players update their modules one after the other, all on the same batch. For a
    model of a recipe, the players are `recipe.players(model)`. To train another module, write a
    `Player` with a loss.

    Args:
        model: The module to train. If it has an attribute `training_hooks` (see `Hooks`), these
            functions are called with training samples. After training, the module is on the CPU, in
            evaluation mode.
        players: The players, in the order of their steps.
        data: Training samples. A data set with `draw` generates a new random observation of each
            original at every step.
        steps: Number of steps, at least 1.
        batch_size: Number of samples per step, over all processes; at least 1.
        seed: Seed of all random numbers. On the CPU, runs with the same seed and the same number
            of threads are bit-equal.
        seconds: Greatest training time in seconds. The run ends when they have passed, and learning
            rate schedules end at the same time. None for no bound.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no` for float32, or `fp16` or `bf16` for mixed precision.
        callbacks: Callbacks, such as `Progress` and `Checkpoint`.
        facts: Further settings that change the result, as JSON values by name, such as the recipe
            (`unwarp.models.codec.describe`). A checkpoint of a run with others is refused. None for
            none.

    Returns:
        The history: losses, gradient norms and measures of every tenth step and of the last step.

    Raises:
        ConfigError: `steps`, `batch_size` or `seconds` is out of range, or the device or the
            precision is not available.
        TrainingError: A loss or a gradient is not finite; the message names the step, the player
            and the term.

    Example:
        >>> from unwarp.data.dataset import Dataset
        >>> from unwarp.models import AE, Net
        >>> recipe = AE(n_content=2, net=Net("mlp", (8,), (8,)))
        >>> model, data = recipe.build((1, 8, 8)), Dataset(torch.rand(20, 1, 8, 8))
        >>> history = train(model, recipe.players(model), data, steps=3, device="cpu")
        >>> history.steps, history.samples
        (3, 192)
    """
    _check_run_size(steps, batch_size, seconds)
    engine = make_accelerator(device, precision)
    settings = {"batch_size": batch_size, "precision": precision, **(facts or {})}
    state = _initial_state(model, tuple(players), data, steps, seed, engine, settings)
    with terminate_as_interrupt(), _callback_context(callbacks, state):
        _run_steps(state, data, engine, batch_size, seconds, callbacks)
    _finish(state, data, engine)
    for callback in callbacks:
        callback.on_end(state)
    return state.history


def _check_run_size(steps: int, batch_size: int, seconds: float | None) -> None:
    """Refuse a number of steps, a batch size or a time that is out of range."""
    for name, value in (("steps", steps), ("batch_size", batch_size), ("seconds", seconds)):
        check_value(name, value, RANGES_OF_RUN[name])


@contextmanager
def _callback_context(callbacks: Sequence[Callback], state: State) -> Iterator[None]:
    """Context that calls `on_start` at its start, and `on_stop` if an exception is raised in it."""
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
    data: Samples,
    steps: int,
    seed: int,
    engine: Accelerator,
    settings: Mapping[str, Any],
) -> State:
    """The state before the first step, with all modules on the engine's device."""
    for module in (model, *(player.module for player in players)):
        module.to(engine.device).train()
    optimisers = tuple(player.optimiser.build(player.module) for player in players)
    averages = tuple(copy_weights(player.module) if player.ema else {} for player in players)
    facts = {**settings, "device": engine.device.type, "processes": engine.num_processes}
    return State(
        model,
        players,
        optimisers,
        averages,
        steps,
        seed,
        scaler=engine.scaler,
        data=data,
        facts=facts,
    )


def _run_steps(
    state: State,
    data: Samples,
    engine: Accelerator,
    batch_size: int,
    seconds: float | None,
    callbacks: Sequence[Callback],
) -> None:
    """Run the steps from `state.step` to the last step, or until `seconds` have passed."""
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
    """Update the module of each player that has its turn at this step.

    Returns:
        Loss terms and gradient norms of these players by name.
    """
    terms: Row = {}
    for slot in slots:
        if step % slot.player.interval == 0:
            terms |= step_player(engine, slot, batch, step, position, generator)
    return terms


def _position(state: State, elapsed: float, seconds: float | None) -> float:
    """The progress of the run, as a number of steps from 0 to `state.steps` or more.

    It is the number of the step or, if that is greater, the elapsed share of the training time
    times the number of steps. Learning rate schedules are functions of it.
    """
    return max(float(state.step), state.steps * elapsed / seconds if seconds else 0.0)


def _update_model(
    state: State, data: Samples, engine: Accelerator, previous: float, position: float
) -> None:
    """Call the model's `update` hook if it is due between two positions in the run.

    A run with n updates is divided into n + 1 parts of equal length. An update is due when a new
    part begins.
    """
    hooks = _hooks(state.model)
    parts_per_step = (hooks.n_updates + 1) / state.steps
    if hooks.n_updates and int(parts_per_step * position) > int(parts_per_step * previous):
        hooks.update(_training_samples(data, state.seed, MAX_UPDATE_SAMPLES).to(engine.device))


def _load_batch(
    state: State,
    data: Samples,
    engine: Accelerator,
    batch_size: int,
) -> tuple[Batch, torch.Generator]:
    """The batch of the step and the random generator of the step.

    With several processes, each one gets its share of the batch and its own generator.
    """
    share = slice(engine.process_index, None, engine.num_processes)
    stream = state.step * engine.num_processes + engine.process_index
    generator = step_generator(state.seed, stream)
    rows = batch_rows(state.step, len(data), batch_size, state.seed)
    batch = data.batch(rows[share], generator)
    return Batch(batch.x.to(engine.device), batch.index), generator


def _is_logged(state: State) -> bool:
    """Whether the history has a row for the current step."""
    return state.step % LOG_EVERY == 0 or state.step == state.steps - 1


@torch.no_grad()
def _measure(state: State, batch: Batch, generator: torch.Generator) -> Row:
    """The players' measures by name if the step is logged, else none.

    They are computed after all updates of the step, so that their use of random numbers does not
    change the training.
    """
    row: Row = {}
    for player in state.players if _is_logged(state) else ():
        measures = player.measure(batch, state.step, generator) if player.measure else {}
        row |= {f"{player.name}.{name}": float(value) for name, value in measures.items()}
    return row


def _record(state: State, terms: Row, batch_size: int, seconds: float) -> None:
    """Update the counters of the history, and add a row if the step is logged."""
    history = state.history
    history.steps, history.seconds = state.step + 1, seconds
    history.samples += batch_size
    if _is_logged(state):
        counters = {"step": state.step, "seconds": seconds, "samples": history.samples}
        history.rows.append(counters | terms)


def _finish(state: State, data: Samples, engine: Accelerator) -> None:
    """Load averaged weights, call the model's `finish` hook, and move the model to the CPU."""
    for player, average in zip(state.players, state.averages, strict=True):
        # without an average the dictionary is empty, and nothing is loaded
        player.module.load_state_dict(average, strict=bool(average))
    samples = _training_samples(data, state.seed, MAX_FINISH_SAMPLES).to(engine.device)
    _hooks(state.model.eval()).finish(samples)
    state.model.to("cpu")


def _hooks(model: nn.Module) -> Hooks:
    """The hooks of a module; hooks that do nothing if the module has none."""
    hooks: Hooks = getattr(model, "training_hooks", Hooks())
    return hooks


def _training_samples(data: Samples, seed: int, max_samples: int) -> Tensor:
    """At most `max_samples` random training samples (N, *shape), in the form of a batch."""
    rows = batch_rows(0, len(data), min(max_samples, len(data)), seed)
    return data.batch(rows, step_generator(seed, HOOK_STEP)).x
