"""The history of a run as files: the same rows in both, each once, after a resume, too."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unwarp import Unwarper
from unwarp.app import history_files
from unwarp.app.history_files import HistoryFiles, history_rows
from unwarp.app.job import Job, start_job
from unwarp.app.run import execute
from unwarp.data.opening import as_source
from unwarp.planning.plan import Request
from unwarp.training.callbacks import Callback
from unwarp.training.state import History, Row, State

X = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)


def read_lines(folder: Path) -> list[dict[str, Any]]:
    """Rows of `metrics.jsonl`."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_both_files_have_the_same_rows(tmp_path: Path) -> None:
    """A number that is not finite is null in one and empty in the other; all others are equal."""
    files = HistoryFiles(tmp_path)
    files.histories["warped"] = History(
        [{"step": 0, "loss": 2.5}, {"step": 10, "loss": float("nan")}],
        validation=[{"step": 5, "seconds": 0.1, "loss": 3.0, "error": 1.0}],
    )
    files.histories["baseline"] = History([{"step": 0, "other": 1.0}])
    files.write()
    lines = read_lines(tmp_path)
    assert [(line["model"], line["step"]) for line in lines] == [
        ("warped", 0),
        ("warped", 5),
        ("warped", 10),
        ("baseline", 0),
    ]
    assert lines[1]["held_out.error"] == 1.0 and lines[2]["loss"] is None
    with (tmp_path / "metrics.csv").open(newline="") as file:
        cells = [{k: v for k, v in row.items() if v != ""} for row in csv.DictReader(file)]
    assert cells == [{k: str(v) for k, v in line.items() if v is not None} for line in lines]


class Stop(Callback):
    """Ends the first training of a run after some steps, as Ctrl-C does."""

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the interrupt."""
        if state.step == 30:
            raise KeyboardInterrupt


def test_resumed_run_has_each_row_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files equal the histories of both models, losses, gradients and held-out errors."""
    monkeypatch.setattr(history_files, "STEPS_BETWEEN_WRITES", 7)
    np.save(tmp_path / "x.npy", X)
    settings = {"max_steps": 40, "device": "cpu", "domain": "series", "validation_fraction": 0.3}
    run = tmp_path / "run"
    request = Request("ae", "time", overrides={"n_content": 2, "refinements": 0})
    start_job(Job(str(tmp_path / "x.npy"), request, settings), run)
    with pytest.raises(KeyboardInterrupt):
        execute(run, lambda line: None, lambda name: (Stop(),))
    assert {line["model"] for line in read_lines(run)} == {"warped"}
    outcome = execute(run, lambda line: None)
    lines = read_lines(run)
    expected = [
        {"model": name, **row}
        for name, model in outcome.scored_models.items()
        for row in history_rows(model.unwarper.history_)
    ]
    assert lines == expected
    names = {name for line in lines for name in line}
    assert {"reconstruction", "autoencoder.gradient", "held_out.error"} <= names
    steps = [line["step"] for line in lines if line["model"] == "warped" and "samples" in line]
    assert steps == sorted(set(steps)) and steps[-1] == 39


def test_observer_leaves_weights_alone(tmp_path: Path) -> None:
    """A training that writes files has the codes of one that does not."""
    codes = [
        Unwarper("time", "ae", domain="series", max_steps=3, device="cpu")
        .fit(as_source(X), callbacks=callbacks)
        .transform(X)
        for callbacks in ((), (HistoryFiles(tmp_path).observer("warped"),))
    ]
    np.testing.assert_array_equal(*codes)
    assert len(read_lines(tmp_path)) == 2


def test_counters_stay_whole(tmp_path: Path) -> None:
    """A history that was read from a checkpoint gives the text of the one before."""
    texts = []
    for step, samples in ((10, 64), (10.0, 64.0)):
        files = HistoryFiles(tmp_path)
        files.histories["warped"] = History([{"step": step, "samples": samples, "loss": 2.0}])
        files.write()
        texts.append([path.read_text() for path in sorted(tmp_path.iterdir())])
    assert texts[0] == texts[1]
