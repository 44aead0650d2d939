"""Trials that processes share: none twice, none lost, none of another sweep."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from unwarp.disk.locks import Owner
from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators import sweep_study
from unwarp.estimators.sweep_study import (
    MAX_RETRIES,
    MAX_SECONDS_OF_SILENCE,
    Trials,
    load_optuna,
    prepare_folder,
)

pytest.importorskip("optuna", reason="the extra sweep is not installed")


def open_trials(folder: Path, n_trials: int = 2) -> Trials:
    """A worker's view of a sweep."""
    prepare_folder(folder)
    return Trials.open(folder, {"data": 1}, n_trials, seed=0)


def states(trials: Trials) -> list[str]:
    """States of all trials, in the order of their numbers."""
    return [trial.state.name for trial in trials.study.trials]


def leave(folder: Path, worker: str, owner: Owner, age: float = 0.0) -> None:
    """Write the file of a worker that touched it some seconds ago."""
    path = folder / "workers" / worker
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(owner)))
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))


@pytest.mark.parametrize("age", [0.0, 2 * MAX_SECONDS_OF_SILENCE], ids=["ended", "silent"])
def test_lost_trial_is_tried_again(tmp_path: Path, age: float) -> None:
    """Its values return, at most twice; trials of live workers stay theirs."""
    trials = open_trials(tmp_path / "sweep")
    # a process number above the greatest one of the system, and a silent computer elsewhere
    owner = Owner(2**30, Owner.current().host) if not age else Owner(1, "elsewhere")
    with trials.at_work():
        values = []
        for _ in range(MAX_RETRIES + 1):
            trial = trials.next()
            values.append(trial.suggest_float("lr", 1e-4, 1e-2, log=True))
            trial.set_user_attr("worker", "gone")
            leave(tmp_path / "sweep", "gone", owner, age)
        assert len(set(values)) == 1
        leave(tmp_path / "sweep", "alive", Owner(1, "elsewhere"))
        trial = trials.next()
        trial.set_user_attr("worker", "alive")
        assert states(trials) == ["FAIL"] * 3 + ["RUNNING"]
        assert trials.n_finished == 1  # values that were lost three times count
    assert not (tmp_path / "sweep" / "workers" / trials.worker).exists()


def test_no_more_trials_than_asked(tmp_path: Path) -> None:
    """Failures with a reason count; trials of an earlier call, too."""
    trials = open_trials(tmp_path / "sweep")
    with trials.at_work():
        trials.tell(trials.next(), 1.0, "COMPLETE")
        trials.tell(trials.next(), None, "FAIL", "the loss is nan")
        assert trials.next() is None
    more = open_trials(tmp_path / "sweep", n_trials=3)
    with more.at_work():
        more.tell(more.next(), 0.5, "COMPLETE")
        assert more.next() is None
    assert states(more) == ["COMPLETE", "FAIL", "COMPLETE"]


def test_workers_choose_other_values(tmp_path: Path) -> None:
    """Two workers with the same seed do not try the same; one that is continued would."""
    values = []
    for folder in ("a", "a", "b", "b"):
        trials = open_trials(tmp_path / folder, n_trials=9)
        with trials.at_work():
            trial = trials.next()
            values.append(trial.suggest_float("lr", 0, 1))
            trials.tell(trial, 1.0, "COMPLETE")
    assert values[0] != values[1] and values[:2] == values[2:]


def test_late_end_of_a_lost_trial_is_ignored(tmp_path: Path) -> None:
    """A worker that was silent too long cannot change the trial any more."""
    trials = open_trials(tmp_path / "sweep")
    with trials.at_work():
        trial = trials.next()
        trials.study.tell(trial.number, state=load_optuna().trial.TrialState.FAIL)
        trials.tell(trial, 1.0, "COMPLETE")
        trials.tell(trial, None, "FAIL", "too late")
    assert states(trials) == ["FAIL"]


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """Folders with other files, sweeps of other data, damaged facts."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match="holds no sweep"):
        prepare_folder(tmp_path)
    folder = tmp_path / "sweep"
    open_trials(folder)
    with pytest.raises(CheckpointError, match=r"another sweep \(data=2, but it was 1"):
        Trials.open(folder, {"data": 2}, 2, seed=0)
    (folder / "sweep.json").write_text("{}")
    with pytest.raises(CheckpointError, match="is damaged"):
        open_trials(folder)


def test_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to install it."""
    monkeypatch.setattr(sweep_study, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'unwarp\[sweep\]'"):
        load_optuna()
