"""The commands that learn a model: `demo`, `fit` and `resume`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unwarp.app.cli.learn_options import (
    BatchSizeOption,
    ClustersOption,
    ConfigOption,
    ContentOption,
    DivergenceOption,
    DomainOption,
    FastOption,
    LabelsOption,
    MissingOption,
    OutOption,
    PrecisionOption,
    RefineOption,
    ScaleOption,
    SecondsOption,
    SeriesOption,
    SetOption,
    StartOption,
    StepsOption,
    TrackOption,
    ValidationOption,
    WarpOption,
    WorkingSizeOption,
)
from unwarp.app.cli.messages import print_result, say, with_options_here
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    QuietOption,
    SeedOption,
    SourcesArgument,
    command,
    one_source,
)
from unwarp.app.cli.reading_options import DEFAULT_READING, ReadingOptions
from unwarp.disk.paths import is_pattern
from unwarp.launch import is_first_process
from unwarp.ranges import check_arguments

if TYPE_CHECKING:
    from unwarp.app.job import Job
    from unwarp.app.outcome import Outcome
    from unwarp.app.parts import Parts
    from unwarp.training.callbacks import Callback

app = typer.Typer()

RUNS = Path("runs")
"""Folder that holds the folders of runs without `--out`."""

TITLES = {"warped": "with warp", "baseline": "without warp"}
"""Words for the two models of a run."""


@command(app)
def demo(
    series: SeriesOption = False,
    out: OutOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    max_steps: StepsOption = None,
    random_state: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "no",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn from real example data and write a report.

    Trains a model with a warp and a baseline without one, on 5,000 images of digits (Affine MNIST)
    or on 100 time series (Trace).

    Args:
        series: Whether to use time series instead of digits.
        out: Folder for the run; None for `runs/demo` or `runs/series`.
        config: File with fields of the recipe.
        settings: Fields of the recipe, as `field=value`; they take precedence over the file.
        max_steps: Number of training steps; None for 1,200 with digits and 800 with series.
        random_state: Seed of all random numbers.
        device: Device to compute on.
        precision: Mixed precision in training.
        as_json: Whether to print the result as JSON.
        quiet: Whether to hide progress and closing messages.
    """
    source, default_steps, batch_size = (
        ("trace", 800, 20) if series else ("affine-mnist", 1200, 128)
    )
    arguments = {
        "max_steps": max_steps or default_steps,
        "random_state": random_state,
        "device": device,
        "precision": precision,
        "batch_size": batch_size,
    }
    request = _request_fields(config, settings)
    folder = out or RUNS / ("series" if series else "demo")
    _start(source, request, arguments, folder, as_json, quiet)


@command(app)
def fit(
    source: SourcesArgument,
    out: OutOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    warp: WarpOption = "auto",
    content: ContentOption = "auto",
    clusters: ClustersOption = "auto",
    refine: RefineOption = "auto",
    fast: FastOption = False,
    labels: LabelsOption = "ignore",
    domain: DomainOption = "auto",
    missing: MissingOption = "error",
    scale: ScaleOption = "auto",
    working_size: WorkingSizeOption = "auto",
    reading: ReadingOptions = DEFAULT_READING,
    max_steps: StepsOption = None,
    max_seconds: SecondsOption = None,
    validation_fraction: ValidationOption = None,
    batch_size: BatchSizeOption = None,
    random_state: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "no",
    start: StartOption = "auto",
    on_divergence: DivergenceOption = "stop",
    track: TrackOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn from your own data and write a report.

    Trains a model with a warp and a baseline without one, and compares them on held-out samples. If
    the warp does not help, the last line says what to try first. Ctrl-C or SIGTERM stops a run;
    'unwarp resume' continues it.

    Args:
        source: Paths, a pattern, or the name of a built-in data set.
        out: Folder for the run; None for `runs/` and the name of the source.
        config: File with fields of the recipe.
        settings: Fields of the recipe, as `field=value`; they take precedence over the file.
        warp: Names of warps, joined by a plus sign, or `auto`.
        content: Origin of the content codes, or `auto`.
        clusters: Way to form clusters, or `auto`.
        refine: Refinement of learned deformations, or `auto`.
        fast: Whether a network predicts elastic codes of series.
        labels: Use of labels: `ignore` or `choose`.
        domain: Name of the domain, or `auto`.
        missing: Treatment of missing values of series.
        scale: Scaling of values.
        working_size: Size at which the model learns.
        reading: How samples are read.
        max_steps: Number of training steps; None to choose it from the data.
        max_seconds: Longest time of each of the two trainings, in seconds; None for no limit.
        validation_fraction: Share of the training samples to hold out; None for none.
        batch_size: Samples in a training step; None for 64 images or 20 series.
        random_state: Seed of all random numbers.
        device: Device to compute on.
        precision: Mixed precision in training.
        start: First estimate of the pose, or `auto`.
        on_divergence: Reaction to a training that diverges: `stop` or `rollback`.
        track: Names of trackers that also log the trainings.
        as_json: Whether to print the result as JSON.
        quiet: Whether to hide progress and closing messages.
    """
    samples = {
        "domain": domain,
        "missing": missing,
        "scale": scale,
        "working_size": _working_size(working_size),
        **reading.arguments(),
    }
    training: dict[str, Any] = {
        "max_steps": max_steps,
        "max_seconds": max_seconds,
        "random_state": random_state,
    }
    if clusters != "auto":
        training["clusters"] = clusters
    if refine != "auto":
        training["refine"] = refine
    if labels != "ignore":
        training["labels"] = labels
    if validation_fraction is not None:
        training["validation_fraction"] = validation_fraction
    if batch_size is not None:
        training["batch_size"] = batch_size
    means = {"device": device, "precision": precision, "on_divergence": on_divergence}
    request = {"warp": warp, "start": start, "content": content, "fast": fast}
    request |= _request_fields(config, settings)
    arguments, folder = samples | training | means, out or _run_folder(source)
    _start(one_source(source), request, arguments, folder, as_json, quiet, track or ())


@command(app)
def resume(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    track: TrackOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Continue a run that was interrupted.

    The result is the same as that of a run without interruption.

    Args:
        run: Folder of the run.
        track: Names of trackers that also log the trainings, those of the run so far included.
        as_json: Whether to print the result as JSON.
        quiet: Whether to hide progress and closing messages.
    """
    _execute(run, as_json, quiet, track=track or ())


def _run_folder(sources: list[str]) -> Path:
    """The folder of a run, named after its source; after the folder of several files."""
    path = Path(sources[0]).expanduser().resolve()
    path = path if len(sources) == 1 and not is_pattern(sources[0]) else path.parent
    return RUNS / (path.stem or "data")


def _working_size(text: str) -> str | int | list[int] | None:
    """The working size that a user writes; a text that is none is left to the range check."""
    if text == "full":
        return None
    sides = text.lower().split("x")
    if not all(side.isascii() and side.isdigit() for side in sides) or len(sides) > 2:
        return text
    numbers = [int(side) for side in sides]
    return numbers if len(numbers) == 2 else numbers[0]


def _request_fields(config: Path | None, settings: list[str] | None) -> dict[str, Any]:
    """The argument `overrides` of `Request`: the recipe fields that the user sets.

    Args:
        config: File with fields of the recipe; None for none.
        settings: Fields as `field=value`, which take precedence over the file; None for none.
    """
    from unwarp.planning.overrides import parse_overrides

    return {"overrides": parse_overrides(config, settings or [])}


def _start(
    source: str,
    request: dict[str, Any],
    settings: dict[str, Any],
    folder: Path,
    as_json: bool,
    quiet: bool,
    track: Sequence[str] = (),
) -> None:
    """Open the samples, start a job in a new folder, and run it.

    Args:
        source: A path, or the name of a data set.
        request: Arguments of `Request` by name: the warp and the overrides of the recipe.
        settings: Further arguments of `Unwarper` by name.
        folder: The run folder.
        as_json: Whether to print the result as JSON.
        quiet: Whether to hide progress and closing messages.
        track: Names of trackers.
    """
    from unwarp.app.job import Job, check_run_folder, start_job
    from unwarp.app.parts import open_parts
    from unwarp.app.trackers import check_trackers
    from unwarp.planning.plan import Request
    from unwarp.storage.files import expand, make_folder
    from unwarp.storage.folders import hold_folder

    check_arguments(settings)
    check_trackers(track)
    job = Job(source, Request(**request), settings)
    parts = open_parts(source, job.make_estimator())
    if not is_first_process():
        return _follow(folder, job, parts)
    if not quiet:
        n = len(parts.training) + len(parts.test)
        say(f"{parts.listed.name}: {parts.listed.description or f'a data set of {n:,} samples'}")
    folder = expand(folder)
    check_run_folder(job, folder)
    make_folder(folder)
    with hold_folder(folder):  # so that no other job can start before this one runs
        start_job(job, folder)
        _execute(folder, as_json, quiet, parts, track)


def _execute(
    folder: Path,
    as_json: bool,
    quiet: bool,
    parts: Parts | None = None,
    track: Sequence[str] = (),
) -> None:
    """Run the job of a folder, write its report and print the result.

    Args:
        folder: The run folder.
        as_json: Whether to print the result as JSON.
        quiet: Whether to hide progress and closing messages.
        parts: The samples of the job, if they are already read; None to read them.
        track: Names of trackers.

    Raises:
        typer.Exit: The user has interrupted the run, which can then be continued.
    """
    from unwarp.app.job import load_job
    from unwarp.storage.files import expand
    from unwarp.storage.folders import hold_folder
    from unwarp.training.interrupts import terminate_as_interrupt

    folder = expand(folder)
    if not is_first_process():
        return _follow(folder, load_job(folder))
    try:
        with terminate_as_interrupt(), hold_folder(folder):
            outcome, page = _train_and_report(folder, quiet, parts, track)
    except KeyboardInterrupt:
        say(f"stopped; continue with: unwarp resume {folder}")
        raise typer.Exit(130) from None
    from unwarp.app.report.checks import advice  # it imports matplotlib

    scores = {name: dict(model.report.scores) for name, model in outcome.scored_models.items()}
    if not (as_json or quiet):
        _print_scores(outcome)
    line = with_options_here(advice(outcome))
    if line and not quiet:
        say(line)
    record = {"report": str(page), "scores": scores, "advice": line or None}
    print_result(record, f"report: {page}", as_json, quiet)


def _follow(folder: Path, job: Job, parts: Parts | None = None) -> None:
    """Train along with the first of several processes, and print nothing.

    Args:
        folder: The run folder, which that process writes.
        job: The job of the run.
        parts: The samples of the job, if they are already read; None to read them.

    Raises:
        typer.Exit: The user has interrupted the run.
    """
    from unwarp.app.run import follow
    from unwarp.training.interrupts import terminate_as_interrupt

    try:
        with terminate_as_interrupt():
            follow(folder, job, parts)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _train_and_report(
    folder: Path, quiet: bool, parts: Parts | None, track: Sequence[str]
) -> tuple[Outcome, Path]:
    """Run the job of a folder and write its report; return both models and the page."""
    from unwarp.app.job import load_job
    from unwarp.app.report.page import write_report
    from unwarp.app.run import execute
    from unwarp.app.trackers import check_trackers, make_trackers
    from unwarp.training.progress import Progress

    check_trackers(track)
    seconds = load_job(folder).max_seconds

    def observers(name: str) -> tuple[Callback, ...]:
        bars = () if quiet else (Progress(TITLES[name], seconds=seconds),)
        return (*bars, *make_trackers(track, folder, name))

    tell: Callable[[str], None] = (lambda message: None) if quiet else say
    outcome = execute(folder, tell, observers, parts)
    tell("writing the report")
    return outcome, write_report(outcome, folder)


def _print_scores(outcome: Outcome) -> None:
    """Print the scores of both models on standard error, in the words of the report."""
    from rich.console import Console
    from rich.table import Table

    from unwarp.app.report.presentation import presentation
    from unwarp.app.report.scores import score_table

    scores = score_table(outcome, presentation(outcome).scores)
    n_columns = 1 + len(outcome.scored_models)
    head = ("scores of held-out samples", *scores.head[1:n_columns])
    table = Table(*head, box=None, header_style="bold")
    for row in scores.rows:
        table.add_row(*row[:n_columns])
    Console(stderr=True).print(table)
