"""The command line: its commands, its plugins, and its exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from unwarp._version import __version__
from unwarp.app.cli import apply, compare, explore, export, learn, look, shards, sweep
from unwarp.app.cli.messages import error_message, say
from unwarp.errors import ConfigError
from unwarp.launch import is_first_process, process_index

EXIT_CODE_OF_MISTAKE, EXIT_CODE_OF_INTERRUPT = 2, 130
"""Exit codes after a mistake of the user, and after Ctrl-C (128 + 2, as in shells)."""

app = typer.Typer(
    help="Learn templates, content codes and deformations of images or series, without labels.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for part in (learn, sweep, apply, look, compare, explore, export):
    app.add_typer(part.app)
app.add_typer(shards.app, name="data")


def _print_version(is_requested: bool) -> None:
    """Print the version and exit, if `--version` is passed."""
    if is_requested:
        typer.echo(f"unwarp {__version__}")
        raise typer.Exit


@app.callback()
def _import_plugins(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option(help="Python module with your own warps or formats; repeat for more."),
    ] = None,
) -> None:
    # like `python -m`, look for modules in the current folder, too
    sys.path[:0] = [str(Path.cwd())] if plugin else []
    for name in plugin or ():
        try:
            import_module(name)
        except Exception as error:
            raise ConfigError(
                f"--plugin {name} cannot be imported: {error}; install it, or run the command in "
                "the folder of the module"
            ) from error


def main() -> None:
    """Run the command line and exit.

    The exit code is 0 for success, 2 for a mistake of the user, and 130 for an interrupted run. A
    mistake is explained in one line. Any other error is a bug and keeps its traceback.
    """
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except typer.Abort:
        sys.exit(EXIT_CODE_OF_INTERRUPT)
    except Exception as error:
        message = error_message(error)
        if message is None:
            raise
        place = "" if is_first_process() else f" (process {process_index()})"
        say(f"unwarp{place}: {message}")
        raise SystemExit(EXIT_CODE_OF_MISTAKE) from None
