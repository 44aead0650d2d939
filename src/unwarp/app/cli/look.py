"""The commands that show a model: `sample`, `interpolate`, `traverse`, `arithmetic`, `info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unwarp.app.cli.messages import print_result
from unwarp.app.cli.options import (
    JsonOption,
    ModelArgument,
    QuietOption,
    SeedOption,
    SourceArgument,
    command,
    model_folder,
)
from unwarp.app.inventory import inventory
from unwarp.core import LatentDensity, LatentPart, PathKind

if TYPE_CHECKING:
    from unwarp.app.exhibits import Exhibit
    from unwarp.estimators.unwarper import Unwarper


app = typer.Typer()

FRAMES_OF_ANIMATION, SAMPLES_IN_ROW = 25, 9
"""Number of samples on a path without `-n`, as an animation and as a figure."""

CountOption = Annotated[
    int | None,
    typer.Option(
        "-n",
        help="Number of samples from one end to the other; by default 9, or 25 in a .gif.",
        min=2,
    ),
]
StartOption = Annotated[
    int | None,
    typer.Option(
        "--index",
        help="Number of the sample whose content is the start; by default the mean content.",
    ),
]
SpanOption = Annotated[
    float,
    typer.Option(
        help="Distance from the start to either end of a row, in standard deviations; only for "
        "content."
    ),
]
FigureOption = Annotated[
    Path, typer.Option("--out", "-o", help="File to write: .png for a figure, .npz for arrays.")
]
AnimationOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="File to write: .png for a figure, .gif for an animation, .npz for arrays.",
    ),
]


@command(app)
def sample(
    model: ModelArgument,
    n: Annotated[int, typer.Option("-n", help="Number of samples.", min=1)] = 64,
    source: Annotated[
        LatentDensity,
        typer.Option(
            "--from",
            help="Distribution of content codes and deformations: the prior of the model, or a "
            "mixture fitted to the training samples; auto takes the prior if there is one.",
        ),
    ] = "auto",
    out: FigureOption = Path("samples.png"),
    random_state: SeedOption = 0,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw new samples from a model.

    Args:
        model: Folder of a model or of a run.
        n: Number of samples.
        source: Distribution that content codes and deformations are drawn from.
        out: File to write, `.png` or `.npz`.
        random_state: Seed of the random codes and deformations.
        as_json: Whether to print the facts as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app import exhibits

    exhibit = exhibits.new_samples(_load(model), n, source, random_state)
    _write(exhibit, out, (model,), as_json, quiet)


@command(app)
def interpolate(
    model: ModelArgument,
    source: SourceArgument,
    first: Annotated[int, typer.Argument(help="Number of the first sample, counted from 0.")],
    last: Annotated[int, typer.Argument(help="Number of the last sample, counted from 0.")],
    path: Annotated[
        PathKind,
        typer.Option(help="Path between the content codes: a straight line or an arc."),
    ] = "linear",
    n: CountOption = None,
    out: AnimationOption = Path("interpolation.png"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw the path from one sample to another.

    The path interpolates content and deformation between the two samples.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        first: Number of the first sample.
        last: Number of the last sample.
        path: Path between the content codes.
        n: Number of samples on the path, both ends included; None for 9, or 25 in a `.gif`.
        out: File to write, `.png`, `.gif` or `.npz`.
        as_json: Whether to print the facts as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app import exhibits

    unwarper = _load(model)
    x = exhibits.load_samples(unwarper, source)
    exhibit = exhibits.interpolation(unwarper, x, (first, last), _count(n, out), path)
    _write(exhibit, out, (model, source), as_json, quiet)


@command(app)
def traverse(
    model: ModelArgument,
    source: SourceArgument,
    of: Annotated[LatentPart, typer.Option(help="Part of the latents to vary.")] = "content",
    index: StartOption = None,
    span: SpanOption = 2.0,
    n: CountOption = None,
    out: AnimationOption = Path("traversal.png"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Vary one dimension of content or deformation at a time.

    Draws one row of samples for each dimension, with its values. A dimension of the
    deformation is one of its parameters.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        of: Part to vary: `content` or `deformation`.
        index: Number of the sample with the content code to start from; None for the mean code.
        span: Distance from the start to either end of a row, in standard deviations; content only.
        n: Number of samples in a row; None for 9, or 25 in a `.gif`.
        out: File to write, `.png`, `.gif` or `.npz`.
        as_json: Whether to print the facts as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app import exhibits

    unwarper = _load(model)
    x = exhibits.load_samples(unwarper, source)
    exhibit = exhibits.traversal(unwarper, x, of, index, _count(n, out), span)
    _write(exhibit, out, (model, source), as_json, quiet)


@command(app)
def arithmetic(
    model: ModelArgument,
    source: SourceArgument,
    plus: Annotated[
        str, typer.Option(help="Numbers of the samples whose mean content is added, as 1,2,3.")
    ],
    minus: Annotated[
        str,
        typer.Option(help="Numbers of the samples whose mean content is subtracted, as 4,5."),
    ],
    to: Annotated[str, typer.Option(help="Numbers of the samples to change, as 6,7.")],
    out: FigureOption = Path("arithmetic.png"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Change the content of samples by the difference of two groups.

    The mean content of one group is added, and that of the other group is subtracted. The
    deformations of the changed samples stay the same.

    Args:
        model: Folder of a model or of a run.
        source: A path, or the name of a built-in data set.
        plus: Numbers of the samples whose mean content is added, as `1,2,3`.
        minus: Numbers of the samples whose mean content is subtracted.
        to: Numbers of the samples to change.
        out: File to write, `.png` or `.npz`.
        as_json: Whether to print the facts as JSON.
        quiet: Whether to print nothing.
    """
    from unwarp.app import exhibits

    rows = [
        exhibits.parse_sample_numbers(text, option)
        for option, text in (("--plus", plus), ("--minus", minus), ("--to", to))
    ]
    unwarper = _load(model)
    x = exhibits.load_samples(unwarper, source)
    exhibit = exhibits.arithmetic(unwarper, x, *rows)
    _write(exhibit, out, (model, source), as_json, quiet)


@command(app)
def info(
    model: Annotated[
        Path | None, typer.Argument(help="Folder of a model or of a run; leave out to list names.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Describe a model, or list the names of everything that Unwarp offers.

    The names are those of warps, recipes, data sets, scores and file formats.

    Args:
        model: Folder of a model or of a run; None to list the names.
        as_json: Whether to print JSON.
        quiet: Whether to print nothing, for example to check only that the model can be loaded.
    """
    facts = _model_facts(model_folder(model)) if model else inventory()
    lines = [f"{name:12} {_fact_text(value)}" for name, value in facts.items()]
    print_result(facts, "\n".join(lines), as_json, quiet)


def _model_facts(folder: Path) -> dict[str, Any]:
    """Facts about a saved model, by name."""
    from unwarp.app.inspection import describe_model

    return describe_model(folder)


def _fact_text(value: Any) -> str:
    """Text of a fact: shapes as `1 x 28 x 28`, lists of names with commas."""
    separator = " x " if isinstance(value, tuple) else ", "
    return separator.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _load(folder: Path) -> Unwarper:
    """The estimator of a model folder or a run folder."""
    from unwarp.estimators.unwarper import Unwarper

    return Unwarper.load(model_folder(folder))


def _count(n: int | None, out: Path) -> int:
    """Number of samples on a path: `n`, or the default for an animation or a figure."""
    return n or (FRAMES_OF_ANIMATION if out.suffix == ".gif" else SAMPLES_IN_ROW)


def _write(
    exhibit: Exhibit, out: Path, inputs: tuple[str | Path, ...], as_json: bool, quiet: bool
) -> None:
    """Write the result of a command to a file that is no input, and print its facts."""
    exhibit.write(out, inputs)
    print_result({**exhibit.facts, "file": str(out)}, f"wrote {out}", as_json, quiet)
