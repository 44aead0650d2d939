"""How trainings went: loss curves, and the game of a critic and a generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from unwarp.plots.style import ACCENT, OTHER, QUIET, page, styled

Rows = Sequence[Mapping[str, float]]

PROBABILITIES = ("critic.real", "critic.fake")
"""Columns of a history that only a game between a critic and a generator has."""

GAME = {
    "D(x), and D(G(z)) dashed": PROBABILITIES,
    "coverage of a batch": ("generator.coverage",),
    "error of inferred content": ("content",),
    "gradient norm of the critic": ("critic.gradient",),
    "gradient norm of the generator": ("generator.gradient",),
    "gradient norm of the inference": ("inference.gradient",),
}
"""Columns of the history of a generative adversarial network, by the title of their panel."""


@styled
def game(histories: Mapping[str, Rows]) -> Figure:
    """The games of two runs over their seconds, a panel a quantity."""
    figure = Figure(figsize=(9.4, 4.4), dpi=130, layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    for axis, (title, columns) in zip(axes.flat, GAME.items(), strict=True):
        for (name, rows), colour in zip(histories.items(), (ACCENT, OTHER), strict=True):
            for column, line in zip(columns, ("-", "--"), strict=False):
                points = [(row["seconds"], row[column]) for row in rows if column in row]
                style = {"label": name if line == "-" else None, "linestyle": line}
                axis.plot(*zip(*points, strict=True), color=colour, linewidth=0.9, **style)
        axis.set(title=title, **({"yscale": "log"} if "norm" in title else {"ylim": (0, None)}))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("seconds of training")
    axes[0, 0].axhline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    lines = axes[0, 0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside upper left", ncols=2, frameon=False)
    return figure


@styled
def curves(runs: Mapping[str, Rows], term: str = "reconstruction") -> Figure:
    """A loss term over the seconds of several runs.

    Args:
        runs: Rows of the history of each run, by its name.
        term: Column of the loss term, in nats; rows without it are left out.
    """
    figure = page(5.2, 2.6)
    axis = figure.subplots()
    for (name, rows), colour in zip(runs.items(), (ACCENT, OTHER, QUIET), strict=False):
        points = [(row["seconds"], row[term]) for row in rows if term in row]
        if points:
            axis.plot(*zip(*points, strict=True), color=colour, label=name, linewidth=1)
    axis.set(xlabel="seconds of training", ylabel=f"{term} (nats)")
    axis.spines[["top", "right"]].set_visible(False)
    if axis.lines:
        axis.legend(frameon=False)
    return figure


@dataclass(frozen=True)
class TrainingPlot:
    """One way to draw trainings, and the columns that it needs.

    Attributes:
        columns: A history without all of these is drawn in another way.
        draw: Draws the rows of histories, by the name of their run.
        caption: What the figure shows, for people.
        encoder_note: What these columns tell of the network that encodes samples; may be empty.
    """

    columns: tuple[str, ...]
    draw: Callable[[Mapping[str, Rows]], Figure]
    caption: str
    encoder_note: str = ""


GAME_CAPTION = (
    "The game, measured on one batch at every tenth step. D is the sigmoid of the critic's logit, "
    "averaged over real samples (x) and generated ones (G(z)): both are near 0.5 where the critic "
    "cannot tell them apart. Coverage is the share of real samples with a generated sample nearer "
    "than their fifth real neighbour, in pixels or values: about 0.97 for a perfect generator, "
    "near 0 where whole kinds of samples are missing. The error of inferred content is the squared "
    "distance from the content that a sample was generated from, summed over dimensions: a value "
    "equal to the number of dimensions means that the inferred codes say nothing. Gradient norms "
    "are those before clipping."
)
GAME_ENCODER_NOTE = (
    "Codes and deformations are read by the inference network, which saw only generated samples in "
    "training, none of the data."
)
TRAINING_PLOTS = (
    TrainingPlot(PROBABILITIES, game, GAME_CAPTION, GAME_ENCODER_NOTE),
    TrainingPlot((), curves, "Reconstruction term of the training loss."),
)
"""In the order in which they are tried; the last fits every history."""


def training_plot(rows: Rows) -> TrainingPlot:
    """The first plot all of whose columns a history has."""
    columns = {column for row in rows for column in row}
    return next(plot for plot in TRAINING_PLOTS if columns.issuperset(plot.columns))
