"""A `Job`: what a run was asked for, kept as `run.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from unwarp.core import DomainName, MissingPolicy, Precision
from unwarp.data.scaling import Scale
from unwarp.errors import CheckpointError, ConfigError
from unwarp.storage import make_folder, write_file

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What a run was asked for; kept as `run.json`.

    Attributes:
        source: A file, a folder or the name of a built-in data set.
        recipe: The recipe as `checkpoints.describe` writes it; None for one that suits the data.
        warp: Name of a warp that replaces the recipe's, or `auto`.
        domain: `auto`, `image` or `series`.
        steps: Training steps; None for a number that suits the data.
        seconds: Bound on each training.
        seed: Seed of everything random.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no`, `bf16` or `fp16`.
        batch_size: Samples a step; None for 64 pictures or 20 series.
        missing: What a missing value of a series becomes, as for `Unwarper`.
        scale: How numbers are scaled, as for `Unwarper`.
        sampling_rate: Samples a second of series; None where time is counted in samples.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    source: str
    recipe: dict[str, Any] | None = None
    warp: str = "auto"
    domain: DomainName = "auto"
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    device: str = "auto"
    precision: Precision = "no"
    batch_size: int | None = None
    missing: MissingPolicy = "error"
    scale: Scale = "auto"
    sampling_rate: float | None = None


def load_job(folder: Path) -> Job:
    """The job of a run folder.

    Raises:
        CheckpointError: No run there, or a damaged `run.json`.
    """
    path = folder / "run.json"
    try:
        return read_record(path, Job)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a run folder: {path.name} is missing; start one with 'unwarp fit'"
        ) from None


def read_record(path: Path, record_type: type[T]) -> T:
    """A record of type `record_type` from a JSON file, checked field by field."""
    try:
        return TypeAdapter(record_type).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CheckpointError(
            f"{path} is damaged ({f'{where}: ' if where else ''}{first['msg']}); start the run again in another folder"
        ) from error


def start_job(job: Job, folder: Path) -> None:
    """Make the folder of a new job.

    Raises:
        ConfigError: The folder holds a run of another job that has begun, or something else, or cannot be made.
    """
    kept = folder / "run.json"
    begun = folder.is_dir() and any(path != kept for path in folder.iterdir())
    if begun and kept.is_file() and load_job(folder) != job:
        raise ConfigError(
            f"{folder} holds a run with other settings; continue it with 'unwarp resume {folder}', or use --out"
        )
    if begun and not kept.is_file():
        raise ConfigError(f"{folder} exists and is not a run folder; use --out to choose another")
    make_folder(folder)
    write_file(kept, json.dumps(asdict(job), indent=1))
