"""Options and arguments of several commands, and the decorator for commands."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from unwarp.app.cli.messages import Command
from unwarp.app.inventory import check_source
from unwarp.core import DeviceName
from unwarp.disk.paths import absolute
from unwarp.range_kinds import MAX_SEED

SeedOption = Annotated[
    int, typer.Option("--seed", help="Seed of all random numbers.", min=0, max=MAX_SEED)
]


DeviceOption = Annotated[
    DeviceName,
    typer.Option(help="Device to compute on; auto takes a GPU if there is one."),
]


JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Hide progress and closing messages.")
]


SourceArgument = Annotated[
    str,
    typer.Argument(
        help="Folder of images, file of images or series, or name of a built-in data set.",
        callback=check_source,
    ),
]


def _join_sources(sources: list[str]) -> list[str]:
    """The sources of a command, checked."""
    return [check_source(source) for source in sources]


SourcesArgument = Annotated[
    list[str],
    typer.Argument(
        help="Folder of images, pattern or several image files, .zip or other file of images or "
        "series, or name of a built-in data set.",
        metavar="SOURCE...",
        callback=_join_sources,
    ),
]


ModelArgument = Annotated[Path, typer.Argument(help="Folder of a model or of a run.")]

Function = TypeVar("Function", bound=Callable[..., None])


def existing_file(path: str) -> Path:
    """The path of an existing file; `~` is the home folder.

    Args:
        path: The path, as the user wrote it.

    Raises:
        typer.BadParameter: There is no such file.

    >>> existing_file(__file__) == Path(__file__)
    True
    """
    file = Path(os.path.expanduser(path))  # noqa: PTH111
    if not file.is_file():
        reason = "is a folder" if file.is_dir() else "does not exist"
        raise typer.BadParameter(f"{path!r} {reason}; give a file")
    return file


def command(app: typer.Typer) -> Callable[[Function], Function]:
    """A decorator that adds a function to the commands of an application.

    The help of the command is the docstring of the function, without the section `Args`. The lines
    of each paragraph are joined, so that the help fits any width of the terminal. An argument
    that is a dataclass stands for an option of each of its fields.

    Args:
        app: The application.

    >>> app = typer.Typer()
    >>> @command(app)
    ... def hello() -> None:
    ...     '''Greet the reader.'''
    >>> app.registered_commands[0].help
    'Greet the reader.'
    """

    def register(function: Function) -> Function:
        summary = (inspect.getdoc(function) or "").partition("\n\nArgs:")[0]
        paragraphs = (" ".join(paragraph.split()) for paragraph in summary.split("\n\n"))
        add = app.command(cls=Command, help="\n\n".join(paragraphs))
        add(_with_groups(function))
        return function

    return register


def _with_groups(function: Callable[..., None]) -> Callable[..., None]:
    """A function with an option for each field of its arguments that are dataclasses."""
    types, groups = get_type_hints(function, include_extras=True), dict[str, Any]()
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        kind = types[parameter.name]
        if not is_dataclass(kind):
            parameters.append(parameter.replace(annotation=kind))
            continue
        groups[parameter.name] = kind
        types_of_fields = get_type_hints(kind, include_extras=True)
        parameters += [
            parameter.replace(name=f.name, default=f.default, annotation=types_of_fields[f.name])
            for f in fields(kind)
        ]

    def call(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{f.name: values.pop(f.name) for f in fields(kind)})
        function(**values)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def one_source(sources: list[str]) -> str:
    """The sources of a command as one text with absolute paths.

    Args:
        sources: Paths, patterns, or the name of a data set.

    Returns:
        The sources, each in a line of its own.

    >>> one_source(["digits"])
    'digits'
    """
    return "\n".join(absolute(source) for source in sources)


def parse_shape(text: str) -> list[int]:
    """The shape of an image from a text.

    Args:
        text: Lengths of the axes, such as `28x28` or `3x28x28`.

    Raises:
        typer.BadParameter: It is no shape.

    >>> parse_shape("3x28x28")
    [3, 28, 28]
    """
    numbers = [part.strip() for part in text.strip("()").replace(",", "x").split("x")]
    if len(numbers) not in (2, 3) or not all(n.isascii() and n.isdigit() for n in numbers):
        raise typer.BadParameter(f"{text!r} is no shape; give HxW or CxHxW, such as 28x28")
    return [int(n) for n in numbers]


def model_folder(folder: Path) -> Path:
    """The folder of a model, which may be inside a run folder.

    Args:
        folder: A run folder, which contains the model folder; or a model folder, which is returned
            unchanged, except that `~` is the home folder.
    """
    from unwarp.storage.files import expand
    from unwarp.storage.folders import recover_folder  # it imports torch

    folder = expand(folder)
    recover_folder(folder / "model")
    return folder / "model" if (folder / "model").is_dir() else folder


LayoutOption = Annotated[
    str,
    typer.Option(
        help="Order of the axes of images: channels-first, channels-last, or auto, which decides "
        "by the shape and refuses what reads two ways.",
        metavar="auto|channels-first|channels-last",
    ),
]
SizesOption = Annotated[
    str | None,
    typer.Option(
        help="Images of several sizes: pad centres them on a common frame, crop cuts them to "
        "their centre, HxW resizes them; refused by default.",
        metavar="pad|crop|HxW",
    ),
]
ShapeOption = Annotated[
    Any,
    typer.Option(
        help="Height and width (HxW or CxHxW) of images that are rows of a table.",
        parser=parse_shape,
        metavar="HxW",
    ),
]


def picture_hints(
    layout: str = "auto", sizes: str | None = None, image_shape: Any = None
) -> dict[str, Any]:
    """Arguments of `Unwarper` for reading pictures that the user sets.

    Args:
        layout: Order of the axes of images; `auto` is not set.
        sizes: How to bring images of several sizes to one; None is not set.
        image_shape: Shape of images that are rows of a table; None is not set.

    Returns:
        Arguments by name.

    >>> picture_hints("channels-last")
    {'layout': 'channels_last'}
    """
    hints = {"layout": layout.replace("-", "_"), "sizes": sizes, "image_shape": image_shape}
    return {name: value for name, value in hints.items() if value not in (None, "auto")}
