"""Held-out samples, which decide the length of a run and its weights.

    Validation    held-out samples, and when and what to measure
    Watch         the measurements of one run

Measurements use no random numbers of the training, and the same ones each time. So they do not
change the steps of a run, and differ among each other by the weights only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import exp, isfinite
from typing import Any

import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.data.fingerprint import dataset_facts
from unwarp.data.samples import Samples
from unwarp.errors import DivergenceError
from unwarp.models.likelihood import Likelihood
from unwarp.training.batches import step_generator
from unwarp.training.plateau import change_steps
from unwarp.training.slots import copy_weights
from unwarp.training.state import State
from unwarp.training.steps import HOOK_STEP, Run
from unwarp.training.tensors import copies, weights_of

MAX_MEASURED_SAMPLES = 512
"""Greatest number of held-out samples that are measured; the first ones of more."""

OBJECTIVE = "objective"
"""Name of the sum of all loss terms, measured if no player has the term of a `Validation`."""


@dataclass(frozen=True)
class Validation:
    """Held-out samples, and when and what to measure.

    Attributes:
        data: Samples that are not trained on.
        interval: Number of steps between two measurements, at least 1.
        max_steps: Greatest number of steps of a run that is extended; None to extend no run.
        term: Name of the loss term to measure. If no player has it, the sum of all terms is
            measured.
        weight: Weight of the term in the loss.

    >>> from unwarp.data.dataset import Dataset
    >>> Validation(Dataset(torch.zeros(4, 1, 8, 8)), interval=20).term
    'reconstruction'
    """

    data: Samples
    interval: int
    max_steps: int | None = None
    term: str = "reconstruction"
    weight: float = 1.0

    @property
    def facts(self) -> dict[str, Any]:
        """Settings, and a checksum of the samples, as JSON values."""
        settings = {name: value for name, value in vars(self).items() if name != "data"}
        return {**settings, "data": dataset_facts(self.data)}


@dataclass(frozen=True)
class Watch:
    """The measurements of one run, which change its number of steps.

    Attributes:
        run: The run.
        validation: Held-out samples, and when to measure them; None for none.

    >>> from unwarp.training.engine import make_accelerator
    >>> from unwarp.data.dataset import Dataset
    >>> state, data = State(torch.nn.Identity(), (), (), (), 3, 0), Dataset(torch.zeros(4, 1, 2, 2))
    >>> Watch(Run.of(state, data, make_accelerator("cpu"), batch_size=2)).observe()
    ()
    """

    run: Run
    validation: Validation | None = None

    def observe(self) -> tuple[str, ...]:
        """Measure after a step, if it is due, and decide.

        Returns:
            Lines for people on a new number of steps.

        Raises:
            DivergenceError: The loss of the held-out samples is not finite.
        """
        state, validation = self.run.state, self.validation
        steps = state.history.steps
        if validation is None or (steps % validation.interval and steps != state.steps):
            return ()
        state.check()
        self._measure(validation)
        max_steps = None if self.run.is_over else validation.max_steps
        change = change_steps(state.history, state.steps, max_steps)
        if change is None:
            return ()
        state.history.changes.append(change)
        state.steps = change.to_steps
        return (f"training {change}",)

    def conclude(self) -> None:
        """Measure the last weights, and say why the run ended.

        Raises:
            DivergenceError: The loss of the held-out samples is not finite.
        """
        history = self.run.state.history
        rows, changes = history.validation, history.changes
        if self.validation is None or not history.steps:
            return
        if not rows or rows[-1]["step"] != history.steps:
            self._measure(self.validation)
        if changes and not changes[-1].is_longer and history.steps == changes[-1].to_steps:
            history.stopped = history.stopped or changes[-1].reason

    def _measure(self, validation: Validation) -> None:
        """Add a row to the history, and keep the weights if they are the best so far."""
        state, history = self.run.state, self.run.state.history
        with _evaluation(state), torch.no_grad():
            pairs = [self._loss(i, validation) for i in range(len(self._batches))]
        sizes = [len(batch) for batch in self._batches]
        total = sum(value * size for (_, value), size in zip(pairs, sizes, strict=True))
        name, loss = pairs[0][0], self._shared(total / sum(sizes))
        if not isfinite(loss):
            reason = f"the loss of held-out samples is {loss}"
            raise DivergenceError(
                f"training stopped at step {state.step}, {reason}; lower the learning rate, or "
                "check the samples for extreme values",
                reason,
            )
        row: dict[str, float] = {"step": history.steps, "seconds": history.seconds, name: loss}
        row["error"] = self._error(name, loss, validation)
        history.validation.append(row)
        if not history.best or row["error"] < history.best["error"]:
            history.best, state.best = row, copies(weights_of(state))

    def _loss(self, i: int, validation: Validation) -> tuple[str, float]:
        """Name and value of the measured loss of batch number i."""
        step, terms = self.run.state.step, dict[str, Tensor]()
        for slot in self.run.slots:
            generator = step_generator(self.run.state.seed, HOOK_STEP + 1 + i)
            terms |= slot.objective(self._batches[i], step, generator)
            if validation.term in terms:
                return validation.term, float(terms[validation.term])
        return OBJECTIVE, float(torch.stack(list(terms.values())).sum())

    def _shared(self, loss: float) -> float:
        """The mean loss of all processes, so that they decide alike."""
        engine = self.run.engine
        if engine.num_processes == 1:
            return loss
        mean = engine.reduce(torch.tensor(loss, device=engine.device), "mean")
        return float(mean)

    def _error(self, name: str, loss: float, validation: Validation) -> float:
        """The loss above that of perfect reconstructions, 0 or more.

        A loss has constants, such as the logarithm of a standard deviation, of which no share is
        meaningful. If the standard deviation is learned, the error is its square for this loss, up
        to a factor: exp(2 loss / D), with D observed features.
        """
        likelihood = getattr(self.run.state.model, "likelihood", None)
        if name == OBJECTIVE or not isinstance(likelihood, Likelihood):
            return loss
        loss /= validation.weight
        if likelihood.log_sigma.requires_grad:
            return exp(2 * loss / self._n_features)
        return max(0.0, loss - self._least_loss(likelihood))

    def _least_loss(self, likelihood: Likelihood) -> float:
        """The mean loss of perfect reconstructions."""
        x = torch.cat([batch.x for batch in self._batches])
        return float(likelihood(x.nan_to_num(), x).mean())

    @property
    def _n_features(self) -> float:
        """Mean number of observed features of a sample."""
        x = torch.cat([batch.x for batch in self._batches])
        return float(x.isfinite().sum() / len(x))

    @cached_property
    def _batches(self) -> tuple[Batch, ...]:
        """The measured samples in batches, on the device of the run."""
        assert self.validation is not None
        data, seed = self.validation.data, self.run.state.seed
        rows = torch.split(torch.arange(min(len(data), MAX_MEASURED_SAMPLES)), self.run.batch_size)
        generators = (step_generator(seed, HOOK_STEP + 1 + i) for i in range(len(rows)))
        batches = map(data.batch, rows, generators)
        return tuple(Batch(batch.x.to(self.run.engine.device), batch.index) for batch in batches)


@contextmanager
def _evaluation(state: State) -> Iterator[None]:
    """Context with the averaged weights, in evaluation mode; afterwards all is as before."""
    modules = [state.model, *(player.module for player in state.players)]
    pairs = list(zip(state.players, state.averages, strict=True))
    weights = [copy_weights(player.module) if average else {} for player, average in pairs]
    for player, average in pairs:
        player.module.load_state_dict(average, strict=bool(average))
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for module in modules:
            module.train()
        for (player, _), values in zip(pairs, weights, strict=True):
            player.module.load_state_dict(values, strict=bool(values))
