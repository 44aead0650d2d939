"""The command line: `unwarp demo | fit | resume | evaluate | align | embed | info`, and the commands of `looking`."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unwarp._version import __version__
from unwarp.app.cli import look
from unwarp.app.cli.options import (
    Config,
    Device,
    Domain,
    DomainName,
    Json,
    Missing,
    MissingName,
    ModelFolder,
    Out,
    Precision,
    PrecisionName,
    Quiet,
    SamplingRate,
    Scale,
    ScaleName,
    Seconds,
    Seed,
    Set,
    Source,
    Steps,
    Warp,
    Where,
    finish,
    mistake,
    model_folder,
    print_json,
    say,
)
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.app.job import Job


app = typer.Typer(
    help="Learn, without labels, what things look like once nothing has moved, turned or stretched them.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(look.app)


@app.command()
def demo(
    series: Annotated[bool, typer.Option("--series", help="Unwarp the series of Trace instead of digits.")] = False,
    out: Out = None,
    config: Config = None,
    set: Set = None,
    steps: Steps = None,
    seed: Seed = 0,
    device: Where = Device.auto,
    precision: Precision = PrecisionName.no,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Unwarp 5,000 real digits (Affine MNIST), or 100 transients (Trace), with and without a warp; write a report."""
    from unwarp.app.job import Job
    from unwarp.planning import overrides

    name, most, size = ("trace", 800, 20) if series else ("affine-mnist", 1200, 128)
    recipe = overrides.recipe(name, config, set or [])
    job = Job(name, recipe, "auto", "auto", steps or most, None, seed, device.value, precision.value, batch_size=size)
    _begin(job, out or Path("runs") / ("series" if series else "demo"), json, quiet)


@app.command()
def fit(
    source: Source,
    out: Out = None,
    config: Config = None,
    set: Set = None,
    warp: Warp = "auto",
    domain: Domain = DomainName.auto,
    missing: Missing = MissingName.error,
    scale: Scale = ScaleName.auto,
    sampling_rate: SamplingRate = None,
    steps: Steps = None,
    seconds: Seconds = None,
    seed: Seed = 0,
    device: Where = Device.auto,
    precision: Precision = PrecisionName.no,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn from your own data; prints what it found and what it chose, and writes a report."""
    from unwarp.app.inspection import found
    from unwarp.app.job import Job
    from unwarp.planning import overrides

    if not quiet:
        say(found(source))
    recipe = overrides.recipe(source, config, set or [], domain.value)
    place = Path(source).resolve()
    name = str(place) if place.exists() else source
    job = Job(name, recipe, warp, domain.value, steps, seconds, seed, device.value, precision.value)
    job = replace(job, missing=missing.value, scale=scale.value, sampling_rate=sampling_rate)
    _begin(job, out or Path("runs") / (place.stem or "data"), json, quiet)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="A run folder.")], json: Json = False, quiet: Quiet = False
) -> None:
    """Go on with a run that was stopped, from where it stands."""
    _execute(run, json, quiet)


@app.command()
def evaluate(
    model: ModelFolder,
    source: Source,
    draws: Annotated[int, typer.Option(help="Draws a sample for log p(x) of a VAE; 0 for none.", min=0)] = 0,
    device: Where = Device.auto,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a model on data: every score that the data allows; the others with what they miss."""
    from unwarp.app.inspection import judge

    report = judge(model_folder(model), source, device.value, draws)
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
    model: ModelFolder,
    source: Source,
    out: Annotated[Path, typer.Option("--out", "-o", help="An .npz file.")] = Path("aligned.npz"),
    device: Where = Device.auto,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Undo the deformation of each sample; writes aligned samples, templates and deformations."""
    from unwarp.app.exports import write_aligned

    n = write_aligned(model_folder(model), source, out, device.value)
    finish({"samples": n, "file": str(out)}, f"{n:,} aligned samples in {out}", json, quiet)


@app.command()
def embed(
    model: ModelFolder,
    source: Source,
    out: Annotated[Path, typer.Option("--out", "-o", help="A .csv file.")] = Path("embedding.csv"),
    device: Where = Device.auto,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write content codes, cluster and deformation of each sample as a table."""
    from unwarp.app.exports import write_embedding

    n = write_embedding(model_folder(model), source, out, device.value)
    finish({"samples": n, "file": str(out)}, f"codes of {n:,} samples in {out}", json, quiet)


@app.command()
def info(
    model: Annotated[Path | None, typer.Argument(help="A model folder, a run folder, or nothing.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what a model is, or which warps, recipes and data sets there are."""
    from unwarp.app.inspection import describe_model, inventory

    facts = describe_model(model_folder(model)) if model else inventory()
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:12} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"unwarp {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    plugin: Annotated[list[str] | None, typer.Option(help="A module of yours to import; repeat for more.")] = None,
) -> None:
    for name in plugin or ():
        sys.path.append(str(Path.cwd()))
        try:
            import_module(name)
        except ImportError as error:
            raise ConfigError(
                f"--plugin {name} cannot be imported: {error}; install it, or go to its folder"
            ) from error


def _begin(job: Job, out: Path, json: bool, quiet: bool) -> None:
    from unwarp.app.job import start_job

    start_job(job, out)
    _execute(out, json, quiet)


def _execute(folder: Path, json: bool, quiet: bool) -> None:
    """Run the job of a folder to its report; an interrupt leaves it resumable."""
    from unwarp.app.job import load_job
    from unwarp.app.report.page import write
    from unwarp.app.run import execute
    from unwarp.training.progress import Progress

    bound = load_job(folder).seconds
    try:
        outcome = execute(
            folder,
            (lambda words: None) if quiet else say,
            lambda name: () if quiet else (Progress(name, seconds=bound),),
        )
    except KeyboardInterrupt:
        say(f"stopped; go on with: unwarp resume {folder}")
        raise typer.Exit(130) from None
    if not quiet:
        say("drawing the report")
    page = write(outcome, folder)
    scores = {name: dict(trial.report.scores) for name, trial in outcome.trials.items()}
    if not (json or quiet):
        _show(scores)
    finish({"report": str(page), "scores": scores}, f"report: {page}", json, quiet)


def _show(scores: dict[str, dict[str, float]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*("held-out samples", *scores), box=None, header_style="bold")
    for name in (name for name in next(iter(scores.values())) if not name.startswith("at_bounds_")):
        cells = (f"{column[name]:.4g}" if name in column else "" for column in scores.values())
        table.add_row(name, *cells)
    Console(stderr=True).print(table)


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
