"""Jobs: the source and the settings of a run, stored as `run.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from unwarp.disk.files import clean_leftovers, is_leftover, read_plain
from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.codec import restore
from unwarp.planning.plan import Request
from unwarp.ranges import check_arguments
from unwarp.storage.files import expand, make_folder, write_file
from unwarp.storage.folders import LOCK_NAME, hold_folder

T = TypeVar("T")

ANY_TYPE = ConfigDict(arbitrary_types_allowed=True)
"""Setting of pydantic that accepts hints of any class, such as NumPy's `RandomState`."""

JOB_NAME, FACTS_NAME = "run.json", "run.facts.json"
"""Files of a run folder that are written before the first result: the job, and its fingerprint."""


@dataclass(frozen=True)
class Job:
    """The source and the settings of a run.

    A run is the training of two models, with and without a warp, and their scores. A job holds
    everything that a run depends on, so that `unwarp resume` can continue the run.

    Attributes:
        source: A file, a folder, or the name of a built-in data set.
        request: Recipe, warp, size of the content code and overrides, as the user gave them. The
            recipe is the name of a family, or a dictionary that `unwarp.models.codec.describe`
            made.
        settings: All other arguments of `Unwarper`, by name.

    >>> job = Job("digits", Request(warp="affine"), {"max_steps": 300})
    >>> job.make_estimator().max_steps
    300
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    source: str
    request: Request = field(default_factory=Request)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def make_estimator(self) -> Unwarper:
        """The estimator with the settings of the job, not yet trained.

        Raises:
            ConfigError: The recorded recipe cannot be restored.
        """
        request, recipe = self.request, self.request.recipe
        return Unwarper(
            request.warp,
            restore(recipe) if isinstance(recipe, dict) else recipe,
            content=request.content,
            n_content=request.n_content,
            overrides=request.overrides,
            start=request.start,
            fast=request.fast,
            **self.settings,
        )

    @property
    def seed(self) -> int:
        """Seed of all random numbers."""
        return int(self.settings.get("random_state", 0))

    @property
    def max_seconds(self) -> float | None:
        """Longest time of each training in seconds; None for no limit."""
        return self.settings.get("max_seconds")


def load_job(folder: Path) -> Job:
    """The job of a run folder.

    Args:
        folder: A folder that `start_job` made.

    Raises:
        CheckpointError: The folder holds no `run.json`, or a field of it is damaged; the message
            names the field.
    """
    path = expand(folder) / JOB_NAME
    try:
        job = read_record(path, Job)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a run folder: {path.name} is missing; start one with 'unwarp fit'"
        ) from None
    hints = get_type_hints(Unwarper.__init__)
    for name, value in job.settings.items():
        if name not in hints:
            raise _damaged(path, f"settings.{name}: no argument of Unwarper")
        try:
            TypeAdapter(hints[name], config=ANY_TYPE).validate_python(value)
        except ValidationError as error:
            raise _damaged(path, f"settings.{name}: {error.errors()[0]['msg']}") from error
    try:
        check_arguments(job.settings)
    except ConfigError as error:
        raise _damaged(path, f"settings: {error}") from error
    return job


def read_record(path: Path, record_type: type[T]) -> T:
    """A dataclass instance from a JSON file, checked field by field.

    Args:
        path: The file.
        record_type: The dataclass.

    Returns:
        An instance of `record_type`.

    Raises:
        CheckpointError: The file cannot be read, it is not JSON, or a field has the wrong type.
        FileNotFoundError: The file does not exist.
    """
    try:
        return TypeAdapter(record_type).validate_json(read_plain(path))
    except ValidationError as error:
        first = error.errors()[0]
        field_name = ".".join(map(str, first["loc"]))
        prefix = f"{field_name}: " if field_name else ""
        raise _damaged(path, f"{prefix}{first['msg']}") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}; start the run again "
            "in another folder"
        ) from error


def _damaged(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"{path} is damaged ({reason}); start the run again in another folder")


def has_results(folder: Path) -> bool:
    """Whether a folder holds more than a job and its fingerprint.

    Args:
        folder: A folder, which need not exist.
    """
    names = (JOB_NAME, FACTS_NAME, LOCK_NAME)
    return folder.is_dir() and any(
        entry.name not in names and not is_leftover(entry) for entry in folder.iterdir()
    )


def start_job(job: Job, folder: Path) -> None:
    """Make the folder of a new job and write its `run.json`.

    Args:
        job: The job.
        folder: A new or empty folder, or the folder of an earlier run of the same job. The folder
            of another job is accepted only if it has no results yet, just `run.json`.

    Raises:
        ConfigError: The folder holds results of another job, or other files without a `run.json`,
            or it cannot be made.
        CheckpointError: Its `run.json` is damaged or not of Unwarp, or another process runs a job
            in the folder.
    """
    folder = expand(folder)
    check_run_folder(job, folder)
    make_folder(folder)
    with hold_folder(folder):
        clean_leftovers(folder)
        if not check_run_folder(job, folder):
            write_file(folder / JOB_NAME, json.dumps(asdict(job), indent=1))


def check_run_folder(job: Job, folder: Path) -> bool:
    """Refuse a folder that a job cannot start in.

    Args:
        job: The job.
        folder: The folder; it may be absent.

    Returns:
        Whether the folder already records the same job.

    Raises:
        ConfigError: It is no run folder, or holds results of another job.
        CheckpointError: Its `run.json` is damaged or not of Unwarp.
    """
    folder = expand(folder)
    path, is_used = folder / JOB_NAME, has_results(folder)
    # an empty record is left by a power failure
    has_record = path.is_file() and path.stat().st_size > 0
    is_same = has_record and load_job(folder) == job
    if is_used and not path.is_file():
        raise ConfigError(
            f"{folder} exists and is not a run folder; choose another folder with --out"
        )
    if is_used and has_record and not is_same:
        raise ConfigError(
            f"{folder} holds a run with other settings; "
            f"continue it with 'unwarp resume {folder}', or choose another folder with --out"
        )
    return is_same
