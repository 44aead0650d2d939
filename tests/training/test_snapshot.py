"""Snapshots: everything is checked before a state changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.runs import AUTOENCODER, FULL_CIRCLE, fit
from tests.weights import weights
from unwarp.training.callbacks import Callback
from unwarp.training.snapshot import (
    DamageError,
    OtherRunError,
    Snapshot,
    go_back,
    restore_snapshot,
    run_facts,
    take_snapshot,
)
from unwarp.training.state import RestorePoint, Rollback, Row, State


class Recorder(Callback):
    """Takes a snapshot after a step, and keeps the state."""

    def __init__(self, step: int = 2) -> None:
        self.step = step
        self.snapshots: list[Snapshot] = []
        self.states: list[State] = []

    def on_step(self, state: State, terms: Row) -> None:
        """Take the snapshot."""
        self.states = [state]
        if state.step == self.step:
            self.snapshots.append(take_snapshot(state, run_facts(state)))


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    """A recorder of a run."""
    callback = Recorder()
    fit(AUTOENCODER, (callback,), steps=4, on_divergence="rollback")
    return callback


def test_snapshot_survives_its_record(recorder: Recorder) -> None:
    """A snapshot is equal to that of its record and tensors."""
    snapshot = recorder.snapshots[0]
    copy = Snapshot.of(snapshot.record(), snapshot.all_tensors())
    assert copy == snapshot and [point.step for point in copy.restore_points] == [0]
    restore_snapshot(snapshot, recorder.states[0], snapshot.facts)
    assert recorder.states[0].step == 3
    assert recorder.states[0].history.steps == 3


def poison(tensors: dict[str, torch.Tensor], name: str) -> None:
    """Make one value of a tensor NaN."""
    tensors[name].view(-1)[0] = torch.nan


TENSOR_DAMAGE: dict[str, Callable[[dict[str, Any], str], Any]] = {
    "missing": lambda tensors, name: tensors.pop(name),
    "shape": lambda tensors, name: tensors.update({name: torch.zeros(2, 3, 4)}),
    "nan": poison,
}


@pytest.mark.parametrize("damage", TENSOR_DAMAGE)
@pytest.mark.parametrize("part", ["model", "average0", "optimiser0"])
def test_damaged_tensors_are_refused(part: str, damage: str, recorder: Recorder) -> None:
    """A missing tensor, another shape and NaN are refused, and the state stays as it was."""
    snapshot, state = recorder.snapshots[0], recorder.states[0]
    tensors = {name: value.clone() for name, value in snapshot.tensors.items()}
    name = max(name for name in tensors if name.startswith(part) and tensors[name].ndim)
    TENSOR_DAMAGE[damage](tensors, name)
    before = weights(state.model)  # type: ignore[arg-type]
    with pytest.raises(DamageError):
        restore_snapshot(replace(snapshot, tensors=tensors), state, snapshot.facts)
    assert torch.equal(weights(state.model), before)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", TENSOR_DAMAGE)
def test_damaged_point_is_refused(damage: str, recorder: Recorder) -> None:
    """A restore point is checked like the snapshot before anything changes."""
    snapshot, state = recorder.snapshots[0], recorder.states[0]
    (point,) = snapshot.restore_points
    tensors = {name: value.clone() for name, value in point.tensors.items()}
    TENSOR_DAMAGE[damage](tensors, max(name for name in tensors if tensors[name].ndim))
    damaged = replace(snapshot, restore_points=(replace(point, tensors=tensors),))
    before = weights(state.model)  # type: ignore[arg-type]
    with pytest.raises(DamageError):
        restore_snapshot(damaged, state, snapshot.facts)
    assert torch.equal(weights(state.model), before)  # type: ignore[arg-type]


def test_way_back_keeps_the_account(recorder: Recorder) -> None:
    """Going back undoes weights, steps and rows, but neither time, samples nor rollbacks."""
    snapshot, state = recorder.snapshots[0], recorder.states[0]
    (point,) = snapshot.restore_points
    restore_snapshot(snapshot, state, snapshot.facts)
    state.history.rollbacks = [Rollback(2, 0, {"net": 0.1}, "a loss is nan")]
    seconds, samples = state.history.seconds, state.history.samples
    go_back(point, state)
    assert (state.step, state.history.steps, state.history.rows) == (0, 0, [])
    assert (state.history.seconds, state.history.samples) == (seconds, samples)
    assert len(state.history.rollbacks) == 1 and not state.optimisers[0].state
    assert torch.equal(weights(state.model), point_weights(point))  # type: ignore[arg-type]


def point_weights(point: RestorePoint) -> torch.Tensor:
    """The weights of a restore point."""
    model = AUTOENCODER.build((1, 10, 10))
    tensors = point.tensors.items()
    prefix = "model."
    model.load_state_dict({k.removeprefix(prefix): v for k, v in tensors if k.startswith(prefix)})
    return weights(model)


def test_lost_optimiser_is_refused(recorder: Recorder) -> None:
    """A snapshot without any state of the optimiser is not resumed."""
    snapshot = recorder.snapshots[0]
    tensors = {k: v for k, v in snapshot.tensors.items() if not k.startswith("optimiser")}
    with pytest.raises(DamageError, match="states of optimiser0 are missing"):
        restore_snapshot(replace(snapshot, tensors=tensors), recorder.states[0], snapshot.facts)


@pytest.mark.parametrize(
    "change",
    [
        {"step": 999},
        {"step": 0},
        {"step": "x"},
        {"steps": None},
        {"seed": []},
        {"history": 3},
        {"history": {"steps": 2}},
        {"history": {"steps": 3, "rows": [1]}},
        {"history": {"steps": 3, "colour": 1}},
        {"facts": None},
        {"scaler": 7},
        {"restore_points": 3},
        {"restore_points": [3]},
        {"restore_points": "x"},
        {"restore_points": [{"step": 4, "history": {"steps": 4}, "scaler": None}]},
        {"restore_points": [{"step": 1, "history": {"steps": 2}, "scaler": None}]},
        {"restore_points": [{"step": 1, "scaler": None}]},
        {"history": {"steps": 3, "rollbacks": [{"step": 1}]}},
    ],
)
def test_malformed_records_are_refused(change: dict[str, Any], recorder: Recorder) -> None:
    """Values of the wrong type, and steps beyond the last one, are damage."""
    snapshot = recorder.snapshots[0]
    with pytest.raises(DamageError):
        Snapshot.of({**snapshot.record(), **change}, snapshot.all_tensors())
    for name in snapshot.record():
        record = {key: value for key, value in snapshot.record().items() if key != name}
        with pytest.raises(DamageError):
            Snapshot.of(record, snapshot.all_tensors())


def test_other_facts_are_refused(recorder: Recorder) -> None:
    """Another fact of the run is named."""
    snapshot = recorder.snapshots[0]
    with pytest.raises(OtherRunError, match="batch_size=32, but it was 16"):
        facts = {**snapshot.facts, "batch_size": 32}
        restore_snapshot(snapshot, recorder.states[0], facts)


def test_unknown_clusters_are_kept() -> None:
    """Clusters of poses are NaN until they are computed, which is no damage."""
    callback = Recorder(step=0)
    fit(FULL_CIRCLE, (callback,), steps=1)
    assert callback.snapshots[0].tensors["average0.search.clusters"].isnan().all()
    Snapshot.of(callback.snapshots[0].record(), callback.snapshots[0].all_tensors())
