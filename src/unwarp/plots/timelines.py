"""Series over time: aligned clusters, and averages by several methods.

The time axis is in seconds if a sampling rate (samples per second) is passed, else in samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unwarp.core import Array
from unwarp.plots.style import BLUE, GREY, RED, TEXT_COLOUR, new_figure, with_style

MAX_CHANNELS = 2
"""Channels of series that are shown; each takes two columns of panels."""

MAX_TRACES_PER_PANEL = 60
"""Series that are drawn in a panel; means and bands are of all."""

METHOD_COLOURS = (RED, BLUE, "#3f9142", GREY, TEXT_COLOUR)
"""Colours of methods that are compared, in their order."""


def time_axis(length: int, sampling_rate: float | None) -> tuple[Array, str]:
    """Times of the samples of a series, with their axis label.

    Args:
        length: Number of samples T.
        sampling_rate: Samples per second; None if unknown.

    Returns:
        Times (T,) that begin at 0, in seconds or in samples, and the label.

    >>> time_axis(3, 2.0)
    (array([0. , 0.5, 1. ]), 'time (s)')
    """
    times = np.arange(length) / (sampling_rate or 1.0)
    return times, "time (samples)" if sampling_rate is None else "time (s)"


@with_style
def series(
    raw: Array,
    aligned: Array,
    templates: Array,
    clusters: Array,
    *,
    sampling_rate: float | None = None,
    max_clusters: int = 6,
    names: Sequence[str] | None = None,
) -> Figure:
    """Series of each cluster overlaid, before and after alignment.

    A cluster has a row. At the left are its series as observed, in grey, with their mean; at the
    right the aligned series with the template of the cluster. Bands show the spread at each time:
    the line plus and minus the root mean square distance of the series from it. If alignment
    works, the band at the right is the narrower one.

    Args:
        raw: Series as observed (N, C, T); NaN in gaps. At most two channels are shown.
        aligned: The same series with their warps undone (N, C, T), in the same units.
        templates: Template of each cluster (K, C, T), in the same units.
        clusters: Cluster of each series (N,), integers from 0 to K - 1.
        sampling_rate: Samples per second; None for a time axis in samples.
        max_clusters: Number of clusters shown, the largest ones.
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
    figure = new_figure(9.2, 1.6 * len(numbers) + 0.6)
    axes = figure.subplots(len(numbers), 2 * n_channels, squeeze=False, sharex=True)
    times, time_label = time_axis(raw.shape[2], sampling_rate)
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
    """Write titles above and the time label below columns of pairs, observed and aligned."""
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
    """The `n` clusters with the most members, by rising number.

    Args:
        clusters: Cluster of each sample (N,).
        n: Number of clusters wanted; of clusters of one size, the lower numbers win.

    >>> largest_clusters(np.array([2, 0, 2, 1, 1]), 2)
    array([1, 2])
    """
    numbers, sizes = np.unique(clusters, return_counts=True)
    return np.sort(numbers[np.argsort(-sizes, kind="stable")[:n]])


def observed_mean(traces: Array) -> Array:
    """Mean of series at each time, over observed values only.

    Args:
        traces: Series (N, T); NaN marks missing values.

    Returns:
        Mean (T,); NaN at times that no series has observed.

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
    """Draw series in grey, and over them a central line with its band.

    Args:
        axis: Axes of matplotlib.
        times: Times (T,).
        traces: Series (N, T), of which `MAX_TRACES_PER_PANEL` are drawn, evenly chosen.
        centre: Central line (T,), a mean or a template.
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
    """Give two axes the limits that hold the curves of both, labelled at the left alone."""
    ends = [*left.get_ylim(), *right.get_ylim()]
    for axis in (left, right):
        axis.set_ylim(min(ends), max(ends))
    right.tick_params(labelleft=False)


def draw_legend(figure: Figure, *axes: Any) -> None:
    """Draw one legend above all panels of a figure.

    Args:
        figure: The figure.
        axes: Axes of the lines that the legend names; lines without a label are left out.
    """
    lines = [line for axis in axes for line in axis.lines if not line.get_label().startswith("_")]
    names = [line.get_label() for line in lines]
    figure.legend(lines, names, loc="outside upper right", ncols=len(lines), frameon=False)


@with_style
def averages(
    groups: Mapping[str, Array],
    curves: Mapping[str, Array],
    *,
    sampling_rate: float | None = None,
    step: int = 1,
) -> Figure:
    """Averages of groups of series by several methods, one panel per group.

    The series of a group are grey; each method has a colour. A good average shows the features
    of single series; a plain mean blurs those at varying times.

    Args:
        groups: Series (N_k, T) of each of K groups, by the title of their panel.
        curves: Averages (K, T) by the name of their method; at most five methods.
        sampling_rate: Samples per second of the original series; None for a time axis in samples.
        step: Samples of the original series from one value to the next; above 1 if the series
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
    figure = new_figure(4.7 * n_columns, 2.0 * n_rows + 0.4)
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).flat)
    for i, (axis, (title, traces)) in enumerate(zip(axes, groups.items(), strict=False)):
        times, time_label = time_axis(traces.shape[1], sampling_rate)
        times = times * step
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
