"""The registry of scores: functions join by name, arguments are inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from unwarp import metrics
from unwarp.analysis.scoring import score
from unwarp.core import Array
from unwarp.errors import ConfigError
from unwarp.metrics import ScoreInputs, score_function


@pytest.fixture(autouse=True)
def _clean_registry() -> Iterator[None]:
    """Scores of a test are removed after it."""
    before = set(metrics.scores())
    yield
    for name in set(metrics.scores()) - before:
        metrics.unregister(name)


def test_scores_by_own_name() -> None:
    """Scores are listed under the names of their functions."""
    scores = metrics.scores()
    assert {"neighbours", "linear", "kmeans", "recovery", "aligned_separation"} <= set(scores)
    assert all(name == function.__name__ for name, function in scores.items())


def test_settings_are_not_needed() -> None:
    """Arguments with a default are no inputs."""
    assert metrics.needs(metrics.scores()["neighbours"]) == (
        "train_codes",
        "train_labels",
        "codes",
        "labels",
    )


def test_registered_function_is_wrapped() -> None:
    """With brackets and without, the result is that of the function, with its name."""

    def toy(codes: Array) -> float:
        return float(codes.mean())

    for wrapped in (score_function(toy), score_function(best=0.0)(toy)):
        assert vars(wrapped)["__wrapped__"] is toy and wrapped.__name__ == "toy"
        assert wrapped(np.ones((2, 1))) == 1.0 and metrics.needs(wrapped) == ("codes",)
    assert metrics.catalogue()["toy"].best == 0.0


def test_unknown_argument_is_refused() -> None:
    """The error names the argument and lists the inputs that exist."""
    with pytest.raises(
        ConfigError, match=r"'toy' needs kodes, no field of ScoreInputs.*codes, templates"
    ):

        @score_function
        def toy(kodes: Array) -> float:
            return float(kodes.mean())

    assert "toy" not in metrics.scores()


def test_second_function_of_name_is_refused() -> None:
    """Another function of one name is an error that names both; the first one stays."""
    first = metrics.scores()["linear"]

    def linear(codes: Array) -> float:
        return float(codes.mean())

    with pytest.raises(
        ConfigError,
        match=r"defined twice, as unwarp\.metrics\.neighbours\.linear and as .*test_registry",
    ):
        score_function(linear)
    assert metrics.scores()["linear"] is first


def test_redefined_function_replaces() -> None:
    """A notebook's cell may be run twice."""

    def define(value: float) -> None:
        @score_function
        def toy(codes: Array) -> float:
            return value

    define(1.0)
    define(2.0)
    assert score(ScoreInputs(codes=np.zeros((2, 1))), ("toy",)).scores == {"toy": 2.0}


def test_numbers_of_one_name_are_refused() -> None:
    """No score hides the number of another."""

    @score_function
    def toy(codes: Array) -> dict[str, float]:
        return {"unused_content": 0.0}

    with pytest.raises(ConfigError, match="'toy' returns unused_content"):
        score(ScoreInputs(codes=np.ones((2, 1))), ("unused_content", "toy"))


def test_built_in_scores_come_first() -> None:
    """Scores of other modules follow those of the folder, whenever they were defined."""

    @score_function
    def another(codes: Array) -> float:
        return 0.0

    assert next(reversed(metrics.scores())) == "another"
