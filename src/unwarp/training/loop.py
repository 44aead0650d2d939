"""The training loop of all model families.

A run has steps. At each step, each player (a module with its loss and its optimiser) updates its
module once. The random numbers of a step depend only on the seed and the number of the step. So a
run can be resumed exactly from weights, optimiser states and the number of the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import nn

from unwarp.core import DivergencePolicy, Precision
from unwarp.data.samples import Samples
from unwarp.devices import float32_gradients
from unwarp.errors import ConfigError, DivergenceError, ProcessError
from unwarp.launch import launch_hint
from unwarp.models.hooks import begin_unchanged
from unwarp.models.players import Player
from unwarp.nets.batch_norm import shared_batch_norms
from unwarp.processes import share_weights, told_loss
from unwarp.range_kinds import Instance, Whole
from unwarp.ranges import ARGUMENTS, MAX_STEPS, Range, check_value
from unwarp.training.callbacks import Callback, check_callbacks
from unwarp.training.divergence import Recovery, check_weights, recovery_of
from unwarp.training.engine import least_of_processes, make_accelerator, stops_together
from unwarp.training.interrupts import terminate_as_interrupt
from unwarp.training.slots import copy_weights
from unwarp.training.state import History, Row, State
from unwarp.training.steps import Run, add_row, hooks_of, training_samples
from unwarp.training.tensors import restore_weights
from unwarp.training.validation import Validation, Watch
from unwarp.values import brief

if TYPE_CHECKING:
    from accelerate import Accelerator

MAX_BEGIN_SAMPLES = 512
"""Greatest number of training samples for the hook `begin` of a model."""

MAX_FINISH_SAMPLES = 4096
"""Greatest number of training samples for the hook `finish` of a model."""

RANGES_OF_RUN: dict[str, Range] = {
    "steps": Whole(1, MAX_STEPS),
    "batch_size": Whole(1),
    "seconds": ARGUMENTS["max_seconds"],
    "on_divergence": ARGUMENTS["on_divergence"],
    "seed": Whole(0, 2**63 - 1),
}
"""Ranges of the arguments of `train`, by name."""


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
    on_divergence: DivergencePolicy = "stop",
    callbacks: Sequence[Callback] = (),
    facts: Mapping[str, Any] | None = None,
    validation: Validation | None = None,
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
        on_divergence: Reaction to a loss, a gradient or a weight that is not finite: `stop` raises
            an error; `rollback` goes back to the last good state, at most 200 steps earlier or at
            the beginning, and continues at half the learning rate of every player, with other
            batches, at most five times (`unwarp.training.divergence`).
        callbacks: Callbacks, such as `Progress` and `Checkpoint`. A callback ends the run by
            `state.stop(reason)`; in several processes, all of them end at the same step.
        facts: Further settings that change the result, as JSON values by name, such as the recipe
            (`unwarp.models.codec.describe`). A checkpoint of a run with others is refused. None for
            none.
        validation: Held-out samples, measured at even intervals, and None for none. With them a
            run ends early at a plateau of their error, may be extended if it still falls, and
            leaves the weights with the least error (`unwarp.training.plateau`).

    Returns:
        The history: losses, gradient norms and measures of every tenth step and of the last step,
        the rollbacks, the errors of held-out samples, and the reason for an early end.

    Raises:
        ConfigError: An argument has another type or is out of range, the device or the precision is
            not available, rollbacks are asked of several processes, or they cannot share a batch
            evenly.
        DivergenceError: A loss, a gradient or a weight is not finite; the message names the step,
            the player and the term, and what was tried.
        ProcessError: Another process of the run was lost.

    Example:
        >>> import torch
        >>> from unwarp.data.dataset import Dataset
        >>> from unwarp.models import AE, Net
        >>> recipe = AE(n_content=2, net=Net("mlp", (8,), (8,)))
        >>> model, data = recipe.build((1, 8, 8)), Dataset(torch.rand(20, 1, 8, 8))
        >>> history = train(model, recipe.players(model), data, steps=3, device="cpu")
        >>> history.steps, history.samples
        (3, 192)
    """
    callbacks = _check_objects(model, players, data, callbacks, facts)
    run_size = {"steps": steps, "batch_size": batch_size, "seconds": seconds, "seed": seed}
    _check_arguments({**run_size, "on_divergence": on_divergence})
    check_value("validation", validation, Instance(Validation, "a Validation", is_optional=True))
    engine = make_accelerator(device, precision)
    _check_processes(engine, batch_size, callbacks)
    seconds = least_of_processes(seconds, engine)
    _begin(model, data, seed, engine, callbacks)
    recovery = recovery_of(on_divergence, engine.num_processes)
    settings = {"batch_size": batch_size, "precision": precision, **(facts or {})}
    settings |= {"validation": validation.facts} if validation else {}
    state = _initial_state(model, tuple(players), data, steps, seed, engine, settings)
    with terminate_as_interrupt(), _callback_context(callbacks, state), _connected(state, engine):
        run = Run.of(state, data, engine, batch_size, seconds)
        _run_steps(Watch(run, validation), recovery, callbacks)
    _finish(state, data, engine, callbacks)
    return state.history


def _check_arguments(values: Mapping[str, Any]) -> None:
    """Refuse arguments of `train` that are out of range."""
    for name, value in values.items():
        check_value(name, value, RANGES_OF_RUN[name])


def _check_objects(
    model: Any, players: Any, data: Any, callbacks: Any, facts: Any
) -> Sequence[Callback]:
    """Refuse objects of another type than those of a run, and return the callbacks."""
    check_value("model", model, Instance(nn.Module, "a torch.nn.Module"))
    sequence = Instance((tuple, list), "a tuple of players, such as recipe.players(model)")
    check_value("players", players, sequence)
    if not players or not all(isinstance(player, Player) for player in players):
        raise ConfigError(f"players={brief(players)} is not allowed; give {sequence}")
    if not all(hasattr(data, name) for name in ("__len__", "shape", "batch")):
        raise ConfigError(f"data={brief(data)} is not allowed; give a Dataset, or shards")
    check_value("facts", facts, Instance(Mapping, "a mapping of JSON values", is_optional=True))
    return check_callbacks(callbacks)


def _check_processes(engine: Accelerator, batch_size: int, callbacks: Sequence[Callback]) -> None:
    """Refuse a batch that processes cannot share; tell a launch that failed.

    Raises:
        ConfigError: The batch size is no multiple of the number of processes.
    """
    n = engine.num_processes
    if batch_size % n:
        raise ConfigError(
            f"batch_size={batch_size} cannot be shared evenly by {n} processes; give a multiple "
            f"of {n}, such as {n * -(-batch_size // n)}"
        )
    if hint := launch_hint():
        _tell((hint,), callbacks)


@contextmanager
def _connected(state: State, engine: Accelerator) -> Iterator[None]:
    """Context in which processes share moments of a batch; a lost process is told.

    Raises:
        ProcessError: Another process was lost.
    """
    if engine.num_processes == 1:
        yield
        return
    modules = [state.model, *(player.module for player in state.players)]
    try:
        with shared_batch_norms(modules), told_loss("during the training"):
            yield
    except ProcessError as error:
        error.args = (str(error).replace("during the training", f"at step {state.step}"),)
        raise


def _begin(
    model: nn.Module, data: Samples, seed: int, engine: Accelerator, callbacks: Sequence[Callback]
) -> None:
    """Call the hook `begin` of a model, and tell the callbacks its lines."""
    hooks = hooks_of(model)
    if hooks.begin is begin_unchanged:
        return
    samples = training_samples(data, seed, MAX_BEGIN_SAMPLES).to(engine.device)
    _tell(hooks_of(model.to(engine.device)).begin(samples), callbacks)


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


def _run_steps(watch: Watch, recovery: Recovery, callbacks: Sequence[Callback]) -> None:
    """Run all steps, with rollbacks if the recovery allows them."""
    state = watch.run.state
    recovery.observe(state)
    while True:
        try:
            with _divergence_first(state):
                for terms in watch.run.steps():
                    _tell(watch.observe(), callbacks)
                    recovery.observe(state)  # before the callbacks, so that a checkpoint has it
                    for callback in callbacks:
                        callback.on_step(state, terms)
                    if stops_together(state, watch.run.engine):
                        _end_early(state, terms, callbacks)
                check_weights(state)
                return watch.conclude()
        except DivergenceError as error:
            rollback = recovery.recover(state, error)
        _tell((f"training {rollback}",), callbacks)


@contextmanager
def _divergence_first(state: State) -> Iterator[None]:
    """Context in which an error that follows from a divergence becomes the error of the latter.

    Numbers that are not finite are noticed some steps later, and until then may break other code.

    Raises:
        DivergenceError: A loss or a gradient of the last steps is not finite.
    """
    try:
        yield
    except Exception:
        state.check()
        raise


def _tell(lines: Sequence[str], callbacks: Sequence[Callback]) -> None:
    """Pass lines for people to all callbacks."""
    for line in lines:
        for callback in callbacks:
            callback.on_message(line)


def _end_early(state: State, terms: Row, callbacks: Sequence[Callback]) -> None:
    """Log the last step of a run that a callback has stopped, and tell all callbacks.

    Args:
        state: The state after the step.
        terms: Numbers of the step by name.
        callbacks: All callbacks.
    """
    add_row(state, terms)
    for callback in callbacks:
        callback.on_early_end(state)
    _tell(
        (f"training stopped after step {state.history.steps:,}: {state.history.stopped}",),
        callbacks,
    )


def _finish(
    state: State, data: Samples, engine: Accelerator, callbacks: Sequence[Callback]
) -> None:
    """Load the best or averaged weights, finish the model on the CPU, and tell the callbacks."""
    if state.best:
        restore_weights(state, state.best)
    for player, average in zip(state.players, state.averages, strict=True):
        # without an average the dictionary is empty, and nothing is loaded
        player.module.load_state_dict(average, strict=bool(average))
    samples = training_samples(data, state.seed, MAX_FINISH_SAMPLES).to(engine.device)
    state.model.eval()
    if engine.process_index == 0:
        hooks_of(state.model).finish(samples)
    if engine.num_processes > 1:
        share_weights(state.model)
    state.model.to("cpu")
    for callback in callbacks:
        callback.on_end(state)
