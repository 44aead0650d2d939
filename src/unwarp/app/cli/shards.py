"""The commands `data make` and `data check`, for large collections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unwarp.app.cli.messages import print_result, say
from unwarp.app.cli.options import (
    JsonOption,
    LayoutOption,
    QuietOption,
    ShapeOption,
    SizesOption,
    SourcesArgument,
    command,
    one_source,
    picture_hints,
)

app = typer.Typer(help="Make and check folders of shards, for collections larger than the memory.")

PartOption = Annotated[
    Literal["train", "test"], typer.Option(help="Part of a built-in data set; paths ignore it.")
]


@command(app)
def make(
    source: SourcesArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="New or empty folder for the shards.")],
    rows_per_shard: Annotated[
        int | None, typer.Option(help="Number of samples in a shard.", min=1)
    ] = None,
    shard_mb: Annotated[
        float, typer.Option(help="Size of a shard in MiB, unless --rows-per-shard is set.")
    ] = 64,
    part: PartOption = "train",
    layout: LayoutOption = "auto",
    sizes: SizesOption = None,
    image_shape: ShapeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write samples as a folder of shards.

    All commands take such a folder as DATA, and never load it as a whole. Images of a folder are
    read shard by shard.

    After an interruption, run the same command again: it keeps the shards that are complete.

    Args:
        source: Paths, a pattern, or the name of a built-in data set.
        out: Folder to write.
        rows_per_shard: Number of samples in a shard; None to decide by the size.
        shard_mb: Size of a shard in MiB.
        part: Part of a built-in data set.
        layout: Order of the axes of images.
        sizes: How to bring images of several sizes to one; None if they have one.
        image_shape: Shape of images that are rows of a table; None if they are none.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app.parts import make_shards_of

    n = make_shards_of(
        one_source(source),
        out,
        part,
        picture_hints(layout, sizes, image_shape),
        rows_per_shard=rows_per_shard,
        shard_mb=shard_mb,
        on_message=(lambda line: None) if quiet else say,
    )
    message = f"wrote {n:,} samples to {out}"
    print_result({"samples": n, "folder": str(out)}, message, as_json, quiet)


@command(app)
def check(
    folder: Annotated[Path, typer.Argument(help="Folder that was written in parts.")],
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare the checksums of all files of a folder of shards.

    It also checks folders that `align` and `embed` wrote in parts. A damaged or missing file is
    named.

    Args:
        folder: The folder.
        as_json: Whether to print the result as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.data.shards import check_shards

    n = check_shards(folder)
    message = f"{n:,} files agree with their checksums"
    print_result({"files": n, "folder": str(folder)}, message, as_json, quiet)
