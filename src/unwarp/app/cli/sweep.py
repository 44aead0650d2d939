"""The command that tries values of the recipe: `sweep`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unwarp.app.cli.learn_options import (
    ConfigOption,
    DomainOption,
    MissingOption,
    PrecisionOption,
    ScaleOption,
    SetOption,
    StepsOption,
    WarpOption,
)
from unwarp.app.cli.messages import print_result, say
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    QuietOption,
    SeedOption,
    SourcesArgument,
    command,
    existing_file,
    one_source,
)
from unwarp.app.cli.reading_options import DEFAULT_READING, ReadingOptions
from unwarp.ranges import check_arguments

if TYPE_CHECKING:
    from unwarp.estimators.sweep import SweepResult

app = typer.Typer()

OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder of the sweep.")]
TrialsOption = Annotated[
    int,
    typer.Option(
        "--trials", help="Number of finished trials, those of earlier calls included.", min=1
    ),
]
WorkersOption = Annotated[
    int, typer.Option(help="Number of processes on this computer that try values.", min=1, max=256)
]
SpaceOption = Annotated[
    Path | None,
    typer.Option(
        help="YAML or JSON file with the values to try, by recipe field.",
        parser=existing_file,
        metavar="FILE",
    ),
]
HeldOutOption = Annotated[
    float | None,
    typer.Option("--held-out", help="Share of the samples to hold out; by default a fifth."),
]


@command(app)
def sweep(
    source: SourcesArgument,
    out: OutOption,
    n_trials: TrialsOption = 20,
    workers: WorkersOption = 1,
    space: SpaceOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    warp: WarpOption = "auto",
    domain: DomainOption = "auto",
    missing: MissingOption = "error",
    scale: ScaleOption = "auto",
    reading: ReadingOptions = DEFAULT_READING,
    max_steps: StepsOption = None,
    validation_fraction: HeldOutOption = None,
    random_state: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "no",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Try values of the recipe, and write the best one.

    Each trial trains a model and measures how well it describes held-out samples, without labels.
    Another call with the same folder, also on another computer that shares the disk, joins the
    sweep or continues it. The best recipe is for 'unwarp fit --config OUT/best.yaml'.

    Args:
        source: Paths, a pattern, or the name of a built-in data set.
        out: Folder of the sweep.
        n_trials: Number of finished trials, those of earlier calls included.
        workers: Number of processes.
        space: File with the values to try; None for a space that suits the recipe.
        config: File with fields of the recipe.
        settings: Fields of the recipe, as `field=value`; they take precedence over the file.
        warp: Names of warps, joined by a plus sign, or `auto`.
        domain: Name of the domain, or `auto`.
        missing: Treatment of missing values of series.
        scale: Scaling of values.
        reading: How samples are read.
        max_steps: Number of training steps of a trial; None to choose it from the data.
        validation_fraction: Share of the samples to hold out; None for a fifth.
        random_state: Seed of all random numbers.
        device: Device to compute on.
        precision: Mixed precision in training.
        as_json: Whether to print the result as JSON.
        quiet: Whether to hide progress and closing messages.
    """
    arguments: dict[str, Any] = {
        "warp": warp,
        "domain": domain,
        "missing": missing,
        "scale": scale,
        **reading.arguments(),
        "max_steps": max_steps,
        "validation_fraction": validation_fraction,
        "random_state": random_state,
        "device": device,
        "precision": precision,
    }
    check_arguments(arguments)
    from unwarp.training.interrupts import terminate_as_interrupt  # it imports torch

    job = {"n_trials": n_trials, "space": space, "folder": out}
    try:
        with terminate_as_interrupt(), _workers(workers - 1):
            result = _run(one_source(source), job, arguments, (config, settings), quiet)
    except KeyboardInterrupt:
        say("stopped; continue with the same command")
        raise typer.Exit(130) from None
    record = {"best": result.best, "length": result.length, "trials": len(result.table)}
    record["config"] = str(out / "best.yaml")
    message = f"{result}unwarp fit DATA --config {out / 'best.yaml'}"
    print_result(record, message, as_json, quiet)


def _run(
    source: str,
    job: dict[str, Any],
    arguments: dict[str, Any],
    fields: tuple[Path | None, list[str] | None],
    quiet: bool,
) -> SweepResult:
    """Open the samples, and work on the trials of a sweep.

    Args:
        source: A path, or the name of a data set.
        job: Number of trials, file of the space, and folder.
        arguments: Arguments of `Unwarper` by name.
        fields: File with fields of the recipe, and fields as `field=value`.
        quiet: Whether to hide progress.
    """
    from unwarp.app.parts import open_source
    from unwarp.estimators.search_space import read_space
    from unwarp.estimators.sweep import sweep as run_sweep
    from unwarp.estimators.unwarper import Unwarper
    from unwarp.planning.overrides import parse_overrides

    overrides = parse_overrides(fields[0], fields[1] or [])
    estimator = Unwarper(**arguments, overrides=overrides)
    job["space"] = read_space(job["space"]) if job["space"] else None
    samples = open_source(source, "train", estimator)
    return run_sweep(samples, estimator, **job, on_message=None if quiet else say)


@contextmanager
def _workers(n: int) -> Iterator[None]:
    """Context with `n` further processes that run the same command on the same folder.

    They end by themselves when the sweep has enough trials; after an error they are stopped.
    """
    words = [sys.executable, "-m", "unwarp", *sys.argv[1:], "--workers", "1", "--quiet"]
    processes = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(n)]
    try:
        yield
    except BaseException:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.wait()
