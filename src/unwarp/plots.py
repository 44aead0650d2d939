"""Figures: arrays in, a matplotlib `Figure` out; nothing is shown or written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unwarp.types import Factor

Array = NDArray[Any]
P = ParamSpec("P")
INK = "#20242c"
QUIET = "#8a93a3"
ACCENT = "#c8452f"
OTHER = "#3a6ea5"
COLOURS = (
    *(f"C{i}" for i in range(10)),
    *["black", "gold", "navy", "lime", "teal", "tan", "crimson", "orchid", "indigo", "khaki"],
)
STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "axes.titlesize": 10,
}


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def _styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in the house's style, whatever the user's own is."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def picture(x: Array) -> Array:
    """A sample (C, H, W) as matplotlib wants it: (H, W) or (H, W, 3), within [0, 1]."""
    shown = x[0] if x.shape[0] != 3 else np.moveaxis(x, 0, -1)
    return np.clip(shown, 0, 1)


@_styled
def gallery(rows: Mapping[str, Array], title: str = "") -> Figure:
    """Rows of samples under one another: each value is (N, C, H, W) or (N, C, T), each key its row's name."""
    n = max(len(row) for row in rows.values())
    figure = _figure(1.1 + 0.62 * n, 0.66 * len(rows) + (0.35 if title else 0.1))
    axes = figure.subplots(len(rows), n, squeeze=False)
    for line, (name, samples) in zip(axes, rows.items(), strict=True):
        for axis, sample in zip(line, samples, strict=False):
            if sample.ndim == 3:
                axis.imshow(picture(sample), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            else:
                axis.plot(sample.T, color=INK, linewidth=0.8)
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", color=INK)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


@_styled
def maps(panels: Mapping[str, Array], labels: Array | None) -> Figure:
    """Two-dimensional embeddings (N, 2) side by side, coloured by label where there are labels."""
    figure = _figure(4.1 * len(panels) + (0.7 if labels is not None else 0), 4.0)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    classes = np.unique(labels) if labels is not None else np.array([0])
    for axis, (name, points) in zip(axes, panels.items(), strict=True):
        for i, label in enumerate(classes):
            mine = labels == label if labels is not None else slice(None)
            colour = COLOURS[i % len(COLOURS)] if labels is not None else INK
            axis.scatter(*points[mine].T, s=4, color=colour, label=str(label), linewidths=0, alpha=0.8)
        axis.set(xticks=[], yticks=[], title=name)
    if labels is not None and len(classes) <= len(COLOURS):
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", markerscale=3, frameon=False)
    return figure


@_styled
def recovered(columns: Mapping[Factor, tuple[Array, Array]]) -> Figure:
    """Recovered against true deformation, one panel a factor: on the line is perfect, a cross lies beyond the panel."""
    n = len(columns)
    across = min(3, n)
    figure = _figure(2.9 * across, 2.8 * -(-n // across))
    axes = figure.subplots(-(-n // across), across, squeeze=False).flat
    for axis, (factor, (found, true)) in zip(axes, columns.items(), strict=False):
        low, high = np.percentile(true, [0.5, 99.5])
        room = 0.1 * (high - low)
        axis.plot([low, high], [low, high], color=ACCENT, linewidth=0.8, zorder=1)
        limits = (low - room, high + room)
        beyond = (found < limits[0]) | (found > limits[1])
        axis.scatter(true, found, s=4, color=INK, alpha=0.35, linewidths=0, zorder=2)
        axis.scatter(
            true[beyond].clip(*limits),
            found[beyond].clip(*limits),
            s=8,
            color=OTHER,
            marker="x",
            linewidths=0.6,
            clip_on=False,
        )
        axis.set(xlim=limits, ylim=limits, title=factor.label, xlabel="true", ylabel="recovered", aspect="equal")
        axis.spines[["top", "right"]].set_visible(False)
    return figure


@_styled
def columns(table: Mapping[Factor, Array]) -> Figure:
    """Histograms of a deformation table, one panel a factor, over the factor's range."""
    across = min(4, len(table))
    down = -(-len(table) // across)
    figure = _figure(2.4 * across, 1.9 * down)
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for axis, (factor, values) in zip(axes, table.items(), strict=False):
        low, high = min(factor.low, values.min()), max(factor.high, values.max())
        axis.hist(values, bins=40, range=(low, high), color=OTHER)
        for end in (factor.low, factor.high)[factor.low == 0 :]:
            axis.axvline(end, color=ACCENT, linewidth=0.8, linestyle=":")
        axis.set(title=factor.label, yticks=[])
        axis.spines[["top", "right", "left"]].set_visible(False)
    for axis in axes[len(table) :]:
        axis.set_visible(False)
    return figure


@_styled
def curves(runs: Mapping[str, Sequence[Mapping[str, float]]], term: str = "reconstruction") -> Figure:
    """A loss term over the seconds of several runs."""
    figure = _figure(5.2, 2.6)
    axis = figure.subplots()
    for (name, rows), colour in zip(runs.items(), (ACCENT, OTHER, QUIET), strict=False):
        points = [(row["seconds"], row[term]) for row in rows if term in row]
        if points:
            axis.plot(*zip(*points, strict=True), color=colour, label=name, linewidth=1)
    axis.set(xlabel="seconds of training", ylabel=f"{term} (nats)")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return figure
