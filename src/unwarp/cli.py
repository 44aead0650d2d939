"""The command line: `unwarp demo | fit | resume | evaluate | align | embed | info`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unwarp._version import __version__

if TYPE_CHECKING:
    from unwarp.runs import Job

app = typer.Typer(
    help="Learn, without labels, what things look like once nothing has moved, turned or stretched them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class KindName(StrEnum):
    """How samples are read."""

    auto = "auto"
    image = "image"
    series = "series"


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.")]
Config = Annotated[Path | None, typer.Option(help="YAML or JSON file with recipe fields.", exists=True, dir_okay=False)]
Set = Annotated[list[str] | None, typer.Option("--set", help="One recipe field, as key=value or key.sub=value.")]
Warp = Annotated[str, typer.Option(help="auto, affine, similarity, displacement+affine, identity, ...")]
Kind = Annotated[KindName, typer.Option(help="How to read the samples.")]
Steps = Annotated[int | None, typer.Option(help="Training steps; by default what suits the data.", min=1)]
Seconds = Annotated[float | None, typer.Option(help="Bound on each of the two trainings.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Where = Annotated[Device, typer.Option(help="Where to compute.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result.")]
Source = Annotated[str, typer.Argument(help="A folder of images, a .npy or .npz file, or a built-in data set.")]
ModelFolder = Annotated[Path, typer.Argument(help="A model folder, or a run folder that holds model/.")]


@app.command()
def demo(
    out: Out = Path("runs/demo"),
    config: Config = None,
    set: Set = None,
    steps: Steps = None,
    seed: Seed = 0,
    device: Where = Device.auto,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Unwarp 5,000 real digits (Affine MNIST), with and without a warp, and write a report."""
    from unwarp.runs import Job

    recipe = _recipe("affine-mnist", config, set or [])
    job = Job("affine-mnist", recipe, steps=steps or 1200, seed=seed, device=device.value, batch_size=128)
    _begin(job, out, json, quiet)


@app.command()
def fit(
    source: Source,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run; runs/NAME by default.")] = None,
    config: Config = None,
    set: Set = None,
    warp: Warp = "auto",
    kind: Kind = KindName.auto,
    steps: Steps = None,
    seconds: Seconds = None,
    seed: Seed = 0,
    device: Where = Device.auto,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn from your own data; prints what it found and what it chose, and writes a report."""
    from unwarp.runs import Job, found

    if not quiet:
        _say(found(source))
    recipe = _recipe(source, config, set or [])
    place = Path(source).resolve()
    job = Job(str(place) if place.exists() else source, recipe, warp, kind.value, steps, seconds, seed, device.value)
    _begin(job, out or Path("runs") / (place.stem or "data"), json, quiet)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="A run folder.")], json: Json = False, quiet: Quiet = False
) -> None:
    """Go on with a run that was stopped, from where it stands."""
    _execute(run, json, quiet)


@app.command()
def evaluate(
    model: ModelFolder, source: Source, device: Where = Device.auto, json: Json = False, quiet: Quiet = False
) -> None:
    """Score a model on data: every score that the data allows; the others with what they miss."""
    from unwarp.runs import judge

    report = judge(_model_folder(model), source, device.value)
    if json:
        _print_json({"scores": dict(report.scores), "missing": dict(report.missing)})
        return
    for name, value in report.scores.items():
        typer.echo(f"{name:24} {value:.5g}")
    if not quiet:
        for name, needs in report.missing.items():
            _say(f"{name:24} needs {needs}")


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
    from unwarp.runs import write_aligned

    n = write_aligned(_model_folder(model), source, out, device.value)
    _finish({"samples": n, "file": str(out)}, f"{n:,} aligned samples in {out}", json, quiet)


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
    from unwarp.runs import write_embedding

    n = write_embedding(_model_folder(model), source, out, device.value)
    _finish({"samples": n, "file": str(out)}, f"codes of {n:,} samples in {out}", json, quiet)


@app.command()
def info(
    model: Annotated[Path | None, typer.Argument(help="A model folder, a run folder, or nothing.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what a model is, or which warps, recipes and data sets there are."""
    from unwarp.runs import describe_model, inventory

    facts = describe_model(_model_folder(model)) if model else inventory()
    if json:
        _print_json(facts)
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
) -> None:
    pass


def _begin(job: Job, out: Path, json: bool, quiet: bool) -> None:
    from unwarp.runs import start

    start(job, out)
    _execute(out, json, quiet)


def _execute(folder: Path, json: bool, quiet: bool) -> None:
    """Run the job of a folder to its report; an interrupt leaves it resumable."""
    from unwarp import report, runs
    from unwarp.progress import Progress

    try:
        outcome = runs.execute(
            folder, (lambda words: None) if quiet else _say, lambda name: () if quiet else (Progress(name),)
        )
    except KeyboardInterrupt:
        _say(f"stopped; go on with: unwarp resume {folder}")
        raise typer.Exit(130) from None
    if not quiet:
        _say("drawing the report")
    page = report.write(outcome, folder)
    scores = {name: dict(trial.report.scores) for name, trial in outcome.trials.items()}
    if not (json or quiet):
        _show(scores)
    _finish({"report": str(page), "scores": scores}, f"report: {page}", json, quiet)


def _show(scores: dict[str, dict[str, float]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*("held-out samples", *scores), box=None, header_style="bold")
    for name in next(iter(scores.values())):
        cells = (f"{column[name]:.4g}" if name in column else "" for column in scores.values())
        table.add_row(name, *cells)
    Console(stderr=True).print(table)


def _recipe(source: str, config: Path | None, settings: list[str]) -> dict[str, Any] | None:
    """The data's own recipe, changed by a file and by `--set`, checked; None where nothing was asked."""
    import yaml

    from unwarp import models
    from unwarp.checkpoints import describe, restore
    from unwarp.recipes import DIGITS
    from unwarp.types import ConfigError

    if config is None and not settings:
        return None
    try:
        asked = [*_flat(yaml.safe_load(config.read_text()) if config else {})]
        asked += [(key, yaml.safe_load(value)) for key, _, value in (text.partition("=") for text in settings)]
    except yaml.YAMLError as error:
        raise ConfigError(f"{config or settings} is not YAML: {' '.join(str(error).split())}") from None
    if wrong := [text for text in settings if "=" not in text]:
        raise ConfigError(f"--set {wrong[0]!r} is not of the form key=value")
    family = dict(asked).get("family")
    record = describe(models.named(str(family)) if family else DIGITS if source == "affine-mnist" else models.AE())
    for key, value in asked:
        _put(record, key.split("."), value)
    found: dict[str, Any] = describe(restore(record))
    return found


def _flat(record: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of nested mappings as dotted keys; a warp with a family of its own stays whole."""
    from unwarp.types import ConfigError

    if not isinstance(record, dict):
        raise ConfigError("--config must hold fields of a recipe, as 'n_content: 8'")
    for key, value in record.items():
        if isinstance(value, dict) and "family" not in value:
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", value


def _put(record: dict[str, Any], way: list[str], value: Any) -> None:
    """Set one field; a warp given by name becomes that warp, whose fields may then be set."""
    from unwarp import warps
    from unwarp.checkpoints import describe
    from unwarp.types import ConfigError

    for step in way[:-1]:
        record = record.get(step) if isinstance(record, dict) else None  # type: ignore[assignment]
        if not isinstance(record, dict):
            raise ConfigError(f"{'.'.join(way)!r} is no field of the recipe: {step!r} has no parts")
    record[way[-1]] = describe(warps.named(value)) if way[-1] == "warp" and isinstance(value, str) else value


def _model_folder(folder: Path) -> Path:
    return folder / "model" if (folder / "model").is_dir() else folder


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _print_json(record: dict[str, Any]) -> None:
    typer.echo(json.dumps(record, indent=1, default=str))


def _finish(record: dict[str, Any], words: str, as_json: bool, quiet: bool) -> None:
    if as_json:
        _print_json(record)
    elif not quiet:
        typer.echo(words)


def main() -> None:
    """Run the command line; a user's error is one line and exit code 2."""
    try:
        app()
    except Exception as error:
        if "torch" not in sys.modules and "unwarp.types" not in sys.modules:
            raise
        from unwarp.types import UnwarpError

        if not isinstance(error, UnwarpError | OSError):
            raise
        _say(f"unwarp: {error}")
        raise SystemExit(2) from None
