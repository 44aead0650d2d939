"""Options of the commands that learn a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unwarp.app.cli.options import existing_file
from unwarp.core import (
    ClusterMethod,
    ContentName,
    DivergencePolicy,
    LabelPolicy,
    LengthPolicy,
    MissingPolicy,
    Precision,
    RefineName,
    ScaleName,
    StartName,
    TableLayout,
)

OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the run; by default runs/NAME.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(help="YAML or JSON file of recipe fields.", parser=existing_file, metavar="FILE"),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Set a recipe field, as field=value or field.part=value; repeat for more."
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps", help="Number of training steps; by default chosen from the data.", min=1
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        help="Samples in a training step; by default 64 images or 20 series. Larger batches take "
        "less time for as many samples, and their steps are fewer."
    ),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(help="Precision of training: no for 32-bit, fp16 or bf16 for mixed precision."),
]
SeriesOption = Annotated[
    bool,
    typer.Option("--series", help="Learn from time series (Trace) instead of images of digits."),
]
WarpOption = Annotated[
    str,
    typer.Option(
        help="Kind of deformation: auto, affine, similarity, translation, time, identity (none), "
        "or several kinds joined by a plus sign; 'unwarp info' lists all kinds."
    ),
]
DomainOption = Annotated[
    str, typer.Option(help="Kind of samples: auto, image, series, or a kind that a plugin adds.")
]
MissingOption = Annotated[
    MissingPolicy,
    typer.Option(
        help="Missing values of series: error refuses them, interpolate fills them linearly, mask "
        "learns only from the observed values."
    ),
]
ScaleOption = Annotated[
    ScaleName,
    typer.Option(
        help="Scaling of values: auto scales all samples together, or each image by itself if the "
        "light varies; channel scales each channel of series, each every sample by itself, "
        "level each series by itself without its trend and spikes."
    ),
]
WorkingSizeOption = Annotated[
    str,
    typer.Option(
        help="Size at which the model learns; results have the size of the samples. auto, the "
        "longest side of images in pixels, HxW, the number of time steps of series, or full."
    ),
]
TableOption = Annotated[
    TableLayout,
    typer.Option(
        help="Layout of a table: wide has a row per series, long a row per series and time, "
        "columns a column per series; auto decides by the columns and refuses what reads two ways."
    ),
]
IdOption = Annotated[
    str | None,
    typer.Option("--id", help="Column that names the series of a table.", metavar="NAME"),
]
TimeOption = Annotated[
    str | None, typer.Option("--time", help="Column of times of a table.", metavar="NAME")
]
ValueOption = Annotated[
    list[str] | None,
    typer.Option("--value", help="Column of values of a table; repeat for more.", metavar="NAME"),
]
LabelOption = Annotated[
    str | None, typer.Option("--label", help="Column of labels of a table.", metavar="NAME")
]
ContentOption = Annotated[
    ContentName,
    typer.Option(
        help="Content codes: joint learns them with the deformation, elastic measures elastic "
        "distances of series, gradients measures those of aligned pictures, auto is elastic for "
        "series and gradients for pictures unless a recipe is given."
    ),
]
ClustersOption = Annotated[
    ClusterMethod,
    typer.Option(
        help="Clusters: kmeans on content codes; spectral by elastic distances of series, or by "
        "neighbours of pictures; auto is spectral for elastic content and gradients."
    ),
]
RefineOption = Annotated[
    RefineName,
    typer.Option(
        help="Refinement after training: band moves aligned series by small displacements to a "
        "common template, gauss-newton moves pictures onto the mean picture of their kind, none "
        "does neither, auto refines where it helps held-out samples."
    ),
]
FastOption = Annotated[
    bool,
    typer.Option(
        "--fast",
        help="Predict elastic codes of series by a small network that is trained on them, and say "
        "how far they are off.",
    ),
]
LabelsOption = Annotated[
    LabelPolicy,
    typer.Option(
        help="Labels of the training samples: ignore learns without them, choose takes them to "
        "choose the features that are exported, by leaving one out."
    ),
]
LengthsOption = Annotated[
    LengthPolicy,
    typer.Option(
        help="Series of unequal lengths or with time stamps: clock keeps their times, stretch "
        "spreads each over the whole axis, auto keeps the clock unless the lengths mean nothing."
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(help="Samples per second of series; times are then in seconds."),
]
StartOption = Annotated[
    StartName,
    typer.Option(
        help="First estimate of the pose: learned by a network; centroid or moments of the "
        "intensity of images; search finds lags of series by comparison; auto chooses."
    ),
]
DivergenceOption = Annotated[
    DivergencePolicy,
    typer.Option(
        help="What to do when training diverges: stop ends it with an error, rollback goes back to "
        "the last good state and continues at half the learning rate."
    ),
]
ValidationOption = Annotated[
    float | None,
    typer.Option(
        help="Share of the training samples to hold out, such as 0.1; their error then tells when "
        "the training is done: it ends at a plateau, or is extended."
    ),
]
TrackOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Log the trainings to tensorboard or mlflow, too, below the run folder; repeat for "
        "more.",
        metavar="tensorboard|mlflow",
    ),
]
SecondsOption = Annotated[
    float | None,
    typer.Option("--seconds", help="Longest time of each of the two trainings, in seconds."),
]
