"""Trackers of a run: a folder per model, and errors before anything is trained."""

from __future__ import annotations

from importlib.util import find_spec as whole_find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unwarp.app.job import Job, start_job
from unwarp.app.run import execute
from unwarp.app.trackers import check_trackers, make_trackers
from unwarp.errors import ConfigError
from unwarp.planning.plan import Request
from unwarp.training import tracking


def test_each_model_has_its_folder(tmp_path: Path) -> None:
    """A run with TensorBoard writes events of both models below its folder."""
    pytest.importorskip("tensorboard", reason="the extra track is not installed")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 24)).cumsum(1))
    run, settings = tmp_path / "run", {"max_steps": 3, "device": "cpu", "domain": "series"}
    start_job(Job(str(tmp_path / "x.npy"), Request("ae", "time"), settings), run)
    execute(run, lambda line: None, lambda name: make_trackers(["tensorboard"], run, name))
    folders = [path.name for path in (run / "tensorboard").iterdir() if any(path.iterdir())]
    assert sorted(folders) == ["baseline", "warped"]


def test_mlflow_database_is_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the environment names a server."""
    pytest.importorskip("mlflow", reason="the extra track is not installed")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tracker,) = make_trackers(["mlflow", "mlflow"], tmp_path / "run", "warped")
    assert vars(tracker)["uri"] == f"sqlite:///{tmp_path}/run/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    (tracker,) = make_trackers(["mlflow"], tmp_path / "run", "warped")
    assert vars(tracker)["uri"] == "http://localhost:5000"


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_missing_extra_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the command that installs it."""

    def find_spec(package: str) -> Any:
        return None if package in ("tensorboard", "mlflow") else whole_find_spec(package)

    monkeypatch.setattr(tracking, "find_spec", find_spec)
    with pytest.raises(ConfigError, match=rf"{name} needs .*pip install 'unwarp\[track\]'"):
        check_trackers([name])
