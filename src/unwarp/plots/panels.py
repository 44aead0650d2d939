"""Charts of numbers: embeddings, estimated against true deformations, histograms.

A `Factor` describes a column of a deformation table: its name, its unit and its range. Its label,
such as `rotation (deg)`, is the title of a panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unwarp.core import Array, Factor
from unwarp.plots.style import BLUE, COLOURS, GREY, RED, TEXT_COLOUR, new_figure, with_style


@with_style
def embeddings(panels: Mapping[str, Array], labels: Array | None) -> Figure:
    """Scatter plots of two-dimensional embeddings, side by side.

    Axes have no ticks, since the coordinates of t-SNE have no unit. A legend names the colours of
    up to 20 classes. With more classes, colours repeat and there is no legend.

    Args:
        panels: Points (N, 2) by the title of their panel, such as t-SNE of the codes of two
            models.
        labels: Classes (N,) of the same samples, which colour the points; None for one colour.

    Returns:
        A figure with one panel per embedding.

    >>> import numpy as np
    >>> figure = embeddings({"content code": np.eye(2)}, np.array(["cat", "dog"]))
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['cat', 'dog']
    """
    figure = new_figure(3.4 * len(panels) + (0.7 if labels is not None else 0), 3.4)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    # area of a point in points squared: small if there are many
    size = float(np.clip(2000 / max(len(points) for points in panels.values()), 4, 20))
    for axis, (title, points) in zip(axes, panels.items(), strict=True):
        _scatter_classes(axis, points, labels, size)
        axis.set(xticks=[], yticks=[], title=title)
    if labels is not None and len(np.unique(labels)) <= len(COLOURS):
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside right center",
            # 36 points squared, matplotlib's default, in the legend
            markerscale=(36 / size) ** 0.5,
            frameon=False,
        )
    return figure


def _scatter_classes(axis: Any, points: Array, labels: Array | None, size: float) -> None:
    """Scatter points (N, 2), one colour per class; `size` is the area of a marker in pt^2."""
    style = {"s": size, "linewidths": 0, "alpha": 0.8}
    if labels is None:
        axis.scatter(*points.T, color=TEXT_COLOUR, **style)
        return
    for i, label in enumerate(np.unique(labels)):
        members = points[labels == label]
        axis.scatter(*members.T, color=COLOURS[i % len(COLOURS)], label=str(label), **style)


@with_style
def recovery(estimates: Mapping[Factor, tuple[Array, Array]]) -> Figure:
    """Scatter plots of estimated against true deformations, one panel per factor.

    Points of perfect estimates are on the red line. A panel spans the central 99 % of the true
    values and a margin of 10 % at either end. Estimates outside are drawn as blue crosses at the
    border.

    Args:
        estimates: Estimated values (N,) and true values (N,) by their factor, in the unit of the
            factor.

    Returns:
        A figure with at most three panels per row.

    >>> import numpy as np
    >>> rotation = Factor("rotation_deg", "deg", -45.0, 45.0)
    >>> figure = recovery({rotation: (np.array([1.0, -9.0]), np.array([0.0, -10.0]))})
    >>> figure.axes[0].get_title()
    'rotation (deg)'
    """
    n_columns = min(3, len(estimates))
    n_rows = -(-len(estimates) // n_columns)
    figure = new_figure(2.5 * n_columns, 2.4 * n_rows)
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    for axis, (factor, (values, true_values)) in zip(axes, estimates.items(), strict=False):
        limits = _draw_estimates(axis, values, true_values)
        labels = {"title": factor.label, "xlabel": "true", "ylabel": "estimated"}
        axis.set(xlim=limits, ylim=limits, aspect="equal", **labels)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[len(estimates) :]:
        axis.set_visible(False)
    return figure


def _draw_estimates(axis: Any, estimates: Array, true_values: Array) -> tuple[float, float]:
    """Draw estimates (N,) over true values (N,), and return the limits of both axes."""
    low, high = np.percentile(true_values, [0.5, 99.5])
    margin = 0.1 * (high - low)
    limits = (low - margin, high + margin)
    axis.plot([low, high], [low, high], color=RED, linewidth=0.8, zorder=1)
    axis.scatter(true_values, estimates, s=4, color=TEXT_COLOUR, alpha=0.35, linewidths=0, zorder=2)
    is_outside = (estimates < limits[0]) | (estimates > limits[1])
    points = (values[is_outside].clip(*limits) for values in (true_values, estimates))
    axis.scatter(*points, s=8, color=BLUE, marker="x", linewidths=0.6, clip_on=False)
    return limits


@with_style
def histograms(table: Mapping[Factor, Array], bounds: bool = True) -> Figure:
    """Histograms of a deformation table, one panel per factor.

    The height of a bar is a number of samples. The vertical axis has no ticks, since only the shape
    of the histogram matters.

    Args:
        table: Values (N,) by their factor, in the unit of the factor.
        bounds: Whether panels span at least the range of their factor and mark bounds by dotted
            lines (a lower bound of 0 has no line). Otherwise panels span the values.

    Returns:
        A figure with at most three panels per row.

    >>> import numpy as np
    >>> figure = histograms({Factor("lag_s", "s", -1.0, 1.0): np.linspace(-0.5, 0.5, 20)})
    >>> figure.axes[0].get_title()
    'lag (s)'
    """
    n_rows = -(-len(table) // 3)
    n_columns = -(-len(table) // n_rows)
    figure = new_figure(2.4 * n_columns, 1.9 * n_rows)
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    for axis, (factor, values) in zip(axes, table.items(), strict=False):
        limits = min(factor.low, values.min()), max(factor.high, values.max())
        n_bins = int(np.clip(len(values) // 5, 10, 40))
        limits = limits if bounds else _padded_range(values)
        axis.hist(values, bins=n_bins, range=limits, color=BLUE)
        # a lower bound of 0 needs no line, since no value can be below
        ends = [factor.high] if factor.low == 0 else [factor.low, factor.high]
        for bound in ends if bounds else ():
            axis.axvline(bound, color=RED, linewidth=0.8, linestyle=":")
        axis.set(title=factor.label, yticks=[])
        axis.spines[["top", "right", "left"]].set_visible(False)
    for axis in axes[len(table) :]:
        axis.set_visible(False)
    return figure


@with_style
def folds(values: Array, undecided: tuple[float, float], unit: str) -> Figure:
    """Measurements of several folds, with the range that decides nothing.

    Args:
        values: Measurement of each fold (K,).
        undecided: Lower and upper bound of the shaded range.
        unit: Label of the axis.

    Returns:
        A figure with one point per fold, and a line at their mean.

    >>> import numpy as np
    >>> figure = folds(np.array([19.0, 24.0, 28.0]), (-10.0, 10.0), "nats")
    >>> figure.axes[0].get_xlabel()
    'nats'
    """
    figure = new_figure(5.0, 0.9 + 0.22 * len(values))
    axis = figure.subplots()
    axis.axvspan(*undecided, color=GREY, linewidth=0, alpha=0.5)
    axis.text(sum(undecided) / 2, -0.62, "undecided", ha="center", va="bottom", color=TEXT_COLOUR)
    axis.axvline(float(np.mean(values)), color=RED, linewidth=0.8, linestyle=":")
    axis.scatter(values, np.arange(len(values)), s=24, color=BLUE, clip_on=False, zorder=3)
    names = [f"fold {i + 1}" for i in range(len(values))]
    axis.set(yticks=range(len(values)), yticklabels=names, xlabel=unit)
    axis.set_ylim(len(values) - 0.5, -1.1)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    return figure


def _padded_range(values: Array) -> tuple[float, float]:
    """A range with margins around values (N,); it has a width even if all values are equal."""
    margin = max(0.05 * float(np.ptp(values)), 1e-3 * (1 + float(np.abs(values).max())))
    return float(values.min()) - margin, float(values.max()) + margin
