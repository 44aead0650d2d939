"""The command line, and the commands `evaluate`, `align`, `embed` and `info`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from unwarp._version import __version__
from unwarp.app.cli import learn, look
from unwarp.app.cli.messages import error_message, print_json, print_result, say
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    ModelArgument,
    QuietOption,
    SourceArgument,
    command,
    model_folder,
)
from unwarp.app.inventory import inventory
from unwarp.errors import ConfigError

EXIT_CODE_OF_MISTAKE, EXIT_CODE_OF_INTERRUPT = 2, 130

app = typer.Typer(
    help="Learn templates, content codes and deformations of images or series, without labels.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(learn.app)
app.add_typer(look.app)


@command(app)
def evaluate(
    model: ModelArgument,
    source: SourceArgument,
    draws: Annotated[
        int,
        typer.Option(
            help="Importance samples a sample for log p(x) of a VAE; 0 leaves it out.", min=0
        ),
    ] = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score a model on data.

    Prints every score that the data allow, and the missing inputs of all others.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        draws: Importance samples a sample for log p(x); 0 for none.
        device: Device to compute on.
        as_json: Whether to print the scores as JSON.
        quiet: Whether to leave out scores that miss an input.
    """
    from unwarp.app.inspection import evaluate_folder

    report = evaluate_folder(model_folder(model), source, device, draws)
    if as_json:
        print_json({"scores": dict(report.scores), "missing": dict(report.missing)})
        return
    for name, value in report.scores.items():
        typer.echo(f"{name:24} {value:.5g}")
    if not quiet:
        for name, inputs in report.missing.items():
            say(f"{name:24} not scored, needs {inputs.replace('_', ' ')}")


@command(app)
def align(
    model: ModelArgument,
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .npz.")] = Path(
        "aligned.npz"
    ),
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Undo the deformation of each sample.

    Writes aligned samples, templates and deformations as arrays.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        out: File to write, `.npz`.
        device: Device to compute on.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.exports import write_aligned

    n = write_aligned(model_folder(model), source, out, device)
    message = f"wrote {n:,} aligned samples to {out}"
    print_result({"samples": n, "file": str(out)}, message, as_json, quiet)


@command(app)
def embed(
    model: ModelArgument,
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .csv.")] = Path(
        "embedding.csv"
    ),
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write content codes, clusters and deformations as a table.

    The table has one row for each sample.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        out: File to write, `.csv`.
        device: Device to compute on.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.exports import write_embedding

    n = write_embedding(model_folder(model), source, out, device)
    message = f"wrote the codes of {n:,} samples to {out}"
    print_result({"samples": n, "file": str(out)}, message, as_json, quiet)


@command(app)
def info(
    model: Annotated[
        Path | None, typer.Argument(help="Folder of a model or of a run; leave out to list names.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Describe a model, or list all known names.

    The names are those of warps, recipes, data sets, scores and file formats.

    Args:
        model: Folder of a model or of a run; None for the names.
        as_json: Whether to print JSON.
        quiet: Without effect; all commands have it.
    """
    facts = _model_facts(model_folder(model)) if model else inventory()
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:12} {_fact_text(value)}")


def _model_facts(folder: Path) -> dict[str, Any]:
    from unwarp.app.inspection import describe_model

    return describe_model(folder)


def _fact_text(value: Any) -> str:
    """Text of a fact: shapes as `1 x 28 x 28`, lists of names with commas."""
    separator = " x " if isinstance(value, tuple) else ", "
    return separator.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _print_version(is_requested: bool) -> None:
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
    # modules in the current folder can be imported, as by `python -m`
    sys.path[:0] = [str(Path.cwd())] if plugin else []
    for name in plugin or ():
        try:
            import_module(name)
        except Exception as error:
            raise ConfigError(
                f"--plugin {name} cannot be imported: {error}; install it, or go to its folder"
            ) from error


def main() -> None:
    """Run the command line and exit.

    The exit code is 0 for success, 2 for a user's mistake, which is explained in one line, and 130
    for an interrupted run. Any other error is a bug and keeps its traceback.
    """
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except typer.Abort:
        sys.exit(EXIT_CODE_OF_INTERRUPT)
    except Exception as error:
        message = error_message(error)
        if message is None:
            raise
        say(f"unwarp: {message}")
        raise SystemExit(EXIT_CODE_OF_MISTAKE) from None
