"""The commands that look inside a model: `unwarp sample | interpolate | traverse | arithmetic`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unwarp.app.cli.options import (
    JsonOption,
    ModelArgument,
    QuietOption,
    SeedOption,
    SourceArgument,
    finish,
    model_folder,
)
from unwarp.core import LatentDensity, LatentPart, PathKind

if TYPE_CHECKING:
    from unwarp.app.exhibits import Exhibit
    from unwarp.estimators.unwarper import Unwarper


app = typer.Typer()


CountOption = Annotated[
    int | None, typer.Option("-n", help="Steps; by default 9, or 25 frames of a .gif.", min=2)
]


@app.command()
def sample(
    model: ModelArgument,
    n: Annotated[int, typer.Option("-n", help="How many.", min=1)] = 64,
    origin: Annotated[
        LatentDensity,
        typer.Option(
            "--from",
            help="The prior, a mixture fitted to the codes, or the prior where there is one.",
        ),
    ] = "auto",
    out: Annotated[Path, typer.Option("--out", "-o", help="A .png or .npz file.")] = Path(
        "samples.png"
    ),
    seed: SeedOption = 0,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw new samples from a model."""
    from unwarp.app import exhibits

    _exhibit(exhibits.samples(_unwarper(model), n, origin, seed), out, json, quiet)


@app.command()
def interpolate(
    model: ModelArgument,
    source: SourceArgument,
    i: Annotated[int, typer.Argument(help="Number of the first sample, from 0.")],
    j: Annotated[int, typer.Argument(help="Number of the last sample.")],
    path: Annotated[PathKind, typer.Option(help="How codes are joined.")] = "linear",
    n: CountOption = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="A .png, .gif or .npz file.")] = Path(
        "interpolation.png"
    ),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Go from one sample to another: content and deformation move together."""
    from unwarp.app import exhibits

    unwarper = _unwarper(model)
    x = exhibits.observed(unwarper, source)
    _exhibit(exhibits.interpolation(unwarper, x, (i, j), _steps(n, out), path), out, json, quiet)


@app.command()
def traverse(
    model: ModelArgument,
    source: SourceArgument,
    of: Annotated[LatentPart, typer.Option(help="What moves.")] = "content",
    index: Annotated[
        int | None, typer.Option(help="Sample to start from; by default the mean code.")
    ] = None,
    span: Annotated[
        float, typer.Option(help="Reach of content to either side, in standard deviations.")
    ] = 2.0,
    n: CountOption = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="A .png, .gif or .npz file.")] = Path(
        "traversal.png"
    ),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Move one number at a time: a row for each dimension of the content, or column of the deformation."""
    from unwarp.app import exhibits

    unwarper = _unwarper(model)
    x = exhibits.observed(unwarper, source)
    _exhibit(exhibits.traversal(unwarper, x, of, index, _steps(n, out), span), out, json, quiet)


@app.command()
def arithmetic(
    model: ModelArgument,
    source: SourceArgument,
    plus: Annotated[
        str, typer.Option(help="Numbers of the samples whose mean is added, as 1,2,3.")
    ],
    minus: Annotated[str, typer.Option(help="Numbers of the samples whose mean is taken away.")],
    to: Annotated[str, typer.Option(help="Numbers of the samples that are changed.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A .png or .npz file.")] = Path(
        "arithmetic.png"
    ),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Add what one set of samples has and another lacks to further samples."""
    from unwarp.app import exhibits

    rows = [
        exhibits.numbers(text, name)
        for name, text in (("--plus", plus), ("--minus", minus), ("--to", to))
    ]
    unwarper = _unwarper(model)
    _exhibit(
        exhibits.arithmetic(unwarper, exhibits.observed(unwarper, source), *rows), out, json, quiet
    )


def _unwarper(folder: Path) -> Unwarper:
    from unwarp.estimators.unwarper import Unwarper

    return Unwarper.load(model_folder(folder))


def _steps(n: int | None, out: Path) -> int:
    return n or (25 if out.suffix == ".gif" else 9)


def _exhibit(exhibit: Exhibit, out: Path, json: bool, quiet: bool) -> None:
    exhibit.write(out)
    finish({**exhibit.facts, "file": str(out)}, f"written: {out}", json, quiet)
