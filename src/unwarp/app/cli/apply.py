"""The commands that apply a model to data: `evaluate`, `align` and `embed`."""

from __future__ import annotations

from typing import Annotated

import typer

from unwarp.app.cli.messages import print_json, print_result, say
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    LayoutOption,
    ModelArgument,
    QuietOption,
    ShapeOption,
    SizesOption,
    SourcesArgument,
    command,
    model_folder,
    one_source,
    picture_hints,
)
from unwarp.app.inventory import check_source
from unwarp.disk.paths import absolute

app = typer.Typer()

DrawsOption = Annotated[
    int,
    typer.Option(
        help="Number of importance samples per sample, to estimate log p(x) of a VAE; 0 leaves "
        "log p(x) out.",
        min=0,
    ),
]

OtherOption = Annotated[
    str | None,
    typer.Option(
        help="Data to align instead, which belong to the samples in their order: masks, class "
        "numbers (integers take the nearest), another resolution, or series of another rate or "
        "with times of their own.",
        metavar="SOURCE",
        callback=lambda source: None if source is None else check_source(source),
    ),
]
ToOption = Annotated[
    str | None,
    typer.Option(
        help="Sample to which all are aligned, instead of the template: its name, its number from "
        "0, or a file of one sample.",
        metavar="NAME|NUMBER|FILE",
    ),
]
CountsOption = Annotated[
    bool,
    typer.Option(
        "--counts",
        help="Series that count events in bins of time: their sums stay, whole numbers too.",
    ),
]
RowsOption = Annotated[
    int | None,
    typer.Option(help="Number of samples in a part of a folder that is written in parts.", min=1),
]
ModesOption = Annotated[
    bool,
    typer.Option(
        "--modes",
        help="Write all poses that explain a sample instead, a row for each, with their weights, "
        "as a .csv file.",
    ),
]


@command(app)
def evaluate(
    model: ModelArgument,
    source: SourcesArgument,
    draws: DrawsOption = 0,
    layout: LayoutOption = "auto",
    sizes: SizesOption = None,
    image_shape: ShapeOption = None,
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
        layout: Order of the axes of images.
        sizes: How to bring images of several sizes to one; None for that of the model.
        image_shape: Shape of images that are rows of a table; None for that of the model.
        device: Device to compute on.
        as_json: Whether to print the scores as JSON.
        quiet: Whether to hide the scores that cannot be computed.
    """
    from unwarp.app.inspection import evaluate_folder

    hints = picture_hints(layout, sizes, image_shape)
    report = evaluate_folder(model_folder(model), one_source(source), device, draws, hints)
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
    other: OtherOption = None,
    to: ToOption = None,
    counts: CountsOption = False,
    rows_per_part: RowsOption = None,
    layout: LayoutOption = "auto",
    sizes: SizesOption = None,
    image_shape: ShapeOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Undo the deformation of each sample.

    A folder gets a file for each file that was read, of the same name, format, type and size. An
    .npz file gets aligned samples, templates and deformations; any other file the aligned samples.

    With --other, the deformations of the samples are undone in other data of the same things, such
    as masks, another resolution or events counted at another rate, and these are written in their
    own form.

    Of shards ('unwarp data make'), a folder gets aligned shards, written one after the other. After
    an interruption, the same command goes on.

    Args:
        model: Folder of a model or of a run.
        source: Paths, a pattern, or the name of a built-in data set.
        out: Folder or file to write.
        other: Data that are moved instead of the samples; None for the samples.
        to: The sample to which all are aligned: its name, its number or a file; None for the
            template.
        counts: Whether the series count events.
        rows_per_part: Number of samples in an aligned shard; None for about 64 MiB of them.
        layout: Order of the axes of images.
        sizes: How to bring images of several sizes to one; None for that of the model.
        image_shape: Shape of images that are rows of a table; None for that of the model.
        device: Device to compute on.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.exports import write_aligned

    tell = (lambda line: None) if quiet else say
    hints = picture_hints(layout, sizes, image_shape)
    n = write_aligned(
        model_folder(model),
        one_source(source),
        out,
        device,
        tell,
        hints,
        other=None if other is None else absolute(other),
        to=to,
        counts=counts,
        rows_per_part=rows_per_part,
    )
    message = f"wrote {n:,} aligned samples to {out}"
    print_result({"samples": n, "file": str(out)}, message, as_json, quiet)


@command(app)
def embed(
    model: ModelArgument,
    source: SourcesArgument,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="File to write, .csv; or folder for a table in parts, of any length.",
        ),
    ] = "embedding.csv",
    modes: ModesOption = False,
    rows_per_part: RowsOption = None,
    layout: LayoutOption = "auto",
    sizes: SizesOption = None,
    image_shape: ShapeOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write content codes, clusters and deformations as a table.

    The table has one row for each sample; with --modes, one for each pose that explains it.

    A folder gets the table in parts, written one after the other: Parquet files if pyarrow is
    installed ('unwarp[parquet]'), else .npy files. After an interruption, the same command goes on.

    Args:
        model: Folder of a model or of a run.
        source: Paths, a pattern, or the name of a built-in data set.
        out: File to write, `.csv`, or folder.
        modes: Whether to write all poses instead.
        rows_per_part: Number of samples in a part of the table; None for about 64 MiB of them.
        layout: Order of the axes of images.
        sizes: How to bring images of several sizes to one; None for that of the model.
        image_shape: Shape of images that are rows of a table; None for that of the model.
        device: Device to compute on.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.exports import write_embedding, write_modes

    tell = (lambda line: None) if quiet else say
    hints = picture_hints(layout, sizes, image_shape)
    write = write_modes if modes else write_embedding
    n = write(model_folder(model), one_source(source), out, device, tell, hints, rows_per_part)
    message = f"wrote the {'poses' if modes else 'codes'} of {n:,} samples to {out}"
    print_result({"samples": n, "file": str(out)}, message, as_json, quiet)
