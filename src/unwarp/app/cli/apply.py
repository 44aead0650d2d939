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
    SourcesArgument,
    command,
    model_folder,
    one_source,
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
    source: SourcesArgument,
    draws: DrawsOption = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score a model on data.

    Prints every score that can be computed, and what is missing for all other scores.

    Args:
        model: Folder of a model or of a run.
        source: Paths, a pattern, or the name of a built-in data set.
        draws: Number of importance samples per sample, to estimate log p(x) of a VAE; 0 leaves
            log p(x) out.
        device: Device to compute on.
        as_json: Whether to print the scores as JSON.
        quiet: Whether to hide the scores that cannot be computed.
    """
    from unwarp.app.inspection import evaluate_folder

    report = evaluate_folder(model_folder(model), one_source(source), device, draws)
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
    source: SourcesArgument,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="Folder for files of the same names, or a file: .npz, .npy, .tif, .gif, .h5, ...",
        ),
    ] = "aligned.npz",
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Undo the deformation of each sample.

    A folder gets a file for each file that was read, of the same name, format, type and size. An
    .npz file gets aligned samples, templates and deformations; any other file the aligned samples.

    Args:
        model: Folder of a model or of a run.
        source: Paths, a pattern, or the name of a built-in data set.
        out: Folder or file to write.
        device: Device to compute on.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.exports import write_aligned

    tell = (lambda line: None) if quiet else say
    n = write_aligned(model_folder(model), one_source(source), out, device, tell)
    message = f"wrote {n:,} aligned samples to {out}"
    print_result({"samples": n, "file": str(out)}, message, as_json, quiet)


@command(app)
def embed(
    model: ModelArgument,
    source: SourcesArgument,
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
        source: Paths, a pattern, or the name of a built-in data set.
        out: File to write, `.csv`.
        device: Device to compute on.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.exports import write_embedding

    tell = (lambda line: None) if quiet else say
    n = write_embedding(model_folder(model), one_source(source), out, device, tell)
    message = f"wrote the codes of {n:,} samples to {out}"
    print_result({"samples": n, "file": str(out)}, message, as_json, quiet)
