"""What the commands share: their options, and how they say what they found."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from unwarp.errors import UnwarpError


class DomainName(StrEnum):
    """How samples are read."""

    auto = "auto"
    image = "image"
    series = "series"


class MissingName(StrEnum):
    """What a missing value of a series becomes."""

    error = "error"
    interpolate = "interpolate"
    mask = "mask"


class ScaleName(StrEnum):
    """What the numbers of a model stand for."""

    auto = "auto"
    channel = "channel"
    each = "each"


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class PrecisionName(StrEnum):
    """Numbers to train with."""

    no = "no"
    bf16 = "bf16"
    fp16 = "fp16"


Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run; runs/NAME by default.")]


Config = Annotated[Path | None, typer.Option(help="YAML or JSON file with recipe fields.", exists=True, dir_okay=False)]


Set = Annotated[list[str] | None, typer.Option("--set", help="One recipe field, as key=value or key.sub=value.")]


Warp = Annotated[str, typer.Option(help="auto, affine, similarity, time, displacement+affine, identity, ...")]


Domain = Annotated[DomainName, typer.Option(help="How to read the samples.")]


Missing = Annotated[MissingName, typer.Option(help="Gaps in series: refuse, fill by a line, or learn from the rest.")]


Scale = Annotated[ScaleName, typer.Option(help="Series to one scale, by channel, or each series by its own.")]


SamplingRate = Annotated[float | None, typer.Option(help="Samples a second of series, for lags in seconds.", min=1e-9)]


Steps = Annotated[int | None, typer.Option(help="Training steps; by default what suits the data.", min=1)]


Seconds = Annotated[float | None, typer.Option(help="Bound on each of the two trainings.", min=1)]


Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


Where = Annotated[Device, typer.Option(help="Where to compute.")]


Precision = Annotated[PrecisionName, typer.Option(help="Mixed precision in training; no for float32.")]


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result.")]


Source = Annotated[str, typer.Argument(help="A folder of images, a file of images or series, or a built-in data set.")]


ModelFolder = Annotated[Path, typer.Argument(help="A model folder, or a run folder that holds model/.")]


def model_folder(folder: Path) -> Path:
    """The model's own folder, where a run folder may be given."""
    return folder / "model" if (folder / "model").is_dir() else folder


def say(words: str) -> None:
    """Tell people something, on standard error."""
    typer.echo(words, err=True)


def mistake(error: Exception) -> str | None:
    """What a user did wrong and how to mend it, in one line; None for an error that is not the user's."""
    if hasattr(error, "format_message"):  # a usage error of typer, which keeps the class to itself
        command = getattr(getattr(error, "ctx", None), "command_path", "unwarp")
        return f"{_line(error.format_message()).rstrip('.')}; see '{command} --help'"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}; check the path"
    return _line(str(error)) if isinstance(error, UnwarpError | OSError) else None


def _line(words: str) -> str:
    return " ".join(words.split())


def print_json(record: dict[str, Any]) -> None:
    """The result for machines, on standard output."""
    typer.echo(json.dumps(record, indent=1, default=str))


def finish(record: dict[str, Any], words: str, as_json: bool, quiet: bool) -> None:
    """The end of a command: a record for machines, words for people, or nothing."""
    if as_json:
        print_json(record)
    elif not quiet:
        typer.echo(words)
