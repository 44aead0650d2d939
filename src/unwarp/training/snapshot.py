"""Snapshots: the state of a run as tensors and JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from unwarp.data.fingerprint import code_facts, dataset_facts, differences
from unwarp.errors import CheckpointError
from unwarp.models.store import has_lost_values
from unwarp.prefixes import strip_prefix
from unwarp.training.state import History, RestorePoint, State
from unwarp.training.tensors import (
    restore_optimiser,
    restore_weights,
    rows_of,
    state_tensors,
    weights_of,
)

SNAPSHOT_VERSION = 5
"""Version of the format of checkpoints."""

NEVER_NEGATIVE = {"step", "exp_avg_sq", "max_exp_avg_sq"}
"""States of an optimiser that are counts, or means of squares."""


class DamageError(CheckpointError):
    """A checkpoint that is damaged.

    An older one takes its place, if there is one.

    >>> issubclass(DamageError, CheckpointError)
    True
    """


class OtherRunError(CheckpointError):
    """A checkpoint of other data, settings or code.

    >>> issubclass(OtherRunError, CheckpointError)
    True
    """


@dataclass(frozen=True)
class Snapshot:
    """The state of a run as tensors and JSON values.

    Attributes:
        step: Number of steps that were run, at least 1.
        steps: Number of steps of the whole run.
        seed: Seed of the run.
        history: Fields of the `History`, by name.
        scaler: State of the gradient scaler; None if there is none.
        facts: The fingerprint of the run: data, settings and code (`run_facts`).
        tensors: Weights, averaged weights and optimiser states, by name.
        restore_points: States to which the run can go back if it diverges, the oldest first.
        best: Weights with the least error of held-out samples, by name; empty without them.

    >>> history = asdict(History(steps=3))
    >>> Snapshot(3, 10, 0, history, None, {}, {}).problem()
    ''
    """

    __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)
    step: int
    steps: int
    seed: int
    history: dict[str, Any]
    scaler: dict[str, Any] | None
    facts: dict[str, Any]
    tensors: dict[str, Tensor]
    restore_points: tuple[RestorePoint, ...] = ()
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Snapshot | RestorePoint, ...]:
        """The snapshot itself and its restore points."""
        return (self, *self.restore_points)

    def record(self) -> dict[str, Any]:
        """All JSON values by name, without the tensors."""
        points = [_without_tensors(point) for point in self.restore_points]
        return {**_without_tensors(self), "restore_points": points}

    def all_tensors(self) -> dict[str, Tensor]:
        """All tensors by name, those of the parts included.

        The names of restore point number i begin with `point<i>.`, those of the best weights with
        `best.`.
        """
        tensors = self.tensors | {f"best.{name}": value for name, value in self.best.items()}
        for i, point in enumerate(self.restore_points):
            tensors |= {f"point{i}.{name}": value for name, value in point.tensors.items()}
        return tensors

    @classmethod
    def of(cls, record: Mapping[str, Any], tensors: dict[str, Tensor]) -> Snapshot:
        """The snapshot of a record and tensors, both checked.

        Args:
            record: The values that `record` returned.
            tensors: The tensors that `all_tensors` returned.

        Raises:
            DamageError: A value is missing, of the wrong type or out of range.
        """
        try:
            points = [
                {**point, "tensors": strip_prefix(tensors, f"point{i}.")}
                for i, point in enumerate(record["restore_points"])
            ]
            rest = {k: v for k, v in tensors.items() if not k.startswith(("point", "best."))}
            parts = {
                "restore_points": points,
                "tensors": rest,
                "best": strip_prefix(tensors, "best."),
            }
            values = {**record, **parts}
            snapshot = TypeAdapter(cls).validate_python(values)
            for part in snapshot.parts:
                TypeAdapter(History).validate_python(part.history)
                History.of(part.history)  # refuses unknown fields
        except KeyError as error:
            raise DamageError(f"{error} is missing") from error
        except (ValidationError, TypeError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error)}
            name = ".".join(map(str, first.get("loc", ())))
            raise DamageError(f"{name}: {first['msg']}" if name else first["msg"]) from error
        if problem := snapshot.problem():
            raise DamageError(problem)
        return snapshot

    def problem(self) -> str:
        """Description of a value out of range, or an empty text."""
        if not 0 < self.step <= self.steps:
            return f"step={self.step} is not between 1 and steps={self.steps}"
        for part in self.parts:
            if part.history.get("steps") != part.step:
                return f"step={part.step}, but the history has {part.history.get('steps')} steps"
        point_steps = [point.step for point in self.restore_points]
        if point_steps != sorted(point_steps) or not all(0 <= n <= self.step for n in point_steps):
            return f"restore points at steps {point_steps}, but step={self.step}"
        changes = self.history.get("changes")
        steps = changes[0]["from_steps"] if changes else self.steps
        for name, value in (("steps", steps), ("seed", self.seed)):
            if self.facts.get(name, value) != value:
                return f"{name}={value}, but its facts say {self.facts[name]}"
        if bool(self.history.get("best")) != bool(self.best):
            return "the weights with the least error are missing, or there must be none"
        return ""


def _without_tensors(part: Snapshot | RestorePoint) -> dict[str, Any]:
    """The JSON values of a snapshot or of a restore point by name."""
    return {name: value for name, value in vars(part).items() if name not in ("tensors", "best")}


def run_facts(state: State) -> dict[str, Any]:
    """The fingerprint of a run: data, settings and code.

    All settings that change the result are part of it.

    Args:
        state: The state of the run.
    """
    players = {
        player.name: {
            **asdict(player.optimiser),
            "interval": player.interval,
            "ema": player.ema,
        }
        for player in state.players
    }
    data = {} if state.data is None else dataset_facts(state.data)
    sizes = {"steps": state.steps, "seed": state.seed}
    return {**sizes, **state.facts, "players": players, "data": data, **code_facts()}


def take_snapshot(state: State, facts: Mapping[str, Any]) -> Snapshot:
    """The state after the current step, with copies of all tensors.

    Args:
        state: The state of the run.
        facts: The fingerprint of the run.
    """
    return Snapshot(
        seed=state.seed,
        facts=dict(facts),
        restore_points=state.restore_points,
        best=state.best,
        **vars(take_restore_point(state)),
    )


def take_restore_point(state: State) -> RestorePoint:
    """The state after the last step, with copies of all tensors.

    Args:
        state: The state of the run.
    """
    scaler = state.scaler.state_dict() if state.scaler else None
    history = asdict(state.history)
    return RestorePoint(state.history.steps, state.steps, history, scaler, state_tensors(state))


def restore_snapshot(snapshot: Snapshot, state: State, facts: Mapping[str, Any]) -> None:
    """Change `state` in place to the state of a snapshot.

    Everything is checked before the first change.

    Args:
        snapshot: A snapshot of the same run.
        state: The initial state of the run.
        facts: The fingerprint of the run.

    Raises:
        OtherRunError: The snapshot has another fingerprint; the message says how it differs.
        DamageError: A tensor is missing or has another shape.
    """
    if difference := differences(snapshot.facts, facts):
        raise OtherRunError(difference)
    for part in snapshot.parts:
        _check_part(part, state)
    if snapshot.best:
        _check_weights(snapshot.best, weights_of(state))
    _restore(snapshot, state)
    state.restore_points, state.best = snapshot.restore_points, snapshot.best


def go_back(point: RestorePoint, state: State) -> None:
    """Change `state` in place to an earlier state of the same run.

    The time, the samples, the rollbacks and the best weights of the history are not undone.

    Args:
        point: The earlier state.
        state: The state of the run.
    """
    history = state.history
    _restore(point, state)
    state.history.seconds, state.history.samples = history.seconds, history.samples
    state.history.rollbacks, state.history.best = history.rollbacks, history.best


def _restore(part: Snapshot | RestorePoint, state: State) -> None:
    """Change `state` in place to that of a snapshot or restore point, without checks."""
    restore_weights(state, part.tensors)
    for i, optimiser in enumerate(state.optimisers):
        restore_optimiser(optimiser, strip_prefix(part.tensors, f"optimiser{i}."))
    if state.scaler and part.scaler:
        state.scaler.load_state_dict(part.scaler)
    state.step, state.steps = part.step, part.steps
    state.history = History.of(part.history)


def _check_part(part: Snapshot | RestorePoint, state: State) -> None:
    """Refuse a stored state with tensors that are missing, not finite, or of another shape."""
    if bool(part.scaler) != bool(state.scaler and state.scaler.state_dict()):
        raise DamageError("the state of the gradient scaler is missing, or there must be none")
    _check_weights(part.tensors, weights_of(state))
    for i, optimiser in enumerate(state.optimisers):
        moments = strip_prefix(part.tensors, f"optimiser{i}.")
        if part.step or moments:  # an optimiser has no state before the first step
            _check_optimiser(optimiser, moments, i)


def _check_weights(tensors: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Refuse tensors that lack a weight, have further ones, or other shapes or dtypes."""
    names = {name for name in tensors if not name.startswith("optimiser")}
    if names != weights.keys():
        raise DamageError(
            f"{min(names ^ weights.keys())} is missing, or is not a part of the model"
        )
    for name, value in weights.items():
        stored = tensors[name]
        if (stored.shape, stored.dtype) != (value.shape, value.dtype):
            raise DamageError(
                f"{name} is {stored.dtype} of shape {tuple(stored.shape)}, but the model has "
                f"{value.dtype} of shape {tuple(value.shape)}"
            )
        # a new model may have unknown values, such as clusters of poses, and they are NaN
        if has_lost_values(stored, value):
            raise DamageError(f"{name} has values that are not finite")


def _check_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], i: int) -> None:
    """Refuse states of an optimiser that are missing, incomplete or of another shape."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    rows = rows_of(tensors)
    if parameters and not rows:
        raise DamageError(f"the states of optimiser{i} are missing")
    names = next(iter(rows.values())).keys() if rows else set()
    for row, moments in rows.items():
        if row not in range(len(parameters)) or moments.keys() != names:
            raise DamageError(f"the state of parameter {row} in optimiser{i} is incomplete")
        for name, value in moments.items():
            shape = parameters[row].shape if "exp_avg" in name else ()
            if value.shape != shape:
                raise DamageError(f"optimiser{i}.{row}.{name} has shape {tuple(value.shape)}")
            if name in NEVER_NEGATIVE and (value < 0).any():
                raise DamageError(f"optimiser{i}.{row}.{name} has negative values")
            if has_lost_values(value, torch.zeros(())):
                raise DamageError(f"optimiser{i}.{row}.{name} has values that are not finite")
