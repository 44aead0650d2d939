"""Sweeps: the same samples for all, resumed without repeats, and a recipe that `fit` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from unwarp import Unwarper
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators.sweep import SweepResult, sweep
from unwarp.planning.overrides import parse_overrides
from unwarp.planning.plan import Request, make_plan
from unwarp.training.loop import train

pytest.importorskip("optuna", reason="the extra sweep is not installed")

X = np.random.default_rng(0).random((30, 8, 8))
SPACE = {
    "n_joint": {"low": 2, "high": 12},
    "optimiser.lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "net.encoder": [[8], [16, 8]],
}


def run(folder: Path | None, n_trials: int, space: Any = SPACE, **arguments: Any) -> SweepResult:
    """A sweep with trainings of a few steps."""
    settings = {"max_steps": 12, "device": "cpu", **arguments}
    return sweep(X, Unwarper(**settings), n_trials=n_trials, space=space, folder=folder)


def test_continued_sweep_is_the_same_sweep(tmp_path: Path) -> None:
    """Two calls for 4 and 7 trials give the table of one call for 7, in memory or in a folder."""
    whole = run(None, 7)
    run(tmp_path / "sweep", 4)
    parts = run(tmp_path / "sweep", 7)
    columns = [name for name in whole.table if name != "seconds"]
    pd.testing.assert_frame_equal(whole.table[columns], parts.table[columns])
    assert whole.table["trial"].tolist() == list(range(7))
    stored = pd.read_csv(tmp_path / "sweep" / "trials.csv")
    assert stored["length"].tolist() == pytest.approx(parts.table["length"].tolist())
    complete = whole.table[whole.table["status"] == "complete"]
    assert whole.length == complete["length"].min()
    assert str(parts) == (tmp_path / "sweep" / "summary.txt").read_text()
    with pytest.raises(CheckpointError, match=r"another sweep .*steps=13"):
        run(tmp_path / "sweep", 8, max_steps=13)


def test_interrupted_sweep_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C inside a trial, the others are those of an uninterrupted sweep."""
    whole, counts = run(None, 14), list[int]()

    def interrupt(*arguments: Any, **options: Any) -> Any:
        counts.append(1)
        if len(counts) == 3:
            raise KeyboardInterrupt
        return train(*arguments, **options)

    monkeypatch.setattr("unwarp.estimators.sweep.train", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "sweep", 14)
    parts = run(tmp_path / "sweep", 14).table
    assert parts.loc[2, "status"] == "lost" and len(counts) == 15
    kept = parts[parts["status"] != "lost"].reset_index(drop=True)
    columns = [name for name in whole.table if name not in ("seconds", "trial")]
    pd.testing.assert_frame_equal(whole.table[columns], kept[columns])


def test_seconds_limit_each_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """The greatest time of the estimator is that of each training."""
    limits: list[float | None] = []

    def note(*arguments: Any, seconds: float | None, **options: Any) -> Any:
        limits.append(seconds)
        return train(*arguments, seconds=seconds, **options)

    monkeypatch.setattr("unwarp.estimators.sweep.train", note)
    run(None, 2, max_seconds=50.0)
    assert limits == [50.0, 50.0]


def test_connected_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below torchrun a sweep would wait for itself."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(ConfigError, match=r"2 connected processes.*--workers"):
        run(tmp_path / "sweep", 1)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("settings", [{}, {"recipe": "vae", "warp": "rigid"}], ids=["open", "vae"])
def test_best_file_gives_the_best_recipe(tmp_path: Path, settings: dict[str, Any]) -> None:
    """The overrides of `best.yaml` lead `fit` to the recipe of the best trial."""
    space = None if settings else SPACE
    result = run(tmp_path / "sweep", 2, space, **settings)
    request = Request(overrides=parse_overrides(tmp_path / "sweep" / "best.yaml"))
    schema, data = Schema.fit(as_source(X), Reading())
    assert make_plan(request, schema, data).recipe == result.recipe
    for name, value in result.best.items():
        part: Any = result.recipe
        for key in name.split("."):
            part = getattr(part, key)
        assert part == (tuple(value) if isinstance(value, list) else value)


def test_failed_trials_count_and_say_why() -> None:
    """A learning rate that diverges is a failure, not the end of the sweep."""
    result = run(None, 3, {"optimiser.lr": [1e-3, 1e30], "sigma": [0.5, 0.6]})
    rows = result.table.set_index("trial")
    assert len(rows) == 3
    failed = rows[rows["optimiser.lr"] == 1e30]
    assert len(failed) and set(failed["status"]) == {"failed"}
    assert failed["reason"].str.contains("stopped at step").all()
    assert result.best["optimiser.lr"] == 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "gan"}, "a sweep does not work with recipe='gan'"),
        ({"random_state": None}, "random_state=None is not allowed"),
        ({"validation_fraction": 0.01}, "holds out 0 of 30 samples"),
    ],
)
def test_unsuitable_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    """They are told before the first trial."""
    with pytest.raises(ConfigError, match=message):
        run(None, 1, **arguments)


def test_wrong_arguments_are_refused() -> None:
    """No trials, and no estimator."""
    with pytest.raises(ConfigError, match="n_trials=0"):
        run(None, 0)
    with pytest.raises(ConfigError, match="estimator=3"):
        sweep(X, 3)  # type: ignore[arg-type]
