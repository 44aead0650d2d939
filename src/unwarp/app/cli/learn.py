"""The commands that learn a model: `unwarp demo | fit | resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    QuietOption,
    SeedOption,
    SourceArgument,
    finish,
    say,
)
from unwarp.core import MissingPolicy, Precision, ScaleName

if TYPE_CHECKING:
    from unwarp.app.parts import Parts

app = typer.Typer()

OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder of the run; runs/NAME by default.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(help="YAML or JSON file with recipe fields.", exists=True, dir_okay=False),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="One recipe field, as key=value or key.sub=value.")
]
StepsOption = Annotated[
    int | None, typer.Option(help="Training steps; by default what suits the data.", min=1)
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="Mixed precision in training; no for float32.")
]
SeriesOption = Annotated[
    bool, typer.Option("--series", help="Unwarp the series of Trace instead of digits.")
]
WarpOption = Annotated[
    str, typer.Option(help="auto, affine, similarity, time, displacement+affine, identity, ...")
]
DomainOption = Annotated[
    str, typer.Option(help="What the samples are: auto, image, series, or the domain of a plugin.")
]
MissingOption = Annotated[
    MissingPolicy,
    typer.Option(help="Gaps in series: refuse, fill by a line, or learn from the rest."),
]
ScaleOption = Annotated[
    ScaleName, typer.Option(help="Series to one scale, by channel, or each series by its own.")
]
RateOption = Annotated[
    float | None, typer.Option(help="Samples a second of series, for lags in seconds.", min=1e-9)
]
SecondsOption = Annotated[
    float | None, typer.Option(help="Bound on each of the two trainings.", min=1)
]


@app.command()
def demo(
    series: SeriesOption = False,
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
    settings = {
        "max_steps": steps or most,
        "random_state": seed,
        "device": device,
        "precision": precision,
    }
    request = _request(config, set)
    folder = out or Path("runs", "series" if series else "demo")
    _start(name, request, {**settings, "batch_size": size}, folder, json, quiet)


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
    sampling_rate: RateOption = None,
    steps: StepsOption = None,
    seconds: SecondsOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "no",
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn from your own data; prints what it found and what it chose, and writes a report."""
    reading = {"domain": domain, "missing": missing, "scale": scale, "sampling_rate": sampling_rate}
    training = {"max_steps": steps, "max_seconds": seconds, "random_state": seed}
    settings = {**reading, **training, "device": device, "precision": precision}
    path = Path(source).expanduser().resolve()
    name, folder = str(path) if path.exists() else source, out or Path("runs", path.stem or "data")
    _start(name, {"warp": warp, **_request(config, set)}, settings, folder, json, quiet)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Go on with a run that was stopped, from where it stands."""
    _execute(run, json, quiet)


def _request(config: Path | None, settings: list[str] | None) -> dict[str, Any]:
    """Fields of the `Request`: those of the recipe that a user sets."""
    from unwarp.planning.overrides import parse_overrides

    return {"overrides": parse_overrides(config, settings or [])}


def _start(
    source: str,
    request: dict[str, Any],
    settings: dict[str, Any],
    folder: Path,
    json: bool,
    quiet: bool,
) -> None:
    """Open the samples, start a job in a new folder, and run it.

    Args:
        source: A path, or the name of a data set.
        request: Fields of the `Request`.
        settings: Further arguments of `Unwarper`.
        folder: The run folder.
        json: Whether to print the result as JSON.
        quiet: Whether to print nothing else.
    """
    from unwarp.app.job import Job, start_job
    from unwarp.app.parts import open_parts
    from unwarp.planning.plan import Request

    job = Job(source, Request(**request), settings)
    parts = open_parts(source, job.make_estimator())
    if not quiet:
        n = len(parts.training) + len(parts.test)
        say(f"{parts.listed.name}: {parts.listed.description or f'a data set of {n:,} samples'}")
    start_job(job, folder)
    _execute(folder, json, quiet, parts)


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
