"""How trainings went: loss curves, and the game of a critic and a generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from unwarp.plots.style import ACCENT, OTHER, QUIET, page, styled

GAME = {
    "D(x), and D(G(z)) dashed": ("critic.real", "critic.fake"),
    "coverage of a batch": ("generator.coverage",),
    "error of inferred content": ("content",),
    "gradient norm of the critic": ("critic.gradient",),
    "gradient norm of the generator": ("generator.gradient",),
    "gradient norm of the inference": ("inference.gradient",),
}
"""What the history of a generative adversarial network says of the game, by the title of its panel."""


@styled
def game(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """How the games of several runs went over their seconds: a panel for each quantity, a colour for each run."""
    figure = Figure(figsize=(9.4, 4.4), dpi=130, layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    for axis, (title, columns) in zip(axes.flat, GAME.items(), strict=True):
        for (name, rows), colour in zip(histories.items(), (ACCENT, OTHER), strict=True):
            for column, line in zip(columns, ("-", "--"), strict=False):
                points = [(row["seconds"], row[column]) for row in rows if column in row]
                label = name if line == "-" else None
                axis.plot(*zip(*points, strict=True), color=colour, linestyle=line, label=label, linewidth=0.9)
        axis.set(title=title, **({"yscale": "log"} if "norm" in title else {"ylim": (0, None)}))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("seconds of training")
    axes[0, 0].axhline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
    return figure


@styled
def curves(runs: Mapping[str, Sequence[Mapping[str, float]]], term: str = "reconstruction") -> Figure:
    """A loss term over the seconds of several runs."""
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
