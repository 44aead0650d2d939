"""Series over time: aligned clusters, and averages by several methods.

The time axis is in seconds if a sampling rate (samples per second) is passed. Otherwise it counts
time steps from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unwarp.core import Array
from unwarp.plots.style import BLUE, GREY, RED, TEXT_COLOUR, new_figure, with_style

MAX_CHANNELS = 2
"""Greatest number of channels that are shown; each takes two columns of panels."""

MAX_TRACES_PER_PANEL = 60
"""Greatest number of series that are drawn in a panel; means and bands use all series."""

METHOD_COLOURS = (RED, BLUE, "#3f9142", GREY, TEXT_COLOUR)
"""Colours of methods that are compared, in their order."""


def time_axis(length: int, sampling_rate: float | None, start: float = 0.0) -> tuple[Array, str]:
    """Times of the time steps of a series, with their axis label.

    Args:
        length: Number of time steps T.
        sampling_rate: Samples per second; None if unknown.
        start: Time of the first step.

    Returns:
        Times (T,), in seconds or as numbers of time steps, and the label.

    >>> time_axis(3, 2.0)
    (array([0. , 0.5, 1. ]), 'time (s)')
    """
    times = start + np.arange(length) / (sampling_rate or 1.0)
    return times, "time (samples)" if sampling_rate is None else "time (s)"


@with_style
def series(
    raw: Array,
    aligned: Array,
    templates: Array,
    clusters: Array,
    *,
    sampling_rate: float | None = None,
    start: float = 0.0,
    max_clusters: int = 6,
    names: Sequence[str] | None = None,
) -> Figure:
    """Series of each cluster overlaid, before and after alignment.

    Each cluster has a row. At the left its series are drawn as observed, in grey, with their mean.
    At the right the same series are drawn after alignment, with the template of the cluster. A
    band shows the spread at each time: its half-width is the root mean square distance of the
    series from the mean or the template. If alignment works, the band at the right is narrower.

    Args:
        raw: Series as observed (N, C, T); NaN marks missing values. At most two channels are shown.
        aligned: The same series with their deformations undone (N, C, T), in the same units.
        templates: Template of each cluster (K, C, T), in the same units.
        clusters: Cluster of each series (N,), integers from 0 to K - 1.
        sampling_rate: Samples per second; None for a time axis that counts time steps.
        start: Time of the first step.
        max_clusters: Greatest number of clusters; the largest clusters are shown.
        names: Names of the K clusters; None for `cluster 0` and so on.

    Returns:
        A figure with a row per cluster and two columns per channel.

    >>> import numpy as np
    >>> x = np.zeros((3, 1, 20))
    >>> figure = series(x, x, np.zeros((2, 1, 20)), np.array([0, 0, 1]), sampling_rate=10.0)
    >>> [axis.get_title() for axis in figure.axes[:2]], figure.axes[2].get_xlabel()
    (['observed', 'aligned'], 'time (s)')
    """
    numbers = largest_clusters(clusters, max_clusters)
    n_channels = min(raw.shape[1], MAX_CHANNELS)
    figure = new_figure(7.4, 1.5 * len(numbers) + 0.6)
    axes = figure.subplots(len(numbers), 2 * n_channels, squeeze=False, sharex=True)
    times, time_label = time_axis(raw.shape[2], sampling_rate, start)
    for row, cluster in zip(axes, numbers, strict=True):
        members = clusters == cluster
        for i, pair in enumerate(row.reshape(n_channels, 2)):
            _draw_pair(pair, times, raw[members, i], aligned[members, i], templates[cluster, i])
        name = names[cluster] if names else f"cluster {cluster}"
        row[0].set_ylabel(f"{name}\n{members.sum()} series")
    _label_columns(axes, time_label, has_channels=raw.shape[1] > 1)
    draw_legend(figure, axes[0, 0], axes[0, 1])
    return figure


def _label_columns(axes: Array, time_label: str, has_channels: bool) -> None:
    """Write titles above and time labels below the columns, alternately observed and aligned."""
    n_pairs = axes.shape[1] // 2
    for i, title in enumerate(("observed", "aligned") * n_pairs):
        axes[0, i].set_title(f"{title}, channel {i // 2}" if has_channels else title)
        axes[-1, i].set_xlabel(time_label)


def _draw_pair(
    axes: Sequence[Any], times: Array, raw: Array, aligned: Array, template: Array
) -> None:
    """Draw series (N, T) of one cluster and channel, observed at the left, aligned at the right."""
    left, right = axes
    _draw_overlay(left, times, raw, observed_mean(raw), TEXT_COLOUR, "mean")
    _draw_overlay(right, times, aligned, template, RED, "template")
    _share_height(left, right)


def largest_clusters(clusters: Array, n: int) -> Array:
    """The `n` largest clusters, in ascending order of their numbers.

    Args:
        clusters: Cluster of each sample (N,).
        n: Number of clusters to return. Among clusters of equal size, lower numbers come first.

    >>> largest_clusters(np.array([2, 0, 2, 1, 1]), 2)
    array([1, 2])
    """
    numbers, sizes = np.unique(clusters, return_counts=True)
    return np.sort(numbers[np.argsort(-sizes, kind="stable")[:n]])


def observed_mean(traces: Array) -> Array:
    """Mean of series at each time step, over observed values only.

    Args:
        traces: Series (N, T); NaN marks missing values.

    Returns:
        Mean (T,); NaN at time steps that no series has a value for.

    >>> observed_mean(np.array([[1.0, np.nan], [3.0, np.nan]]))
    array([ 2., nan])
    """
    is_observed = np.isfinite(traces)
    count = is_observed.sum(0)
    total = np.where(is_observed, traces, 0.0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _draw_overlay(
    axis: Any, times: Array, traces: Array, centre: Array, colour: str, name: str
) -> None:
    """Draw series in grey, and over them a central line with a band of their spread.

    Args:
        axis: Axes of matplotlib.
        times: Times (T,).
        traces: Series (N, T). At most `MAX_TRACES_PER_PANEL` are drawn, evenly chosen.
        centre: Central line (T,): a mean or a template.
        colour: Colour of the line and the band.
        name: Name of the line in the legend.
    """
    n_traces = min(len(traces), MAX_TRACES_PER_PANEL)
    rows = np.linspace(0, len(traces) - 1, n_traces).astype(int)
    axis.plot(times, traces[rows].T, color=GREY, linewidth=0.5, alpha=0.45)
    spread = np.sqrt(observed_mean(np.square(traces - centre)))
    band = centre - spread, centre + spread
    axis.fill_between(times, *band, color=colour, alpha=0.16, linewidth=0, zorder=3)
    axis.plot(times, centre, color=colour, linewidth=1.4, label=name, zorder=4)
    axis.margins(x=0)
    axis.spines[["top", "right"]].set_visible(False)


def _share_height(left: Any, right: Any) -> None:
    """Give two axes the same vertical limits, with tick labels only at the left axes."""
    ends = [*left.get_ylim(), *right.get_ylim()]
    for axis in (left, right):
        axis.set_ylim(min(ends), max(ends))
    right.tick_params(labelleft=False)


def draw_legend(figure: Figure, *axes: Any) -> None:
    """Draw one legend above all panels of a figure.

    Args:
        figure: The figure.
        axes: Axes with the lines that the legend names; lines without a label are left out.
    """
    # matplotlib gives lines without a label a name that begins with "_"
    lines = [line for axis in axes for line in axis.lines if not line.get_label().startswith("_")]
    names = [line.get_label() for line in lines]
    figure.legend(lines, names, loc="outside upper right", ncols=len(lines), frameon=False)


@with_style
def averages(
    groups: Mapping[str, Array],
    curves: Mapping[str, Array],
    *,
    sampling_rate: float | None = None,
    start: float = 0.0,
    step: int = 1,
) -> Figure:
    """Averages of groups of series by several methods, one panel per group.

    The series of a group are grey; each method has a colour. A good average shows the features of
    single series, such as peaks. A plain mean blurs features that occur at varying times.

    Args:
        groups: Series (N_k, T) of each of K groups, by the title of their panel.
        curves: Averages (K, T) by the name of their method; at most five methods.
        sampling_rate: Samples per second of the original series; None for a time axis that counts
            time steps.
        start: Time of the first step.
        step: Time steps of the original series from one value to the next; above 1 if the series
            were thinned out.

    Returns:
        A figure with at most two panels per row.

    >>> import numpy as np
    >>> x = np.zeros((3, 20))
    >>> figure = averages({"cluster 0": x}, {"mean": x[:1], "DBA": x[:1]})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['mean', 'DBA']
    """
    n_columns = min(2, len(groups))
    n_rows = -(-len(groups) // n_columns)
    figure = new_figure(3.7 * n_columns, 1.9 * n_rows + 0.4)
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).flat)
    for i, (axis, (title, traces)) in enumerate(zip(axes, groups.items(), strict=False)):
        times, time_label = time_axis(traces.shape[1], sampling_rate)
        times = start + times * step
        axis.plot(times, traces.T, color=GREY, linewidth=0.5, alpha=0.4)
        for colour, (method, average) in zip(METHOD_COLOURS, curves.items(), strict=False):
            axis.plot(times, average[i], color=colour, linewidth=1.3, label=method)
        axis.set(title=title, xlabel=time_label if i >= len(groups) - n_columns else "")
        axis.margins(x=0)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[len(groups) :]:
        axis.set_visible(False)
    draw_legend(figure, axes[0])
    return figure
