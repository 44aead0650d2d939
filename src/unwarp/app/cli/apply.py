"""The commands that apply a model to data: `evaluate`, `align` and `embed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unwarp.app.cli.messages import print_json, print_result, say
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    ModelArgument,
    QuietOption,
    SourceArgument,
    command,
    model_folder,
)

app = typer.Typer()

DrawsOption = Annotated[
    int,
    typer.Option(
        help="Number of importance samples per sample, to estimate log p(x) of a VAE; 0 leaves "
        "log p(x) out.",
        min=0,
    ),
]


@command(app)
def evaluate(
    model: ModelArgument,
    source: SourceArgument,
    draws: DrawsOption = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score a model on data.

    Prints every score that can be computed, and what is missing for all other scores.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        draws: Number of importance samples per sample, to estimate log p(x) of a VAE; 0 leaves
            log p(x) out.
        device: Device to compute on.
        as_json: Whether to print the scores as JSON.
        quiet: Whether to hide the scores that cannot be computed.
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
