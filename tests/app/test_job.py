"""Jobs: they come back from their folder as they were, and damage is refused by type."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from unwarp import AE
from unwarp.app.job import Job, load_job, start_job
from unwarp.errors import CheckpointError, ConfigError
from unwarp.models.codec import describe
from unwarp.planning.plan import Request

JOB = Job(
    "digits", Request(describe(AE())), {"max_steps": 3, "max_seconds": 2.5, "precision": "bf16"}
)


def test_job_survives_its_folder(tmp_path: Path) -> None:
    """A job that was written and read is equal to the first."""
    start_job(JOB, tmp_path / "run")
    assert load_job(tmp_path / "run") == JOB


def test_job_makes_its_estimator() -> None:
    """Request and settings are arguments of `Unwarper`."""
    estimator = JOB.make_estimator()
    assert (estimator.recipe, estimator.max_steps, estimator.precision) == (AE(), 3, "bf16")
    assert JOB.seed == 0 and JOB.max_seconds == 2.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {"max_steps": "many"}}, "settings.max_steps: .*integer"),
        ({"settings": {"max_steps": 2.5}}, "settings.max_steps: .*integer"),
        ({"settings": {"missing": "moon"}}, "settings.missing: .*'error', 'interpolate' or 'mask'"),
        ({"settings": {"precision": 32}}, "settings.precision: .*'no', 'fp16' or 'bf16'"),
        ({"settings": {"colour": "red"}}, "settings.colour: no argument of Unwarper"),
        ({"source": 3}, "source: .*string"),
        ({"request": {"n_content": "some"}}, "request.n_content: .*integer"),
        ({"request": {"colour": "red"}}, "request.colour: "),
        ({"colour": "red"}, "colour: "),
    ],
)
def test_damaged_jobs_name_their_field(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    """A wrong field of the job, its request or its settings is named in the message."""
    (tmp_path / "run.json").write_text(json.dumps(asdict(JOB) | change))
    with pytest.raises(
        CheckpointError, match=f"run.json is damaged .{message}.*; start the run again"
    ):
        load_job(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "null", '{"steps"', '{"steps": 3}', b"\xff\xfe"])
def test_other_files_are_refused_as_jobs(text: str | bytes, tmp_path: Path) -> None:
    """Text that is no job, and bytes that are no text, are damage."""
    (tmp_path / "run.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError, match="is damaged"):
        load_job(tmp_path)


def test_folder_is_free_until_training(tmp_path: Path) -> None:
    """Another job may replace one without results; after that only the same job may start."""
    start_job(JOB, tmp_path)
    other = replace(JOB, settings={**JOB.settings, "random_state": 1})
    start_job(other, tmp_path)
    assert load_job(tmp_path) == other
    (tmp_path / "model.checkpoint").touch()
    start_job(other, tmp_path)
    with pytest.raises(ConfigError, match="a run with other settings"):
        start_job(JOB, tmp_path)


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    """A folder with other files, or a file, is refused as a run folder and stays as it was."""
    (tmp_path / "diary.txt").write_text("a diary")
    with pytest.raises(ConfigError, match="is not a run folder"):
        start_job(JOB, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["diary.txt"]
    with pytest.raises(ConfigError, match="cannot write"):
        start_job(JOB, tmp_path / "diary.txt")
