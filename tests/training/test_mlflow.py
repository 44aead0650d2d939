"""Runs in MLflow, read back from a local database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.runs import AUTOENCODER, fit, pictures
from tests.weights import weights
from unwarp.errors import ConfigError
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.mlflow import MLflow
from unwarp.training.state import Row, State
from unwarp.training.validation import Validation

for package in ("mlflow", "sqlalchemy", "alembic"):
    pytest.importorskip(package, reason="the extra track is not installed")

pytestmark = pytest.mark.filterwarnings(
    # MLflow's own models use a loader that its database package is about to drop
    "ignore:The ``noload`` loader strategy is deprecated"
)


@pytest.fixture(autouse=True)
def _no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let MLflow send no statistics from tests."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a new database, which takes seconds to make."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


def runs(uri: str, experiment: str) -> tuple[Any, list[Any]]:
    """A client of a database, and the runs of an experiment."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    number = client.get_experiment_by_name(experiment).experiment_id
    return client, list(client.search_runs([number]))


class Interrupt(Callback):
    """Ends a run at its step 25."""

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the interrupt."""
        if state.step == 25:
            raise KeyboardInterrupt


def test_metrics_are_those_of_the_history(uri: str) -> None:
    """Metrics by step, held-out errors, parameters, messages; the weights do not change."""
    data, models = pictures(), [AUTOENCODER.build((1, 10, 10), seed=0) for _ in range(2)]
    tracker = MLflow("whole", uri=uri, run="warped")
    tracker.on_message("a decision")
    histories = [
        train(
            model,
            AUTOENCODER.players(model),
            data,
            steps=25,
            device="cpu",
            callbacks=callbacks,
            validation=Validation(data, interval=10),
        )
        for model, callbacks in zip(models, ((), (tracker,)), strict=True)
    ]
    assert torch.equal(*map(weights, models))
    client, (run,) = runs(uri, "whole")
    assert (run.info.run_name, run.info.status) == ("warped", "FINISHED")
    for name, key, rows in (
        ("loss/reconstruction", "reconstruction", histories[1].rows),
        ("held_out/error", "error", histories[1].validation),
    ):
        points = client.get_metric_history(run.info.run_id, name)
        assert [(p.step, p.value) for p in points] == [(row["step"], row[key]) for row in rows]
    assert run.data.params["steps"] == "25" and "rate/autoencoder" in run.data.metrics
    assert run.data.tags["mlflow.note.content"].startswith("a decision")


def test_resumed_run_is_the_same_run(uri: str, tmp_path: Path) -> None:
    """It continues at the step of the checkpoint, and each step has one value."""

    def callbacks(*more: Callback) -> tuple[Callback, ...]:
        checkpoint = Checkpoint(tmp_path / "run.checkpoint", interval=10)
        return (checkpoint, MLflow("resumed", uri=uri), *more)

    with pytest.raises(KeyboardInterrupt):
        fit(AUTOENCODER, callbacks(Interrupt()), steps=40)
    assert [run.info.status for run in runs(uri, "resumed")[1]] == ["KILLED"]
    fit(AUTOENCODER, callbacks(), steps=40)
    client, (run,) = runs(uri, "resumed")
    assert run.info.status == "FINISHED"
    points = client.get_metric_history(run.info.run_id, "loss/reconstruction")
    assert [point.step for point in points] == [0, 10, 20, 30, 39]


def test_wrong_address_ends_before_training(tmp_path: Path) -> None:
    """The error names the address."""
    tracker = MLflow(uri=f"unknown://{tmp_path}")
    with pytest.raises(ConfigError, match="uri='unknown://"):
        fit(AUTOENCODER, (tracker,), steps=1)
