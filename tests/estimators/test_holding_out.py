"""Samples that are held out: disjoint, seeded, and never too few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.series import RECIPE, waves
from unwarp import Unwarper
from unwarp.data.dataset import Dataset
from unwarp.data.sample_rows import SampleRows
from unwarp.errors import ConfigError
from unwarp.estimators.holding_out import MAX_STEPS_FACTOR, Split, held_out_count
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State

X = np.stack(waves([40] * 20))
DATA = Dataset(torch.zeros(40, 1, 8, 8))


def rows(samples: Any) -> list[int]:
    """The rows of a part."""
    assert isinstance(samples, SampleRows)
    return list(samples.rows)


def test_parts_are_disjoint_and_seeded() -> None:
    """Each sample is in one part; the same seed gives the same parts, another one others."""
    first, same, other = (Split.of(DATA, 0.25, seed) for seed in (1, 1, 2))
    assert sorted(rows(first.training) + rows(first.held_out)) == list(range(40))
    assert len(rows(first.held_out)) == 10
    assert rows(first.held_out) == rows(same.held_out) != rows(other.held_out)


def test_no_share_holds_out_nothing() -> None:
    """Without a share all samples are trained on, as they are."""
    assert Split.of(DATA, None, 0) == Split(DATA)


@pytest.mark.parametrize(
    ("n", "fraction", "message"),
    [
        (40, 0.05, "holds out 2 of 40 samples, and at least 4 are needed; give 0.1 to 0.9"),
        (10, 0.9, "leaves for training 1 of 10 samples"),
        (7, 0.5, "needs at least 8 samples, and there are 7"),
    ],
)
def test_few_samples_are_refused(n: int, fraction: float, message: str) -> None:
    """The message has the share, the numbers and a share that would do."""
    with pytest.raises(ConfigError, match=f"^validation_fraction={fraction} {message}"):
        held_out_count(n, fraction)
    assert held_out_count(8, 0.5) == 4


@pytest.mark.parametrize("fraction", [0, 1, -0.1, "some", True, float("nan"), 0.95])
def test_other_shares_are_refused(fraction: Any) -> None:
    """A share is a number between 0 and 0.9."""
    with pytest.raises(ConfigError, match=r"^validation_fraction=.* is not allowed; give"):
        Unwarper(validation_fraction=fraction).fit(X)


def test_adversarial_family_is_refused() -> None:
    """The losses of a GAN say nothing of held-out samples, and the message says so."""
    with pytest.raises(ConfigError, match="does not work with recipe='gan': its losses measure"):
        Unwarper("time", "gan", validation_fraction=0.5, max_steps=2).fit(X)


class Rows(Callback):
    """Records how many samples a run trains on."""

    def on_start(self, state: State) -> None:
        """Record the number."""
        assert state.data is not None
        self.n = len(state.data)

    def on_step(self, state: State, terms: Row) -> None:
        """Stop soon, so that the default number of steps is not run."""
        if state.step == 3:
            state.stop("enough")


@pytest.mark.parametrize("max_steps", [None, 60])
def test_fit_holds_samples_out(max_steps: int | None) -> None:
    """Training lacks them, clusters and codes have them; only open lengths may be extended."""
    callback = Rows()
    options: dict[str, Any] = {"max_steps": max_steps, "n_clusters": 2, "device": "cpu"}
    estimator = Unwarper(recipe=RECIPE, validation_fraction=0.25, **options)
    estimator.fit(X, callbacks=[callback])
    history = estimator.history_
    assert callback.n == 15 and history.stopped == "enough"
    assert history.validation[-1]["step"] == history.best["step"] == history.steps
    assert estimator.transform(X).shape[0] == 20
    validation = Split.of(DATA, 0.25, 0).validation(
        estimator.plan_,  # type: ignore[arg-type]
        estimator.schema_.domain,
        is_open=max_steps is None,
    )
    assert validation is not None and estimator.plan_ is not None
    bound = None if max_steps else MAX_STEPS_FACTOR * estimator.plan_.steps
    assert validation.max_steps == bound
    assert validation.interval == (2 if max_steps else estimator.plan_.steps // 30)
