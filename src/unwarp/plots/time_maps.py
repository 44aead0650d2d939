"""Curves of warps of time: template time and local speed.

A warp of time is an increasing function gamma. It leads from observed time to template time, so
that observation(t) = template(gamma(t)).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from unwarp.core import Array
from unwarp.plots.style import BLUE, COLOURS, TEXT_COLOUR, format_number, new_figure, with_style
from unwarp.plots.timelines import draw_legend

MAX_RATIO_FOR_OCTAVES = 300
"""Ratio of the ends of a logarithmic axis below which its ticks are powers of 2, not of 10."""


@with_style
def warps(
    gamma: Array,
    length: int,
    *,
    sampling_rate: float | None = None,
    start: float = 0.0,
    labels: Array | None = None,
    max_curves: int = 200,
) -> Figure:
    """Warps of time as curves, and their local speed.

    The left panel shows template time over observed time, gamma; the right panel its slope gamma'
    on a logarithmic axis. Dotted lines are the identity: gamma(t) = t and speed 1.

    Convention:
        A curve above the diagonal means that the observation is ahead of its template. A speed
        above 1 means that the observation runs faster than its template.

    Args:
        gamma: Template times (N, K) at K evenly spaced observed times, both scaled to [0, 1].
        length: Number of time steps of a series.
        sampling_rate: Samples per second; None for axes that count time steps.
        start: Time of the first step.
        labels: Classes or clusters (N,), which colour the curves; None for one colour.
        max_curves: Greatest number of curves; if there are more, they are thinned out evenly.

    Returns:
        A figure with two panels.

    >>> import numpy as np
    >>> t = np.linspace(0, 1, 11)
    >>> left, right = warps(np.stack([t, t**2]), 21, sampling_rate=2.0).axes
    >>> left.get_xlabel(), right.get_ylabel()
    ('observed time (s)', 'local speed (factor)')
    """
    rows = np.linspace(0, len(gamma) - 1, min(len(gamma), max_curves)).astype(int)
    labels = None if labels is None else labels[rows]
    span, unit = (length - 1) / (sampling_rate or 1.0), "samples" if sampling_rate is None else "s"
    ends = (start, start + span)
    figure = new_figure(7.4, 3.2)
    left, right = figure.subplots(1, 2)
    _draw_identity(left, right, ends)
    _draw_curves(left, right, gamma[rows], ends, labels)
    left.set(ylabel=f"template time ({unit})")
    right.set(ylabel="local speed (factor)")
    for axis in (left, right):
        axis.set(xlabel=f"observed time ({unit})", xlim=ends)
        axis.spines[["top", "right"]].set_visible(False)
    if labels is not None:
        draw_legend(figure, left)
    return figure


def _draw_identity(left: Any, right: Any, ends: tuple[float, float]) -> None:
    """Draw the identity and its speed, 1, between two times."""
    left.plot(ends, ends, color=TEXT_COLOUR, linewidth=0.8, linestyle=":")
    right.axhline(1, color=TEXT_COLOUR, linewidth=0.8, linestyle=":")


def _draw_curves(
    left: Any, right: Any, gamma: Array, ends: tuple[float, float], labels: Array | None
) -> None:
    """Draw the curves of warps and their slopes, and scale the axis of the slopes.

    Args:
        left: Axes of the curves.
        right: Axes of the slopes.
        gamma: Template times (N, K), scaled to [0, 1].
        ends: First and last time of a series.
        labels: Classes (N,), which colour the curves; None for one colour.
    """
    times = np.linspace(*ends, gamma.shape[1])
    speed = np.diff(gamma) * (gamma.shape[1] - 1)
    style = {"linewidth": 0.6, "alpha": 0.5}
    for colour, name, members in _colour_classes(labels, len(gamma)):
        left.plot(times, ends[0] + (ends[1] - ends[0]) * gamma[members].T, color=colour, **style)
        right.plot((times[1:] + times[:-1]) / 2, speed[members].T, color=colour, **style)
        # an empty line gives each class one entry in the legend
        left.plot([], [], color=colour, label=name)
    right.set(yscale="log")
    _set_factor_ticks(right, speed)


def _colour_classes(labels: Array | None, n: int) -> list[tuple[str, str, Array]]:
    """Colour, name and rows of each class; without labels, one class of all `n` rows."""
    if labels is None:
        # matplotlib leaves names that begin with "_" out of legends
        return [(BLUE, "_", np.arange(n))]
    return [
        (COLOURS[i % len(COLOURS)], str(name), np.flatnonzero(labels == name))
        for i, name in enumerate(np.unique(labels))
    ]


def _set_factor_ticks(axis: Any, speed: Array) -> None:
    """Set the limits of a logarithmic axis to include 1/2 and 2, and ticks at powers of 2 or 10."""
    low, high = min(0.5, float(speed.min())), max(2.0, float(speed.max()))
    axis.set_ylim(low / 1.1, high * 1.1)
    base = 2 if high / low < MAX_RATIO_FOR_OCTAVES else 10
    axis.yaxis.set_major_locator(LogLocator(base=base))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, position: format_number(value)))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.minorticks_off()
