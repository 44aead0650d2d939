"""Charts with axes: embeddings, recovered deformations, histograms, the course of a training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from unwarp.core import Array, Factor
from unwarp.plots.style import ACCENT, COLOURS, INK, OTHER, page, styled


@styled
def maps(panels: Mapping[str, Array], labels: Array | None) -> Figure:
    """Two-dimensional embeddings (N, 2) side by side, coloured by label where there are labels."""
    figure = page(4.1 * len(panels) + (0.7 if labels is not None else 0), 4.0)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    classes = np.unique(labels) if labels is not None else np.array([0])
    size = float(np.clip(2000 / max(len(points) for points in panels.values()), 4, 20))
    for axis, (name, points) in zip(axes, panels.items(), strict=True):
        for i, label in enumerate(classes):
            mine = labels == label if labels is not None else slice(None)
            colour = COLOURS[i % len(COLOURS)] if labels is not None else INK
            axis.scatter(
                *points[mine].T, s=size, color=colour, label=str(label), linewidths=0, alpha=0.8
            )
        axis.set(xticks=[], yticks=[], title=name)
    if labels is not None and len(classes) <= len(COLOURS):
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside right center",
            markerscale=(36 / size) ** 0.5,
            frameon=False,
        )
    return figure


@styled
def recovered(columns: Mapping[Factor, tuple[Array, Array]]) -> Figure:
    """Recovered against true deformation, one panel a factor: on the line is perfect, a cross lies beyond the panel."""
    n = len(columns)
    across = min(3, n)
    figure = page(2.9 * across, 2.8 * -(-n // across))
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
        axis.set(
            xlim=limits,
            ylim=limits,
            title=factor.label,
            xlabel="true",
            ylabel="recovered",
            aspect="equal",
        )
        axis.spines[["top", "right"]].set_visible(False)
    return figure


@styled
def columns(table: Mapping[Factor, Array], bounds: bool = True) -> Figure:
    """Histograms of a deformation table, one panel a factor.

    Args:
        table: Values (N,) by their factor.
        bounds: Show them over the factor's range, whose ends are dotted lines.
    """
    across = min(4, len(table))
    down = -(-len(table) // across)
    figure = page(2.4 * across, 1.9 * down)
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for axis, (factor, values) in zip(axes, table.items(), strict=False):
        low, high = min(factor.low, values.min()), max(factor.high, values.max())
        if not bounds:
            low, high = _round_about(values)
        axis.hist(
            values, bins=int(np.clip(len(values) // 5, 10, 40)), range=(low, high), color=OTHER
        )
        for end in (factor.low, factor.high)[factor.low == 0 :] if bounds else ():
            axis.axvline(end, color=ACCENT, linewidth=0.8, linestyle=":")
        axis.set(title=factor.label, yticks=[])
        axis.spines[["top", "right", "left"]].set_visible(False)
    for axis in axes[len(table) :]:
        axis.set_visible(False)
    return figure


def _round_about(values: Array) -> tuple[float, float]:
    """A range that shows values (N,), of some width where they are all alike."""
    room = max(0.05 * float(np.ptp(values)), 1e-3 * (1 + float(np.abs(values).max())))
    return float(values.min()) - room, float(values.max()) + room
