"""Snapshots: everything is checked before a state changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch

from tests.training.runs import AUTOENCODER, FULL_CIRCLE, SMALL_NET, fit
from tests.weights import weights
from unwarp.data.dataset import Dataset
from unwarp.models import GAN, Optimiser
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
from unwarp.training.state import History, RestorePoint, Rollback, Row, State
from unwarp.warps import Affine2d


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", torch.tensor(-1.0)),
        ("step", torch.ones(3)),
        ("exp_avg_sq", -1.0),
        ("exp_avg", torch.ones(3)),
    ],
)
def test_impossible_moments_are_refused(
    recorder: Recorder, name: str, value: torch.Tensor | float
) -> None:
    """A count below 0 or of several numbers, and a negative mean of squares, are refused."""
    snapshot, state = recorder.snapshots[0], recorder.states[0]
    key = f"optimiser0.0.{name}"
    wrong = value if isinstance(value, torch.Tensor) else 0 * snapshot.tensors[key] + value
    damaged = replace(snapshot, tensors=snapshot.tensors | {key: wrong})
    with pytest.raises(DamageError, match=rf"optimiser0\.0\.{name} has"):
        restore_snapshot(damaged, state, snapshot.facts)


@pytest.mark.parametrize("name", ["steps", "seed"])
def test_facts_agree_with_the_snapshot(recorder: Recorder, name: str) -> None:
    """Another seed or number of steps than in the fingerprint is damage."""
    snapshot = recorder.snapshots[0]
    with pytest.raises(DamageError, match=f"{name}=99, but its facts say"):
        Snapshot.of(snapshot.record() | {name: 99}, snapshot.all_tensors())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.foreign", "model.foreign is missing, or is not a part of the model"),
        ("optimiser0.foreign.step", "the state of parameter -1 in optimiser0 is incomplete"),
        ("optimiser0.999.step", "the state of parameter 999 in optimiser0 is incomplete"),
        ("optimiser0.0.foreign", "in optimiser0 is incomplete"),
    ],
)
def test_foreign_tensors_are_refused(name: str, message: str, recorder: Recorder) -> None:
    """A tensor of no parameter is damage, and named."""
    snapshot = recorder.snapshots[0]
    tensors = snapshot.tensors | {name: torch.zeros(())}
    with pytest.raises(DamageError, match=re.escape(message)):
        restore_snapshot(replace(snapshot, tensors=tensors), recorder.states[0], snapshot.facts)


def test_damage_says_what_was_expected(recorder: Recorder) -> None:
    """Another dtype or shape is named with that of the model."""
    snapshot, state = recorder.snapshots[0], recorder.states[0]
    name = next(name for name in snapshot.tensors if name.endswith("weight"))
    value = snapshot.tensors[name]
    for other in (value.double(), value[:1]):
        stored = f"{other.dtype} of shape {tuple(other.shape)}"
        message = f"{name} is {stored}, but the model has {value.dtype} of shape"
        with pytest.raises(DamageError, match=re.escape(message)):
            tensors = snapshot.tensors | {name: other}
            restore_snapshot(replace(snapshot, tensors=tensors), state, snapshot.facts)


@pytest.mark.parametrize(("step", "is_damage"), [(0, True), (1, False), (9, False), (10, True)])
def test_steps_are_those_of_the_run(step: int, is_damage: bool) -> None:
    """A snapshot is of the first step to the last, both included, and of its history."""
    history = asdict(History(steps=step))
    problem = Snapshot(step, 9, 0, history, None, {}, {}).problem()
    assert problem == (f"step={step} is not between 1 and steps=9" if is_damage else "")
    other = Snapshot(5, 9, 0, asdict(History(steps=4)), None, {}, {})
    assert other.problem() == "step=5, but the history has 4 steps"


def test_snapshot_is_a_copy(recorder: Recorder) -> None:
    """Later steps change no snapshot, and none needs the device or the gradients of the model."""
    state = recorder.states[0]
    snapshot = take_snapshot(state, {})
    before = {name: value.clone() for name, value in snapshot.tensors.items()}
    with torch.no_grad():
        for value in state.model.parameters():
            value.add_(1)
    assert all(torch.equal(value, before[name]) for name, value in snapshot.tensors.items())
    assert not any(value.requires_grad for value in snapshot.tensors.values())
    assert snapshot.step == state.history.steps


@pytest.mark.parametrize("has_scaler", [True, False])
def test_lost_gradient_scale_is_damage(has_scaler: bool, recorder: Recorder) -> None:
    """The state of a gradient scaler is there if and only if the run has a scaler."""
    snapshot = replace(recorder.snapshots[0], scaler=None if has_scaler else {"scale": 8.0})
    scaler = torch.amp.GradScaler("cpu") if has_scaler else None
    state = replace(recorder.states[0], scaler=scaler)
    with pytest.raises(DamageError, match="gradient scaler is missing, or there must be none"):
        restore_snapshot(snapshot, state, snapshot.facts)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: replace(state, seed=1),
        lambda state: replace(state, steps=5),
        lambda state: replace(state, facts={"batch_size": 7}),
        lambda state: replace(state, data=Dataset(torch.zeros(3, 1, 10, 10))),
        lambda state: replace(state, data=None),
        lambda state: change_player(state, ema=0.5),
        lambda state: change_player(state, interval=2),
        lambda state: change_player(state, optimiser=Optimiser(lr=0.5)),
        lambda state: change_player(state, optimiser=Optimiser(warmup=7)),
    ],
)
def test_each_setting_is_a_fact(change: Callable[[State], State], recorder: Recorder) -> None:
    """Whatever changes the result of a run changes its fingerprint."""
    state = recorder.states[0]
    assert run_facts(state) == run_facts(replace(state)) != run_facts(change(state))


def change_player(state: State, **fields: Any) -> State:
    """A state whose only player has other fields."""
    return replace(state, players=(replace(state.players[0], **fields),))


def test_each_player_is_restored() -> None:
    """Modules beside the model, their averages and their optimisers come back to the bit."""
    recipe = GAN(warp=Affine2d(), n_content=3, net=SMALL_NET)
    recorder, other = Recorder(), Recorder()
    fit(recipe, (recorder,), steps=4)
    fit(recipe, (other,), steps=4, seed=1)
    snapshot, state = recorder.snapshots[0], other.states[0]
    assert any(name.startswith("player") for name in snapshot.tensors)
    restore_snapshot(snapshot, state, snapshot.facts)
    restored = take_snapshot(replace(state, step=state.step - 1), snapshot.facts)
    assert restored.tensors.keys() == snapshot.tensors.keys() and restored.step == snapshot.step
    for name, value in snapshot.tensors.items():
        assert torch.equal(restored.tensors[name], value), name


@pytest.mark.parametrize("averages", [(), ({}, {})])
def test_each_player_has_its_average(
    averages: tuple[dict[str, Any], ...], recorder: Recorder
) -> None:
    """A state without the averages of each player is refused, instead of saved in part."""
    with pytest.raises(ValueError, match="zip"):
        take_snapshot(replace(recorder.states[0], averages=averages), {})
