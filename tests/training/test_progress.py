"""Progress: the time that is left ends with the run, whether steps or seconds end it."""

from __future__ import annotations

import io
import re

import pytest
import torch
from rich.console import Console

from unwarp import AE
from unwarp.models import Net
from unwarp.training.progress import Choice, Progress
from unwarp.training.state import State
from unwarp.warps import Identity


def lines(
    steps: int, pace: float, seconds: float | None, until: int, terminal: bool = False
) -> list[str]:
    """What is printed of a run of `steps`, each of which takes `pace` seconds, up to step `until`."""
    model = AE(warp=Identity(), n_content=2, net=Net("mlp", (4,), (4,))).build((1, 8))
    state, page = State(model, (), (), (), steps, 0), io.StringIO()
    progress = Progress("run", Console(file=page, width=60, force_terminal=terminal), seconds)
    progress.on_start(state)
    for step in range(until):
        state.step, state.history.seconds = step, pace * (step + 1)
        progress.on_step(
            state,
            {
                "reconstruction": 1.0,
                "a long name of a term": 2.0,
                "another one": 3.0,
                "x.gradient": 4.0,
            },
        )
    progress.on_end(state)
    return page.getvalue().splitlines()


def left(line: str) -> int:
    found = re.search(r"(\d+) s left", line)
    assert found
    return int(found[1])


def test_a_run_without_a_bound_tells_each_tenth() -> None:
    told = lines(50, 0.2, None, 50)
    assert len(told) == 10
    assert [left(line) for line in told] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert "gradient" not in told[0] and "another one 3" in told[0]


def test_a_bound_in_seconds_ends_the_estimate() -> None:
    told = lines(1000, 1.0, 20.0, 20)
    assert [left(line) for line in told] == [18, 16, 14, 12, 10, 8, 6, 4, 2, 0]


def test_a_bound_that_is_not_reached_changes_nothing() -> None:
    assert lines(50, 0.2, 900.0, 50) == lines(50, 0.2, None, 50)


def test_a_bar_goes_as_far_as_the_run_has_come() -> None:
    assert "50 %" in "".join(lines(1000, 1.0, 20.0, 10, terminal=True))


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "40 steps"), (2.5, "40 steps in 2.5 s at most")]
)
def test_what_was_chosen_names_the_bound(seconds: float | None, words: str) -> None:
    model = AE(warp=Identity(), n_content=2, net=Net("mlp", (4,), (4,))).build((1, 8))
    told: list[str] = []
    Choice(told.append, seconds).on_start(State(model, (), (), (), 40, 0))
    assert told[0].endswith(words)
    assert torch.is_grad_enabled()
