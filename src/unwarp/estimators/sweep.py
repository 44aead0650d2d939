"""Sweeps: trainings with other recipes, compared on held-out samples.

`sweep` makes trials until enough of them are finished, and returns a `SweepResult`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
import torch
import yaml
from sklearn.base import clone
from torch import Tensor

from unwarp.core import DivergencePolicy, Precision
from unwarp.data.fingerprint import code_facts, dataset_facts
from unwarp.data.opening import as_source
from unwarp.data.samples import Samples
from unwarp.data.schema import Schema
from unwarp.devices import float32_gradients
from unwarp.errors import CheckpointError, ConfigError, DivergenceError
from unwarp.estimators.evidence import description_length
from unwarp.estimators.fitting import Fitting
from unwarp.estimators.holding_out import Split
from unwarp.estimators.search_space import SearchSpace, default_space, parse_space
from unwarp.estimators.sweep_study import (
    MEASUREMENTS,
    Trials,
    is_finished,
    load_optuna,
    prepare_folder,
)
from unwarp.estimators.unwarper import Unwarper
from unwarp.launch import count_processes
from unwarp.models.codec import describe, recipe_facts
from unwarp.models.recipe import Recipe
from unwarp.planning.overrides import apply_overrides
from unwarp.range_kinds import Instance, Seed, Whole
from unwarp.ranges import ARGUMENTS, check_value
from unwarp.storage.files import expand, write_file
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.progress import Announcer
from unwarp.training.state import Row, State
from unwarp.training.validation import MAX_MEASURED_SAMPLES

HELD_OUT_SHARE = 0.2
"""Share of the samples that is held out if the estimator states none."""

MAX_TRIALS = 100_000
"""Greatest number of trials of a sweep."""

STATUS = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running", "WAITING": "waiting"}
"""Words for the states of a trial; failures have two."""

MessageHandler = Callable[[str], None]
"""Function that shows one line to people."""


@dataclass(frozen=True)
class SweepResult:
    """The trials of a sweep, and the best recipe.

    Attributes:
        recipe: The recipe of the best trial, for `Unwarper(recipe=...)`.
        best: Values of the best trial by dotted field.
        length: Its description length of a held-out sample, in nats.
        table: One row per trial: `trial` (its number), `status` (complete, pruned, failed, lost or
            running), `length` in nats (of a pruned trial, when it was ended), `seconds`, `reason`
            of a failure, and the values by field.

    >>> from unwarp.models import AE
    >>> SweepResult(AE(n_content=3), {"n_content": 3}, -20.0, pd.DataFrame({"trial": [0]})).best
    {'n_content': 3}
    """

    recipe: Recipe
    best: dict[str, Any]
    length: float
    table: pd.DataFrame

    def __str__(self) -> str:
        counts = self.table["status"].value_counts()
        values = ", ".join(f"{name}={_short(value)}" for name, value in self.best.items())
        number = self.table.loc[self.table["length"].eq(self.length), "trial"].iloc[0]
        parts = ", ".join(f"{n} {status}" for status, n in counts.items())
        return (
            f"{len(self.table)} trials ({parts})\n"
            f"best: trial {number}, {self.length:.4g} nats a held-out sample, with {values}\n"
        )

    def as_yaml(self) -> str:
        """The whole recipe of the best trial, for `unwarp fit --config`."""
        record = {name: value for name, value in describe(self.recipe).items() if name != "module"}
        head = "".join(f"# {line}\n" for line in str(self).splitlines())
        return head + yaml.safe_dump(json.loads(json.dumps(record)), sort_keys=False)

    def write(self, folder: str | Path) -> None:
        """Write `trials.csv`, `best.yaml` and `summary.txt`.

        Args:
            folder: The folder; it is created if there is none.

        Raises:
            ConfigError: A file cannot be written.
        """
        path = expand(folder)
        write_file(path / "trials.csv", self.table.to_csv(index=False))
        write_file(path / "best.yaml", self.as_yaml())
        write_file(path / "summary.txt", str(self))


@float32_gradients()
def sweep(
    X: Any,
    estimator: Unwarper | None = None,
    *,
    n_trials: int = 20,
    space: Mapping[str, Any] | None = None,
    folder: str | Path | None = None,
    times: Any = None,
    on_message: MessageHandler | None = None,
) -> SweepResult:
    """Train with other values of the recipe, and compare on held-out samples.

    A trial trains the model of the recipe with values of a search space, which Optuna chooses by
    the trials before. Its mark is `description_length` of the held-out samples, without labels:
    nats for the residual, the content code and the deformation together. Less is better. So a
    larger code counts only if it explains more than it costs. Held-out samples are the same in all
    trials. A trial above the median of the others at the same step is ended early.

    Several processes that call this function with the same folder share the trials; each call
    returns when `n_trials` are finished. A trial of a process that ended is tried again.

    Only the training that learns the pose is tried: content codes that are measured afterwards,
    refinement and clusters are not. Lengths are comparable within one sweep: of the same samples,
    scaled in the same way, and of recipes of one family.

    Args:
        X: N samples, as for `Unwarper.fit`.
        estimator: Recipe, warp and all other settings; None for `Unwarper()`. Its
            `validation_fraction` is the share that is held out, by default a fifth. Its
            `max_seconds` limits the training of each trial.
        n_trials: Number of finished trials at which the sweep ends, those of earlier calls with the
            same folder included.
        space: For each dotted field of the recipe a list of values, or a mapping with `low`, `high`
            and possibly `log`; None for a space that suits the recipe.
        folder: Folder of the sweep, in which it can be continued and shared; None to keep it in
            memory.
        times: Time stamps, as for `Unwarper.fit`.
        on_message: Function that shows a line to people; None to show none.

    Returns:
        All trials, and the best recipe. With a folder, its files are written there, too.

    Raises:
        ConfigError: An argument is out of range, the family has no measure for held-out samples, no
            trial ended well, optuna is not installed, or a launcher such as torchrun connects
            several processes.
        CheckpointError: The folder holds a sweep of other data or settings.
        DataError: The samples cannot be used.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).random((20, 8, 8))
        >>> estimator = Unwarper("affine", "ae", max_steps=2, device="cpu")
        >>> result = sweep(X, estimator, n_trials=2, space={"n_content": [2, 3]})
        >>> len(result.table), result.recipe.n_content in (2, 3)
        (2, True)
    """
    load_optuna()
    if count_processes() > 1:
        raise ConfigError(
            f"a sweep does not work in {count_processes()} connected processes; start it without "
            "torchrun, and with --workers, or several times with the same folder"
        )
    check_value("n_trials", n_trials, Whole(1, MAX_TRIALS))
    kind = Instance(Unwarper, "an Unwarper", is_optional=True)
    check_value("estimator", estimator, kind)
    path, tell = None if folder is None else expand(folder), on_message or (lambda line: None)
    if path is not None:
        prepare_folder(path)
    setup = _Setup.of(X, estimator or Unwarper(), space, path, times, tell)
    trials = Trials.open(path, setup.facts, n_trials, setup.seed)
    with trials.at_work():
        while (trial := trials.next()) is not None:
            tell(setup.run(trial, trials))
    result = setup.result(trials.study)
    if path is not None:
        result.write(path)
    return result


@dataclass(frozen=True)
class _Setup:
    """All that the trials of a sweep share."""

    recipe: Recipe
    space: SearchSpace
    training: Samples
    held_out: Tensor
    steps: int
    seconds: float | None
    batch_size: int
    seed: int
    device: str
    precision: Precision
    on_divergence: DivergencePolicy

    @classmethod
    def of(
        cls,
        X: Any,
        estimator: Unwarper,
        space: Mapping[str, Any] | None,
        folder: Path | None,
        times: Any,
        tell: MessageHandler,
    ) -> _Setup:
        """The recipe that suits the samples, the space, and the samples in two parts."""
        check_value("random_state", estimator.random_state, Seed(can_be_state=False))
        seed = int(estimator.random_state)  # type: ignore[arg-type]
        share = estimator.validation_fraction or HELD_OUT_SHARE
        check_value("validation_fraction", share, ARGUMENTS["validation_fraction"])
        estimator = clone(estimator).set_params(validation_fraction=None)
        request, reading = estimator._check()
        source = as_source(X, times, reading.hints)
        schema, data = Schema.fit(source, reading)
        split = Split.of(data, share, seed)
        callbacks: list[Callback] = [Announcer(tell)]
        callbacks += [] if folder is None else [_Decisions(folder / ".decision")]
        fitting = Fitting(estimator, request, reading, schema, data, seed, callbacks, source)
        plan, _ = fitting.decide()
        recipe = plan.recipe
        if not recipe.held_out_term:
            raise ConfigError(
                f"a sweep does not work with recipe={recipe.family!r}: its losses measure players "
                "against each other, and its models describe no sample; choose another family"
            )
        return cls(
            recipe,
            default_space(recipe, schema.domain, data.shape)
            if space is None
            else parse_space(space, recipe),
            split.training,
            _held_out(split),
            plan.steps,
            estimator.max_seconds,
            plan.batch_size,
            seed,
            estimator.device,
            estimator.precision,
            estimator.on_divergence,
        )

    @property
    def facts(self) -> dict[str, Any]:
        """Data and settings on which the trials depend, as JSON values."""
        names = ("steps", "seconds", "batch_size", "seed", "device", "precision")
        return {
            "on_divergence": self.on_divergence,
            "recipe": recipe_facts(self.recipe),
            "space": {name: asdict(values) for name, values in self.space.items()},
            "data": dataset_facts(self.training),
            **{name: getattr(self, name) for name in names},
            **code_facts(),
        }

    def run(self, trial: Any, trials: Trials) -> str:
        """Train and measure the model of a trial, record its end, and say it in a line."""
        optuna, start = load_optuna(), perf_counter()
        values = {name: part.choose(name, trial) for name, part in self.space.items()}
        words = ", ".join(f"{name} {_short(value)}" for name, value in values.items())
        title = f"trial {trial.number} ({words})"
        try:
            length = self._train(values, trial)
        except optuna.TrialPruned:
            trials.tell(trial, None, "PRUNED")
            return f"{title}: ended early, above the median of the others"
        except optuna.exceptions.UpdateFinishedTrialError:
            return f"{title}: other workers took it for lost"
        except (DivergenceError, ConfigError) as error:
            trials.tell(trial, None, "FAIL", str(error))
            return f"{title}: failed, {error}"
        trials.tell(trial, length, "COMPLETE")
        return f"{title}: {length:.4g} nats a held-out sample, {perf_counter() - start:.0f} s"

    def _train(self, values: Mapping[str, Any], trial: Any) -> float:
        """The description length of held-out samples under the model with some values."""
        recipe = apply_overrides(self.recipe, values).joint()
        model = recipe.build(self.training.shape, seed=self.seed)
        train(
            model,
            recipe.players(model),
            self.training,
            steps=self.steps,
            seconds=self.seconds,
            batch_size=self.batch_size,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            on_divergence=self.on_divergence,
            callbacks=[_Pruning(trial, self.held_out)],
        )
        length = description_length(model, self.held_out)
        if not torch.isfinite(torch.tensor(length)):
            raise DivergenceError(f"the length of held-out samples is {length}")
        return length

    def result(self, study: Any) -> SweepResult:
        """The table of a study, and its best trial."""
        rows = [_row(trial) for trial in study.get_trials(deepcopy=False)]
        table = pd.DataFrame([row for row in rows if row["status"] != "waiting"])
        complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
        if not complete:
            reasons = [row["reason"] for row in rows if row["reason"]]
            raise ConfigError(
                f"no trial of the sweep ended well ({reasons[0] if reasons else 'all were lost'}); "
                "narrow the space, or name another recipe"
            )
        best = min(complete, key=lambda trial: (trial.value, trial.number))
        fixed = load_optuna().trial.FixedTrial(best.params)
        values = {name: part.choose(name, fixed) for name, part in self.space.items()}
        return SweepResult(apply_overrides(self.recipe, values), values, best.value, table)


class _Decisions(Checkpoint):
    """The decision how much to warp, which workers share; that of another sweep is none."""

    def recall(self, question: str, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        with suppress(CheckpointError):
            return super().recall(question, facts)
        return None


class _Pruning(Callback):
    """Callback that measures a training ten times, and ends a hopeless one."""

    def __init__(self, trial: Any, held_out: Tensor) -> None:
        self.trial, self.held_out = trial, held_out

    def on_step(self, state: State, terms: Row) -> None:
        n_steps = state.step + 1
        number = n_steps * MEASUREMENTS // state.steps
        if number == state.step * MEASUREMENTS // state.steps or n_steps == state.steps:
            return
        state.check()
        model: Any = state.model
        model.eval()
        device = next(model.parameters()).device
        length = description_length(model, self.held_out.to(device))
        model.train()
        self.trial.report(length, number)
        if self.trial.should_prune():
            raise load_optuna().TrialPruned


def _held_out(split: Split) -> Tensor:
    """The first held-out samples (N, C, ...), at most 512."""
    assert split.held_out is not None
    n = min(len(split.held_out), MAX_MEASURED_SAMPLES)
    return split.held_out.batch(torch.arange(n), torch.Generator().manual_seed(0)).x


def _row(trial: Any) -> dict[str, Any]:
    """A trial as a row of the table."""
    status = STATUS.get(trial.state.name) or ("failed" if is_finished(trial) else "lost")
    steps = trial.intermediate_values
    value = steps[max(steps)] if status == "pruned" and steps else trial.value
    seconds = trial.duration.total_seconds() if trial.duration else None
    row = {"trial": trial.number, "status": status, "length": value, "seconds": seconds}
    return {**row, "reason": trial.user_attrs.get("reason", ""), **trial.params}


def _short(value: Any) -> str:
    """A value in few characters."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
