"""Training curves: a loss term, or the measures of adversarial training.

The data are the rows of a `History` of `unwarp.training`. It has one row for every tenth step, with
the seconds since the start of the training and the loss terms, by name. `training_plot` picks the
plot for a history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from unwarp.plots.style import BLUE, GREY, RED, new_figure, with_style

Rows = Sequence[Mapping[str, float]]
"""Rows of the history of one training: values by the name of their column."""

CRITIC_PROBABILITIES = ("critic.real", "critic.fake")
"""Columns that only the history of an adversarial training has (a critic against a generator)."""

ADVERSARIAL_PANELS = {
    "D(x); dashed: D(G(z))": CRITIC_PROBABILITIES,
    "coverage of a batch": ("generator.coverage",),
    "error of inferred content": ("content",),
    "gradient norm of the critic": ("critic.gradient",),
    "gradient norm of the generator": ("generator.gradient",),
    "gradient norm of the inference": ("inference.gradient",),
}
"""Columns of the history of a generative adversarial network, by the title of their panel."""

HELD_OUT = "held_out"
"""Column of the loss of held-out samples."""

RUN_COLOURS = (RED, BLUE, GREY)
"""Colours of runs, in their order."""


@with_style
def adversarial_training(histories: Mapping[str, Rows]) -> Figure:
    """Measures of adversarial training over time, one panel per measure.

    Gradient norms have a logarithmic axis. The dotted line at 0.5 is the probability of a critic
    that cannot tell real samples from generated ones.

    Args:
        histories: Rows of the history of each of at most three runs, by the name of the run.

    Returns:
        A figure with the six panels of `ADVERSARIAL_PANELS`, over seconds of training.
    """
    figure = new_figure(7.8, 4.2)
    axes = figure.subplots(2, 3, sharex=True)
    for axis, (title, columns) in zip(axes.flat, ADVERSARIAL_PANELS.items(), strict=True):
        for colour, (name, rows) in zip(RUN_COLOURS, histories.items(), strict=False):
            _draw_columns(axis, rows, columns, colour, name)
        axis.set(title=title, **({"yscale": "log"} if "norm" in title else {"ylim": (0, None)}))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("training time (s)")
    axes[0, 0].axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    lines = axes[0, 0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside upper left", ncols=len(histories), frameon=False)
    return figure


def _draw_columns(axis: Any, rows: Rows, columns: Sequence[str], colour: str, name: str) -> None:
    """Draw one or two columns of a history over seconds, the second as a dashed line."""
    for column, line in zip(columns, ("-", "--"), strict=False):
        points = [(row["seconds"], row[column]) for row in rows if column in row]
        style = {"label": name if line == "-" else None, "linestyle": line}
        axis.plot(*zip(*points, strict=True), color=colour, linewidth=0.9, **style)


@with_style
def curves(runs: Mapping[str, Rows], term: str = "reconstruction") -> Figure:
    """A term of the training loss over time, one curve per run.

    Args:
        runs: Rows of the history of each of at most three runs, by the name of the run. A row has
            the column `seconds`. If rows have the column `held_out`, the loss of held-out samples,
            it is a dashed curve.
        term: Name of the loss term, in nats per sample; rows without this column are left out.

    Returns:
        A figure with one panel, over seconds of training.

    >>> rows = [{"seconds": 0.0, "reconstruction": 9.0}, {"seconds": 1.0, "reconstruction": 5.0}]
    >>> curves({"with warp": rows}).axes[0].get_ylabel()
    'reconstruction (nats)'
    """
    figure = new_figure(5.2, 2.6)
    axis = figure.subplots()
    for colour, (name, rows) in zip(RUN_COLOURS, runs.items(), strict=False):
        for column, line in ((term, "-"), (HELD_OUT, "--")):
            points = [(row["seconds"], row[column]) for row in rows if column in row]
            if points:
                label = name if column == term else None
                pairs = zip(*points, strict=True)
                axis.plot(*pairs, color=colour, linestyle=line, label=label, linewidth=1)
    axis.set(xlabel="training time (s)", ylabel=f"{term} (nats)")
    axis.spines[["top", "right"]].set_visible(False)
    if axis.lines:
        axis.legend(frameon=False)
    return figure


@dataclass(frozen=True)
class TrainingPlot:
    """A kind of plot for histories that have certain columns.

    `TRAINING_PLOTS` lists all kinds, and `training_plot` picks the kind for a history.

    Attributes:
        columns: Columns that a history must have; empty if every history fits.
        draw: Function that draws a figure; its argument are the rows of several histories, by the
            name of their run.
        caption: Explanation of the figure for readers of a report.
        encoder_note: Remark on the training of the encoder; empty if there is nothing to say.

    >>> plot = TrainingPlot((), curves, "Reconstruction term of the training loss.")
    >>> plot.draw({"with warp": [{"seconds": 1.0, "reconstruction": 5.0}]}).axes[0].get_xlabel()
    'training time (s)'
    """

    columns: tuple[str, ...]
    draw: Callable[[Mapping[str, Rows]], Figure]
    caption: str
    encoder_note: str = ""


ADVERSARIAL_CAPTION = (
    "Adversarial training, measured on one batch at every tenth step. D is the sigmoid of the "
    "critic's logit. D(x) is its mean over real samples, D(G(z)) its mean over generated samples. "
    "Both are near 0.5 if the critic cannot tell real from generated samples. Coverage is the "
    "fraction of real samples that have a generated sample nearer than their fifth nearest real "
    "neighbour, by the distance between pixels or values. It is about 0.97 for a perfect "
    "generator, and near 0 if the generator misses many kinds of samples. The error of inferred "
    "content is the squared distance between the content code of a generated sample and the code "
    "that the encoder infers from the sample. If it is as large as the number of content "
    "dimensions, inferred codes carry no information. Gradient norms are measured before clipping."
)
ADVERSARIAL_ENCODER_NOTE = (
    "The encoder of content codes and deformations was trained on generated samples only, never "
    "on the data."
)
TRAINING_PLOTS = (
    TrainingPlot(
        CRITIC_PROBABILITIES, adversarial_training, ADVERSARIAL_CAPTION, ADVERSARIAL_ENCODER_NOTE
    ),
    TrainingPlot(
        (HELD_OUT,),
        curves,
        "Reconstruction term of the training loss; lower is better. Dashed: the same of samples "
        "that were held out of the training, and told when it was done.",
    ),
    TrainingPlot((), curves, "Reconstruction term of the training loss; lower is better."),
)
"""All kinds of training plots. `training_plot` tries them in order; the last fits every history."""


def training_plot(rows: Rows) -> TrainingPlot:
    """The first plot of `TRAINING_PLOTS` that fits a history.

    A plot fits if the history has all its columns.

    Args:
        rows: Rows of the history of one run; may be empty.

    >>> training_plot([{"seconds": 1.0, "reconstruction": 5.0}]).draw is curves
    True
    """
    columns = {column for row in rows for column in row}
    return next(plot for plot in TRAINING_PLOTS if columns.issuperset(plot.columns))
