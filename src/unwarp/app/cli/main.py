"""The command line: `unwarp demo | fit | resume | evaluate | align | embed | info`, and the commands of `look`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unwarp._version import __version__
from unwarp.app.cli import look
from unwarp.app.cli.options import (
    ConfigOption,
    DeviceOption,
    DomainOption,
    JsonOption,
    MissingOption,
    ModelArgument,
    OutOption,
    PrecisionOption,
    QuietOption,
    SamplingRateOption,
    ScaleOption,
    SecondsOption,
    SeedOption,
    SetOption,
    SourceArgument,
    StepsOption,
    WarpOption,
    finish,
    mistake,
    model_folder,
    print_json,
    say,
)
from unwarp.app.inventory import inventory
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.app.parts import Parts


app = typer.Typer(
    help="Learn, without labels, what things look like once nothing has moved, turned or stretched them.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(look.app)


@app.command()
def demo(
    series: Annotated[bool, typer.Option("--series", help="Unwarp the series of Trace instead of digits.")] = False,
    out: OutOption = None,
    config: ConfigOption = None,
    set: SetOption = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "no",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Unwarp 5,000 real digits (Affine MNIST), or 100 transients (Trace), with and without a warp; write a report."""
    name, most, size = ("trace", 800, 20) if series else ("affine-mnist", 1200, 128)
    settings = {"max_steps": steps or most, "random_state": seed, "device": device, "precision": precision}
    asked = {"overrides": _overrides(config, set)}
    place = out or Path("runs") / ("series" if series else "demo")
    _start(name, asked, {**settings, "batch_size": size}, place, json, quiet)


@app.command()
def fit(
    source: SourceArgument,
    out: OutOption = None,
    config: ConfigOption = None,
    set: SetOption = None,
    warp: WarpOption = "auto",
    domain: DomainOption = "auto",
    missing: MissingOption = "error",
    scale: ScaleOption = "auto",
    sampling_rate: SamplingRateOption = None,
    steps: StepsOption = None,
    seconds: SecondsOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "no",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn from your own data; prints what it found and what it chose, and writes a report."""
    settings = {
        "domain": domain,
        "missing": missing,
        "scale": scale,
        "sampling_rate": sampling_rate,
        "max_steps": steps,
        "max_seconds": seconds,
        "random_state": seed,
        "device": device,
        "precision": precision,
    }
    place = Path(source).expanduser().resolve()
    name = str(place) if place.exists() else source
    asked = {"warp": warp, "overrides": _overrides(config, set)}
    _start(name, asked, settings, out or Path("runs") / (place.stem or "data"), json, quiet)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="A run folder.")], json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Go on with a run that was stopped, from where it stands."""
    _execute(run, json, quiet)


@app.command()
def evaluate(
    model: ModelArgument,
    source: SourceArgument,
    draws: Annotated[int, typer.Option(help="Draws a sample for log p(x) of a VAE; 0 for none.", min=0)] = 0,
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
    model: Annotated[Path | None, typer.Argument(help="A model folder, a run folder, or nothing.")] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what a model is, or which warps, recipes, data sets, scores and formats there are."""
    facts = _model_facts(model_folder(model)) if model else inventory()
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:12} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")


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


def _overrides(config: Path | None, settings: list[str] | None) -> dict[str, Any]:
    """Fields of the recipe by their dotted names."""
    from unwarp.planning.overrides import parse_overrides

    return parse_overrides(config, settings or [])


def _start(source: str, asked: dict[str, Any], settings: dict[str, Any], out: Path, json: bool, quiet: bool) -> None:
    """Open the samples, start a job in a new folder, and run it.

    Args:
        source: A path, or the name of a data set.
        asked: Fields of the `Request`.
        settings: Further arguments of `Unwarper`.
        out: The run folder.
        json: Whether to print the result as JSON.
        quiet: Whether to print nothing else.
    """
    from unwarp.app.job import Job, start_job
    from unwarp.app.parts import open_parts
    from unwarp.planning.plan import Request

    job = Job(source, Request(**asked), settings)
    parts = open_parts(source, job.seed)
    if not quiet:
        say(f"{source}: {parts.listed.found or 'built-in data set'}")
    start_job(job, out)
    _execute(out, json, quiet, parts)


def _execute(folder: Path, json: bool, quiet: bool, parts: Parts | None = None) -> None:
    """Run the job of a folder to its report; an interrupt leaves it resumable."""
    from unwarp.app.job import load_job
    from unwarp.app.report.page import write
    from unwarp.app.run import execute
    from unwarp.training.progress import Progress

    bound = load_job(folder).max_seconds
    try:
        outcome = execute(
            folder,
            (lambda words: None) if quiet else say,
            lambda name: () if quiet else (Progress(name, seconds=bound),),
            parts,
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
