"""The command line: `unwarp evaluate | align | embed | info`, and the commands of `learn` and `look`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from unwarp._version import __version__
from unwarp.app.cli import learn, look
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    ModelArgument,
    QuietOption,
    SourceArgument,
    finish,
    mistake,
    model_folder,
    print_json,
    say,
)
from unwarp.app.inventory import inventory
from unwarp.errors import ConfigError

app = typer.Typer(
    help="Learn, without labels, what things look like once nothing has moved, turned or stretched them.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(learn.app)
app.add_typer(look.app)


@app.command()
def evaluate(
    model: ModelArgument,
    source: SourceArgument,
    draws: Annotated[
        int, typer.Option(help="Draws a sample for log p(x) of a VAE; 0 for none.", min=0)
    ] = 0,
    device: DeviceOption = "auto",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score a model on data: every score that the data allows; the others with what they miss."""
    from unwarp.app.inspection import judge

    report = judge(model_folder(model), source, device, draws)
    if json:
        print_json({"scores": dict(report.scores), "missing": dict(report.missing)})
        return
    for name, value in report.scores.items():
        typer.echo(f"{name:24} {value:.5g}")
    if not quiet:
        for name, needs in report.missing.items():
            say(f"{name:24} needs {needs}")


@app.command()
def align(
    model: ModelArgument,
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="An .npz file.")] = Path("aligned.npz"),
    device: DeviceOption = "auto",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Undo the deformation of each sample; writes aligned samples, templates and deformations."""
    from unwarp.app.exports import write_aligned

    n = write_aligned(model_folder(model), source, out, device)
    finish({"samples": n, "file": str(out)}, f"{n:,} aligned samples in {out}", json, quiet)


@app.command()
def embed(
    model: ModelArgument,
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="A .csv file.")] = Path("embedding.csv"),
    device: DeviceOption = "auto",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write content codes, cluster and deformation of each sample as a table."""
    from unwarp.app.exports import write_embedding

    n = write_embedding(model_folder(model), source, out, device)
    finish({"samples": n, "file": str(out)}, f"codes of {n:,} samples in {out}", json, quiet)


@app.command()
def info(
    model: Annotated[
        Path | None, typer.Argument(help="A model folder, a run folder, or nothing.")
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what a model is, or which warps, recipes, data sets, scores and formats there are."""
    facts = _model_facts(model_folder(model)) if model else inventory()
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(
            f"{name:12} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        )


def _model_facts(folder: Path) -> dict[str, Any]:
    from unwarp.app.inspection import describe_model

    return describe_model(folder)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"unwarp {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    plugin: Annotated[
        list[str] | None, typer.Option(help="A module of yours to import; repeat for more.")
    ] = None,
) -> None:
    sys.path[:0] = [str(Path.cwd())] if plugin else []
    for name in plugin or ():
        try:
            import_module(name)
        except Exception as error:
            raise ConfigError(
                f"--plugin {name} cannot be imported: {error}; install it, or go to its folder"
            ) from error


def main() -> None:
    """Run the command line; a user's error is one line and exit code 2."""
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        words = mistake(error)
        if words is None:
            raise
        say(f"unwarp: {words}")
        raise SystemExit(2) from None
