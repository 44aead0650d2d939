"""Trackers: names of numbers, continuation after rollbacks, missing packages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from tests.training.runs import AUTOENCODER, fit
from tests.weights import weights
from unwarp.errors import ConfigError
from unwarp.training import tracking
from unwarp.training.state import State
from unwarp.training.tracking import LastSteps, Tracker, check_packages, parameters_of


class Notebook(Tracker):
    """Keeps all that is logged."""

    def __init__(self) -> None:
        self.openings: list[tuple[int, bool]] = []
        self.numbers: list[tuple[int, Mapping[str, float]]] = []
        self.texts: list[tuple[int, str]] = []
        self.ends: list[bool] = []
        self.parameters: Mapping[str, str] = {}

    def _open(self, state: State, parameters: Mapping[str, str], is_resumed: bool) -> LastSteps:
        self.openings.append((state.step, is_resumed))
        self.parameters = parameters
        return LastSteps(state.step - 1, state.step - 1)

    def _log_numbers(self, numbers: Mapping[str, float], step: int) -> None:
        self.numbers.append((step, numbers))

    def _log_text(self, line: str, step: int) -> None:
        self.texts.append((step, line))

    def _close(self, is_finished: bool) -> None:
        self.ends.append(is_finished)


def test_rows_get_grouped_names() -> None:
    """Each row of the history is logged once, with rates; the weights are those without it."""
    notebook = Notebook()
    notebook.on_message("a decision")
    model, history = fit(AUTOENCODER, (notebook,), steps=25)
    assert torch.equal(weights(model), weights(fit(AUTOENCODER, steps=25)[0]))
    assert [step for step, _ in notebook.numbers] == [0, 10, 20, 24]
    numbers = notebook.numbers[1][1]
    assert numbers["loss/reconstruction"] == history.rows[1]["reconstruction"]
    assert numbers["gradient/autoencoder"] == history.rows[1]["autoencoder.gradient"]
    assert numbers["progress/samples"] == history.rows[1]["samples"]
    assert 0 < numbers["rate/autoencoder"] <= AUTOENCODER.optimiser.lr
    assert notebook.texts == [(0, "a decision")]
    assert (notebook.openings, notebook.ends) == ([(0, False)], [True])
    assert notebook.parameters["steps"] == "25" and notebook.parameters["batch_size"] == "16"


def test_undone_steps_are_logged_again() -> None:
    """After a rollback the log is opened anew at the step to which the run went back."""
    notebook = Notebook()
    state = State(torch.nn.Identity(), (), (), (), steps=9, seed=0)
    for step in (0, 1, 2, 1, 2):
        state.step = step
        state.history.rows = [{"step": i, "error": 1.0} for i in range(step + 1)]
        notebook.on_step(state, {})
    assert notebook.openings == [(0, False), (1, True)]
    assert [step for step, _ in notebook.numbers] == [0, 1, 2, 1, 2]
    notebook.on_stop(state)
    assert notebook.ends == [False]


def test_nested_settings_have_dotted_names() -> None:
    """Texts stay texts; other values are written as JSON."""
    facts = {"recipe": {"warp": {"family": "affine", "size": [2, 2]}, "lr": 1e-3}}
    state = State(torch.nn.Identity(), (), (), (), steps=9, seed=0, facts=facts)
    assert parameters_of(state) == {
        "steps": "9",
        "seed": "0",
        "recipe.warp.family": "affine",
        "recipe.warp.size": "[2, 2]",
        "recipe.lr": "0.001",
    }


def test_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to install it."""
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs the package tensorboard.*'unwarp\[track\]'"):
        check_packages("TensorBoard", "tensorboard")
