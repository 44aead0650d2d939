"""A `Job`: what a run was asked for, kept as `run.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.codec import restore
from unwarp.planning.plan import Request
from unwarp.storage import make_folder, write_file

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What a run was asked for; kept as `run.json`.

    Attributes:
        source: A file, a folder or the name of a built-in data set.
        request: What was asked of the model; a recipe stands in it by the name of its family, or as `describe` gives it.
        settings: Further arguments of `Unwarper`, by name; it takes the rest as they come.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    source: str
    request: Request = field(default_factory=Request)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def make_estimator(self) -> Unwarper:
        """The estimator that is asked for, before training."""
        asked, recipe = self.request, self.request.recipe
        return Unwarper(
            asked.warp,
            restore(recipe) if isinstance(recipe, dict) else recipe,
            n_content=asked.n_content,
            overrides=asked.overrides,
            **self.settings,
        )

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return int(self.settings.get("random_state", 0))

    @property
    def max_seconds(self) -> float | None:
        """Bound on each training."""
        return self.settings.get("max_seconds")


def load_job(folder: Path) -> Job:
    """The job of a run folder.

    Raises:
        CheckpointError: No run there, or a damaged `run.json`.
    """
    path = folder / "run.json"
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
            TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            raise _damaged(path, f"settings.{name}: {error.errors()[0]['msg']}") from error
    return job


def read_record(path: Path, record_type: type[T]) -> T:
    """A record of a JSON file, checked field by field.

    Args:
        path: The file.
        record_type: A dataclass.

    Raises:
        CheckpointError: No such record in it.
    """
    try:
        return TypeAdapter(record_type).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _damaged(path, f"{f'{where}: ' if where else ''}{first['msg']}") from error


def _damaged(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"{path} is damaged ({reason}); start the run again in another folder")


def start_job(job: Job, folder: Path) -> None:
    """Make the folder of a new job.

    Args:
        job: What is asked for.
        folder: Where; it may hold the same job, begun or not.

    Raises:
        ConfigError: The folder holds a run of another job that has begun, or something else, or cannot be made.
    """
    path = folder / "run.json"
    has_begun = folder.is_dir() and any(entry != path for entry in folder.iterdir())
    if has_begun and path.is_file() and load_job(folder) != job:
        raise ConfigError(
            f"{folder} holds a run with other settings; continue it with 'unwarp resume {folder}', or use --out"
        )
    if has_begun and not path.is_file():
        raise ConfigError(f"{folder} exists and is not a run folder; use --out to choose another")
    make_folder(folder)
    write_file(path, json.dumps(asdict(job), indent=1))
