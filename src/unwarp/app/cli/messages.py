"""Messages of the commands: results, progress, and mistakes with their remedy.

Messages of the library name Python arguments, such as `sampling_rate=0`. A command prints the same
messages with its own options instead, such as `--sampling-rate 0`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import fields
from typing import Any

import typer
from typer.core import TyperCommand

from unwarp.errors import UnwarpError

CALL = re.compile(r"\bUnwarper\(([^()]+)\)")
"""A call of the estimator in a message; only its arguments make sense on the command line."""

ARGUMENT = re.compile(
    r"(?<!--set )(?<![\w.-])(?P<name>[a-z_][\w.]*)="
    r"(?P<value>'[^']*'|\"[^\"]*\"|\([^()]*\)|\.{3}|[^\s,;:()\]]*[^\s,;:()\].])"
)
"""An argument with its value, such as `missing='mask'` or `optimiser.lr=0.1`."""

NAME = re.compile(r"(?<![\w.-])(?P<name>[a-z]\w*_\w+)(?![\w=(.])")
"""A name with an underscore and without a value; a name without one might be an English word."""

WORDS_FOR_NONE = {"working_size": "full"}
"""What a user writes for the value None of an option, by its argument."""

_parameters: ContextVar[tuple[Any, ...]] = ContextVar("parameters", default=())
"""Parameters of the command that is running."""


class Command(TyperCommand):
    """A command with options, instead of Python arguments, in its error messages.

    >>> app = typer.Typer()
    >>> @app.command(cls=Command)
    ... def hello() -> None: ...
    >>> isinstance(typer.main.get_command(app), Command)
    True
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Args:
            ctx: The parsed command line.

        Returns:
            The result of the command's function.

        Raises:
            UnwarpError: An error of the library, with options in its message.
        """
        token = _parameters.set(tuple(self.params))
        try:
            return super().invoke(ctx)
        except UnwarpError as error:
            error.args = (with_options(str(error), self.params),)
            raise
        finally:
            _parameters.reset(token)


def with_options(message: str, parameters: Iterable[Any]) -> str:
    """A message with Python arguments replaced by options of the command line.

    `name=value` becomes `--name value` if the command has this option. A field of a recipe becomes
    `--set name=value` if the command has the option `--set`. Everything else stays the same.

    Args:
        message: Message of the library.
        parameters: Parameters of the running command, as typer lists them.

    Returns:
        The message in the words of the command line.

    >>> app = typer.Typer()
    >>> @app.command()
    ... def fit(sampling_rate: float = 1.0) -> None: ...
    >>> with_options("sampling_rate=0 is not positive", typer.main.get_command(app).params)
    '--sampling-rate 0 is not positive'
    """
    options = dict(_options_of(parameters))
    recipe_fields = _recipe_fields() if "--set" in options.values() else frozenset()

    def replace_argument(match: re.Match[str]) -> str:
        name, value = match["name"], match["value"]
        plain = value[1:-1] if value[0] in "'\"" else value
        if name in options:
            return f"{options[name]} {plain}"
        # a field in parentheses belongs to a call or a remark, as in "1 sample (n_samples=1)"
        is_aside = match.string[: match.start()].endswith("(")
        if name.partition(".")[0] in recipe_fields and not is_aside:
            return f"--set {name}={plain}"
        return match[0]

    text = ARGUMENT.sub(replace_argument, CALL.sub(r"\1", message))
    for name, word in WORDS_FOR_NONE.items():
        if name in options and f"{options[name]} " in text:
            text = re.sub(r"\bNone\b", word, text)
    return NAME.sub(lambda match: options.get(match["name"], match[0]), text)


def _options_of(parameters: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Pairs of a Python name and an option of the command, such as `max_steps` and `--steps`.

    Each option has two names: that of its parameter (`max_steps`), and its own (`steps`).
    """
    for parameter in parameters:
        option = max(parameter.opts, key=len)
        if option.startswith("-"):
            yield option.lstrip("-").replace("-", "_"), option
            yield parameter.name, option


def _recipe_fields() -> frozenset[str]:
    """Fields of all recipes.

    The set is empty if `unwarp.models` is not imported yet: the import takes seconds.
    """
    recipe = getattr(sys.modules.get("unwarp.models.recipe"), "Recipe", None)
    families = () if recipe is None else (recipe, *recipe.registry.values())
    return frozenset(field.name for family in families for field in fields(family))


def say(message: str) -> None:
    """Print a message for people on standard error.

    Python arguments in the message are replaced by options of the running command, if any.

    Args:
        message: One line, such as `scale='channel' brings channels to one unit`.
    """
    typer.echo(with_options_here(message), err=True)


def with_options_here(message: str) -> str:
    """A message in the words of the running command, if any.

    Args:
        message: Message of the library.

    >>> with_options_here("warp='identity'")
    "warp='identity'"
    """
    return with_options(message, _parameters.get())


def error_message(error: Exception) -> str | None:
    """One line about a user's mistake, with its remedy.

    Args:
        error: The error that ended a command.

    Returns:
        The line; None if the error is a bug, not a mistake of the user.

    >>> error_message(FileNotFoundError(2, "No such file", "x.npy"))
    'x.npy: no such file; check the path'
    """
    if hasattr(error, "format_message"):  # a usage error; typer does not export its class
        command = getattr(getattr(error, "ctx", None), "command_path", "unwarp")
        message = _one_line(error.format_message()).replace("Value error, ", "")
        message = message.replace("Input should", f"{_input_of(error)} should")
        return f"{message.rstrip('.')}; see '{command} --help'"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}; check the path"
    return _one_line(str(error)) if isinstance(error, UnwarpError | OSError) else None


def _input_of(error: Exception) -> str:
    """The value of a usage error, as the user wrote it; typer keeps it in the cause alone."""
    causes: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    return _one_line(str(causes[0]["input"])) if causes else "Input"


def _one_line(text: str) -> str:
    """A text with line breaks and repeated spaces replaced by single spaces."""
    return " ".join(text.split())


def print_json(record: dict[str, Any]) -> None:
    """Print a record as JSON on standard output.

    Args:
        record: Values by name; those that JSON lacks, such as paths, are printed as text.
    """
    typer.echo(json.dumps(record, indent=1, default=str))


def print_result(record: dict[str, Any], message: str, as_json: bool, quiet: bool) -> None:
    """Print the result of a command on standard output.

    Args:
        record: The result for programs.
        message: The result for people.
        as_json: Whether to print the record; it is printed even if `quiet`.
        quiet: Whether to leave out the message.
    """
    if as_json:
        print_json(record)
    elif not quiet:
        typer.echo(message)
