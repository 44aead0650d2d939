"""The steps of a run: batches, updates of the players, measures.

The random numbers of a step depend only on the seed, the number of the step and the number of
rollbacks before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.data.samples import Samples
from unwarp.draws import SharedGenerator
from unwarp.models.hooks import Hooks
from unwarp.training.batches import batch_rows, step_generator
from unwarp.training.engine import greatest_of_processes, mean_of_processes
from unwarp.training.pending import StepNumbers
from unwarp.training.placement import Supply
from unwarp.training.slots import PlayerSlot, make_slots, step_player
from unwarp.training.state import LOG_EVERY, Row, State
from unwarp.waiting import training_step

if TYPE_CHECKING:
    from accelerate import Accelerator

MAX_UPDATE_SAMPLES = 1024
"""Greatest number of training samples for the hook `update` of a model."""

HOOK_STEP = 1 << 40
"""Step number from which the random generator of samples for hooks is made.

It is greater than the number of steps of any run, so no step has the same generator.
"""


@dataclass(frozen=True)
class Run:
    """A run with all that its steps need.

    Attributes:
        state: The state, which the steps change in place.
        data: Training samples.
        engine: Accelerator of the run.
        slots: Slots of the players.
        supply: The same samples as batches on the device of the run.
        batch_size: Number of samples per step, over all processes.
        seconds: Greatest training time in seconds; None for no bound.
        start_time: Time at which the first step began, from `time.perf_counter`.

    >>> from unwarp.data.dataset import Dataset
    >>> from unwarp.training.engine import make_accelerator
    >>> state = State(nn.Identity(), (), (), (), steps=3, seed=0)
    >>> data = Dataset(torch.zeros(4, 1, 2, 2))
    >>> [state.step for _ in Run.of(state, data, make_accelerator("cpu"), batch_size=2).steps()]
    [0, 1, 2]
    """

    state: State
    data: Samples
    engine: Accelerator
    slots: tuple[PlayerSlot, ...]
    supply: Supply
    batch_size: int
    seconds: float | None
    start_time: float

    @classmethod
    def of(
        cls,
        state: State,
        data: Samples,
        engine: Accelerator,
        batch_size: int,
        seconds: float | None = None,
    ) -> Run:
        """The run that continues from a state.

        Args:
            state: The state before the first step, or that of a checkpoint.
            data: Training samples.
            engine: Accelerator of the run.
            batch_size: Number of samples per step, over all processes.
            seconds: Greatest training time in seconds; None for no bound.
        """
        slots = tuple(make_slots(state, engine))
        start_time = time.perf_counter() - state.history.seconds
        supply = Supply.of(data, torch.device(engine.device), state.model)
        return cls(state, data, engine, slots, supply, batch_size, seconds, start_time)

    @property
    def elapsed(self) -> float:
        """Seconds since the first step, without those of an interruption."""
        return time.perf_counter() - self.start_time

    @property
    def is_over(self) -> bool:
        """Whether the greatest training time has passed."""
        if self.seconds is None:
            return False
        return greatest_of_processes(self.elapsed, self.engine) >= self.seconds

    @property
    def position(self) -> float:
        """The progress of the run, in steps: 0 to `state.steps` or more.

        It is the number of the step or, if that is greater, the elapsed share of the training time
        times the number of steps. Learning rate schedules are functions of it.
        """
        if not self.seconds:
            return float(self.state.step)
        elapsed = greatest_of_processes(self.elapsed, self.engine)  # so that they end together
        return max(float(self.state.step), self.state.steps * elapsed / self.seconds)

    def steps(self) -> Iterator[Row]:
        """Run the steps from `state.step` to the end.

        The end is the last step, the first step after `seconds` have passed, or the step at which a
        callback stopped the run.

        Yields:
            Loss terms, gradient norms and measures of each step by name, after the step. They are
            read when they are needed.

        Raises:
            DivergenceError: A loss or a gradient is not finite. On a CPU it is noticed at once, on
                a GPU at the next logged step.
        """
        state, previous_position = self.state, self.state.step - 1.0
        for step in count(state.step):
            state.step = step
            position = self.position
            if position >= state.steps or state.history.stopped:
                break
            self._update_model(previous_position, position)
            previous_position = position
            batch, generator = self._load_batch()
            rows = tuple(batch.index[:5].tolist())
            numbers = StepNumbers(step, state.history.samples, rows, state.check)
            state.pending.append(numbers)
            with training_step(self.supply.has_gaps):
                for slot in self.slots:
                    if step % slot.player.interval == 0:
                        step_player(self.engine, slot, batch, step, position, generator, numbers)
            if _is_logged(state):
                state.check()
                numbers.add_read(_measure(state, batch, generator, self.engine))
            _record(state, numbers, self.batch_size, self.elapsed)
            yield numbers
        state.check()

    def _update_model(self, previous: float, position: float) -> None:
        """Call the model's `update` hook if it is due between two positions in the run.

        A run with n updates is divided into n + 1 parts of equal length. An update is due when a
        new part begins.
        """
        hooks = hooks_of(self.state.model)
        parts_per_step = (hooks.n_updates + 1) / self.state.steps
        if hooks.n_updates and int(parts_per_step * position) > int(parts_per_step * previous):
            self.state.check()
            samples = training_samples(self.data, self.state.seed, MAX_UPDATE_SAMPLES)
            hooks.update(samples.to(self.engine.device))

    def _load_batch(self) -> tuple[Batch, torch.Generator]:
        """The batch of the step and the random generator of the step.

        With several processes, each one gets its share of the batch, and the random numbers of its
        samples.
        """
        state, engine = self.state, self.engine
        share = slice(engine.process_index, None, engine.num_processes)
        generator = step_generator(state.seed_of_batches, state.step)
        if engine.num_processes > 1:
            generator = SharedGenerator.of(generator, engine.process_index, engine.num_processes)
        seed, n_block = state.seed_of_batches, self.data.rows_per_block
        rows = batch_rows(state.step, len(self.data), self.batch_size, seed, n_block)
        return self.supply.batch(rows[share], generator), generator


def _is_logged(state: State) -> bool:
    """Whether the history has a row for the current step."""
    return state.step % LOG_EVERY == 0 or state.step == state.steps - 1


@torch.no_grad()
def _measure(state: State, batch: Batch, generator: torch.Generator, engine: Accelerator) -> Row:
    """The players' measures by name, for a logged step.

    They are means over all processes.

    They are computed after all updates of the step, so that their use of random numbers does not
    change the training.
    """
    row: dict[str, float] = {}
    for player in state.players:
        measures = player.measure(batch, state.step, generator) if player.measure else {}
        row |= {f"{player.name}.{name}": float(value) for name, value in measures.items()}
    if not row or engine.num_processes == 1:
        return row
    values = torch.tensor(list(row.values()), dtype=torch.float64, device=engine.device)
    return dict(zip(row, mean_of_processes(values, engine).tolist(), strict=True))


def _record(state: State, terms: Row, batch_size: int, seconds: float) -> None:
    """Update the counters of the history, and add a row if the step is logged."""
    history = state.history
    history.steps, history.seconds = state.step + 1, seconds
    history.samples += batch_size
    if _is_logged(state):
        add_row(state, terms)


def add_row(state: State, terms: Row) -> None:
    """Add a row for the current step, unless there is one.

    Args:
        state: The state after the step.
        terms: Numbers of the step by name.
    """
    history = state.history
    if not history.rows or history.rows[-1]["step"] != state.step:
        counters = {"step": state.step, "seconds": history.seconds, "samples": history.samples}
        history.rows.append({**counters, **terms})


def hooks_of(model: nn.Module) -> Hooks:
    """The hooks of a module, which do nothing by default."""
    hooks: Hooks = getattr(model, "training_hooks", Hooks())
    return hooks


def training_samples(data: Samples, seed: int, max_samples: int) -> Tensor:
    """Random training samples in the form of a batch.

    Args:
        data: Training samples.
        seed: Seed of the choice.
        max_samples: Greatest number of samples.

    Returns:
        At most `max_samples` samples (N, *shape).
    """
    rows = batch_rows(0, len(data), min(max_samples, len(data)), seed, data.rows_per_block)
    return data.batch(rows, step_generator(seed, HOOK_STEP)).x
