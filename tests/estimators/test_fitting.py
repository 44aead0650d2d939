"""One fit: it changes nothing, gives all attributes, and stays within its limits."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.series import RECIPE, waves
from tests.pictures import pictures
from tests.weights import weights
from unwarp import AE, Rigid2d, Unwarper
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.errors import ConfigError
from unwarp.estimators.choices import Selection
from unwarp.estimators.fitting import SELECT_OF_DOMAIN, Fitting, Results
from unwarp.estimators.selection import STEPS_OF_TRIAL
from unwarp.planning.plan import Request
from unwarp.training.callbacks import Callback
from unwarp.training.state import History, Row, State

X = np.stack(waves([40] * 8))


def fitting_of(estimator: Unwarper, request: Request, **options: Any) -> Fitting:
    """The fitting of an estimator to waves."""
    samples = Schema.fit(as_source(X), Reading())
    return Fitting(estimator, request, Reading(), *samples, seed=0, **options)


def attributes(estimator: Unwarper) -> dict[str, Any]:
    """The attributes of a trained estimator by name."""
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


def test_fitting_changes_no_estimator() -> None:
    """Neither a decision nor a training changes the estimator, and both can be repeated."""
    estimator = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu")
    earlier = dict(vars(estimator))
    fitting = fitting_of(estimator, Request(RECIPE))
    plan, selection = fitting.decide()
    first, second = (fitting.learn(plan, selection) for _ in range(2))
    assert vars(estimator) == earlier and fitting.decide() == (plan, selection)
    assert torch.equal(weights(first.model), weights(second.model))


def test_results_are_all_attributes(tmp_path: Path) -> None:
    """A trained and a loaded estimator have the attributes of the record, and no others."""
    estimator = Unwarper(recipe=RECIPE, max_steps=1, n_clusters=2, device="cpu").fit(X)
    names = {f"{name}_" for name in Results.__dataclass_fields__} - {"feature_names_in_"}
    assert attributes(estimator).keys() == names
    estimator.save(tmp_path / "model")
    assert attributes(Unwarper.load(tmp_path / "model")).keys() == names


class Stop(Callback):
    """Stops a run after its third step, and records messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_message(self, line: str) -> None:
        """Record a line."""
        self.lines.append(line)

    def on_step(self, state: State, terms: Row) -> None:
        """Stop the run."""
        if state.step == 2:
            state.stop("the target is reached")


def test_stopped_fit_leaves_a_model() -> None:
    """All attributes are there, methods work, and the history has the reason and the step."""
    callback = Stop()
    estimator = Unwarper(recipe=RECIPE, max_steps=90, n_clusters=2, device="cpu")
    estimator.fit(X, callbacks=[callback])
    names = {f"{name}_" for name in Results.__dataclass_fields__} - {"feature_names_in_"}
    assert attributes(estimator).keys() == names and len(estimator.predict(X)) == len(X)
    history, plan = estimator.history_, estimator.plan_
    assert (history.steps, history.stopped) == (3, "the target is reached")
    assert plan is not None and plan.why[-1] == callback.lines[-1]
    assert "stopped after step 3: the target is reached" in plan.why[-1]


class Memory(Callback):
    """Records messages and decisions."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.decisions: list[str] = []

    def on_message(self, line: str) -> None:
        """Record the line."""
        self.lines.append(line)

    def on_decision(self, question: str, facts: Any, answer: Any) -> None:
        """Record the question."""
        self.decisions.append(question)


@pytest.mark.parametrize(
    ("limits", "steps", "seconds"),
    [
        ({}, STEPS_OF_TRIAL, None),
        ({"max_steps": 40, "max_seconds": 8.0}, 40, 4.0),
        ({"max_steps": 10**6}, STEPS_OF_TRIAL, None),
    ],
)
def test_trials_stay_within_limits(
    limits: dict[str, Any], steps: int, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials take at most `max_steps` and half of `max_seconds`; callbacks get the decision."""
    calls: list[dict[str, Any]] = []

    def select(x: Any, **options: Any) -> Selection:
        calls.append(options)
        return Selection("none", (3.2,))

    monkeypatch.setitem(SELECT_OF_DOMAIN, "series", select)
    memory, estimator = Memory(), Unwarper(on_divergence="rollback", **limits)
    plan, selection = fitting_of(estimator, Request(), callbacks=(memory,)).decide()
    assert (calls[0]["steps"], calls[0]["seconds"]) == (steps, seconds)
    assert calls[0]["on_divergence"] == "rollback"
    assert selection == Selection("none", (3.2,)) and not plan.recipe.warp.factors
    assert memory.decisions == ["selection"]
    assert memory.lines == [f"how much to warp: {selection}"] == list(plan.why)


@pytest.mark.parametrize(
    ("max_seconds", "elapsed", "bounds"),
    [(None, 100.0, None), (10.0, 4.0, (5.0, 6.0)), (10.0, 20.0, (1.0, 1.0))],
)
def test_training_gets_the_time_left(
    max_seconds: float | None,
    elapsed: float,
    bounds: tuple[float, float] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The training gets what the decision left of `max_seconds`, but at least a second."""
    limits: list[float | None] = []

    def train(model: Any, *arguments: Any, **options: Any) -> History:
        limits.append(options["seconds"])
        model.eval()
        return History()

    monkeypatch.setattr("unwarp.estimators.fitting.train", train)
    estimator = Unwarper(max_steps=1, max_seconds=max_seconds, n_clusters=2, device="cpu")
    started = perf_counter() - elapsed
    fitting = fitting_of(estimator, Request(RECIPE), started=started)
    fitting.learn(*fitting.decide())
    (limit,) = limits
    if bounds is None:
        assert limit is None
    else:
        assert limit is not None and bounds[0] <= limit <= bounds[1]


@pytest.mark.parametrize(
    ("X", "arguments"),
    [
        pytest.param(pictures(24, 3), {}, id="colour"),
        pytest.param(
            np.repeat(np.repeat(pictures(24), 3, 2), 3, 3),
            {"working_size": 20},
            id="large",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            pictures(24),
            {"warp": Rigid2d(rotation=180), "overrides": {"pose_clusters": 2}},
            id="circle",
        ),
        pytest.param(
            pictures(24), {"warp": "displacement+affine"}, id="chain", marks=pytest.mark.slow
        ),
        pytest.param(pictures(24), {"warp": "identity"}, id="identity"),
        pytest.param(pictures(3), {}, id="few", marks=pytest.mark.slow),
    ],
)
def test_pictures_have_gradient_codes(X: Any, arguments: Any, tmp_path: Path) -> None:
    """By default: with any warp, and in all methods; saved models have them, and go on."""
    options: Any = {"max_steps": 2, "n_clusters": 2, "device": "cpu", "warm_start": True}
    estimator = Unwarper(**(options | arguments)).fit(X)
    codes = estimator.transform(X)
    assert estimator.recipe_.content == "gradients" and codes.shape == (len(X), 24)
    for result in (estimator.reconstruct(X), estimator.template(X), estimator.align(X)):
        assert result.shape == X.shape and np.isfinite(result).all()
    assert estimator.sample(2).shape == (2, *X.shape[1:])
    assert (estimator.predict(X) == estimator.labels_).all()
    estimator.save(tmp_path / "model")
    np.testing.assert_array_equal(Unwarper.load(tmp_path / "model").transform(X), codes)
    assert estimator.fit(X).transform(X).shape == codes.shape


def test_named_content_is_kept() -> None:
    """`joint` is the learned code of a named recipe; priors and series refuse gradients."""
    X, options = pictures(12), {"max_steps": 2, "n_clusters": 2, "device": "cpu"}
    joint, named = Unwarper(content="joint", **options), Unwarper(recipe="ae", **options)
    np.testing.assert_array_equal(joint.fit_transform(X), named.fit_transform(X))
    measured = Unwarper(recipe=AE(n_content=3), content="gradients", n_content=7, **options).fit(X)
    assert measured.transform(X).shape == (12, 7) and measured.recipe_.n_joint == 3
    with pytest.raises(ConfigError, match="needs the family 'ae'"):
        Unwarper(recipe="vae", content="gradients", **options).fit(X)
    with pytest.raises(ConfigError, match="content='gradients' is for images"):
        Unwarper("time", content="gradients", **options).fit(waves([40] * 8))


@pytest.mark.parametrize(
    ("X", "content"),
    [(np.stack(waves([32] * 12)), "gradients"), (pictures(12), "elastic")],
)
def test_unfit_content_is_refused_early(
    X: np.ndarray, content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes of other samples are refused before trials, so that no run is begun."""

    def select(x: Any, **options: Any) -> Selection:
        raise AssertionError("trials came first")

    for domain in SELECT_OF_DOMAIN:
        monkeypatch.setitem(SELECT_OF_DOMAIN, domain, select)
    with pytest.raises(ConfigError, match=f"content='{content}' is for"):
        Unwarper(content=content, max_steps=2).fit(X)
