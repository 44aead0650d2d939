"""Runs: they are not continued with other data, settings or code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unwarp.app.job import FACTS_NAME, Job, start_job
from unwarp.app.parts import Parts
from unwarp.app.run_facts import check_run
from unwarp.data.opening import as_source
from unwarp.errors import CheckpointError

X = np.random.default_rng(0).normal(size=(12, 24))
JOB = Job("series.npy", settings={"max_steps": 2, "batch_size": 8})


def parts(x: Any = X) -> Parts:
    """All samples but two to learn from."""
    source = as_source(x)
    training, test = source.subset(range(len(x) - 2)), source.subset([len(x) - 2, len(x) - 1])
    return Parts(training, test, source)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run with a checkpoint."""
    start_job(JOB, tmp_path)
    check_run(tmp_path, JOB, parts())
    (tmp_path / "model.checkpoint").touch()
    check_run(tmp_path, JOB, parts())
    return tmp_path


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[::-1].copy(), "data.training.samples: other values, or another order of rows"),
        (np.vstack([X[1:], X[:1]]), "data.test.samples: other values"),
        (X * 1.01, "data.training.samples: other values"),
        (X[1:], "data.training.number=9, but it was 10"),
    ],
)
def test_other_data_are_refused(x: Any, message: str, folder: Path) -> None:
    """Reordered, changed and dropped rows are named."""
    with pytest.raises(CheckpointError, match=message):
        check_run(folder, JOB, parts(x))


def test_other_settings_are_refused(folder: Path) -> None:
    """An edited job is named; the place of its source may change."""
    job = replace(JOB, settings={"max_steps": 2, "batch_size": 4})
    with pytest.raises(CheckpointError, match=r"settings.batch_size=4, but it was 8"):
        check_run(folder, job, parts())
    check_run(folder, replace(JOB, source="other.npy"), parts())


def test_other_code_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may not continue a run, but may score two trained models."""
    monkeypatch.setattr("unwarp.data.fingerprint.__version__", "99")
    with pytest.raises(CheckpointError, match="unwarp='99', but it was"):
        check_run(folder, JOB, parts())
    (folder / "model").mkdir()
    (folder / "baseline").mkdir()
    check_run(folder, JOB, parts())
    with pytest.raises(CheckpointError, match="samples"):
        check_run(folder, JOB, parts(X[::-1].copy()))


def test_run_without_results_may_change(tmp_path: Path) -> None:
    """Before the first result, data and settings may change."""
    start_job(JOB, tmp_path)
    check_run(tmp_path, JOB, parts())
    other = replace(JOB, settings={"max_steps": 3})
    start_job(other, tmp_path)
    check_run(tmp_path, other, parts(X * 2))
    (tmp_path / "model.checkpoint").touch()
    check_run(tmp_path, other, parts(X * 2))


def test_runs_of_earlier_versions(folder: Path) -> None:
    """A run without a fingerprint is refused with a way out, unless both models are trained."""
    (folder / FACTS_NAME).unlink()
    with pytest.raises(CheckpointError, match="begun by an earlier version"):
        check_run(folder, JOB, parts())
    (folder / "model").mkdir()
    (folder / "baseline").mkdir()
    check_run(folder, JOB, parts())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"facts": {}, "checksum": "0"}'])
def test_damaged_facts_are_refused(text: str, folder: Path) -> None:
    """A damaged fingerprint is an error by type."""
    (folder / FACTS_NAME).write_text(text)
    with pytest.raises(CheckpointError, match=r"facts\.json is damaged"):
        check_run(folder, JOB, parts())


def test_facts_have_a_checksum(folder: Path) -> None:
    """Edited facts are damage."""
    record = json.loads((folder / FACTS_NAME).read_text())
    record["facts"]["settings"]["batch_size"] = 4
    (folder / FACTS_NAME).write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="its checksum differs"):
        check_run(folder, JOB, parts())
