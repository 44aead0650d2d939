"""Jobs: they come back from their folder as they were, and damage is refused by type."""

from __future__ import annotations

import itertools
import json
import os
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from benchmarks.attacks.file_systems import Death, failing_call

from unwarp import AE
from unwarp.app.job import Job, load_job, start_job
from unwarp.app.run import execute
from unwarp.errors import CheckpointError, ConfigError, UnwarpError
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


@pytest.mark.parametrize("dies", [False, True])
def test_start_survives_every_fault(tmp_path: Path, dies: bool) -> None:
    """Whichever call fails, the error is typed and the same folder is taken again, and clean."""
    for n in itertools.count(1):
        folder = tmp_path / str(n) / "run"
        with suppress(Death, UnwarpError), failing_call(n, dies) as count:
            start_job(JOB, folder)
        start_job(JOB, folder)
        assert load_job(folder) == JOB
        assert [path.name for path in folder.iterdir()] == ["run.json"]
        if count() < n:
            break
    assert n > 5


@pytest.mark.parametrize("name", ["run.json", ".run.json.partial"])
def test_interrupted_record_is_replaced(tmp_path: Path, name: str) -> None:
    """An empty record, and the partial one of an earlier version, do not hold a folder up."""
    (tmp_path / name).touch()
    start_job(JOB, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert load_job(tmp_path) == JOB


@pytest.mark.parametrize("text", ['{"scripts": {"test": "jest"}}', "not JSON", "[]"])
def test_foreign_record_is_kept(tmp_path: Path, text: str) -> None:
    """A `run.json` of another program is not replaced, even if it is alone in its folder."""
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(CheckpointError, match="start the run again in another folder"):
        start_job(JOB, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"run.json": text}


def test_busy_folder_is_refused(tmp_path: Path) -> None:
    """A folder that a process works in takes no job, and says which process."""
    start_job(JOB, tmp_path)
    record = {"pid": 77, "host": "another-computer", "thread": 1}
    (tmp_path / "unwarp.lock").write_text(json.dumps(record))
    for action in (lambda: start_job(JOB, tmp_path), lambda: execute(tmp_path)):
        with pytest.raises(CheckpointError, match="in use by process 77 on another-computer; wait"):
            action()
    assert {path.name for path in tmp_path.iterdir()} == {"run.json", "unwarp.lock"}


@pytest.mark.skipif(os.name != "posix", reason="pipes are those of POSIX")
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "circle"])
def test_record_is_a_plain_file(tmp_path: Path, kind: str) -> None:
    """A folder, a pipe, a device and a circle of links are refused at once."""
    path = tmp_path / "run.json"
    make = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "circle": lambda: path.symlink_to(path.name),
    }
    make[kind]()
    with pytest.raises(CheckpointError, match=r"run\.json cannot be read: .*; start the run again"):
        load_job(tmp_path)


def test_options_of_tables_are_kept(tmp_path: Path) -> None:
    """A run records the layout and the columns of its table, and refuses damaged ones."""
    settings = {"table": "long", "id_column": "q", "value_columns": ["x"]}
    start_job(Job("a.csv", Request(), settings), tmp_path / "run")
    assert load_job(tmp_path / "run").make_estimator().value_columns == ["x"]
    record = (tmp_path / "run" / "run.json").read_text()
    (tmp_path / "run" / "run.json").write_text(record.replace('"long"', '"round"'))
    with pytest.raises(CheckpointError, match="settings"):
        load_job(tmp_path / "run")
