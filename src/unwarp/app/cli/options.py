"""What the commands share: their options, and how they say what they found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from unwarp.app.inventory import check_source
from unwarp.core import DeviceName
from unwarp.errors import UnwarpError

SeedOption = Annotated[int, typer.Option(help="Seed of everything random.")]


DeviceOption = Annotated[DeviceName, typer.Option(help="Where to compute.")]


JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print the result as JSON on standard output."),
]


QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result.")]


SourceArgument = Annotated[
    str,
    typer.Argument(
        help="A folder of images, a file of images or series, or a built-in data set.",
        callback=check_source,
    ),
]


ModelArgument = Annotated[
    Path,
    typer.Argument(help="A model folder, or a run folder that holds model/."),
]


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
