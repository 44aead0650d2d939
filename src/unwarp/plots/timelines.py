"""Series over their time: traces as observed and aligned, warps of time as curves, averages side by side.

Axes of time are in seconds where a sampling rate (samples a second) is given, else in samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from unwarp.core import Array
from unwarp.plots.style import ACCENT, COLOURS, INK, OTHER, QUIET, number, page, styled

CHANNELS = 2
TRACES = 60
LINES = (ACCENT, OTHER, "#3f9142", QUIET, INK)


def clock(length: int, sampling_rate: float | None) -> tuple[Array, str]:
    """Times of `length` samples, and the label of their axis."""
    return np.arange(length) / (
        sampling_rate or 1.0
    ), "samples" if sampling_rate is None else "time (s)"


@styled
def series(
    raw: Array,
    aligned: Array,
    templates: Array,
    clusters: Array,
    *,
    sampling_rate: float | None = None,
    most: int = 6,
    names: Sequence[str] | None = None,
) -> Figure:
    """Traces of each cluster overlaid: raw on the left, aligned on the right with the cluster's template on top.

    A band shows the spread: the mean of the raw traces, or the template, plus and minus the root mean square distance
    of the traces from it at each time.

    Args:
        raw: Series as observed (N, C, T); at most two channels are shown.
        aligned: The same with their warp undone (N, C, T).
        templates: One for each cluster (K, C, T).
        clusters: Cluster of each series (N,), 0 to K - 1.
        sampling_rate: Samples a second; None for an axis in samples.
        most: Clusters shown, the largest ones.
        names: What the K are called; None for `cluster 0` and so on.
    """
    shown = largest(clusters, most)
    channels = min(raw.shape[1], CHANNELS)
    figure = page(9.2, 1.6 * len(shown) + 0.6)
    axes = figure.subplots(len(shown), 2 * channels, squeeze=False, sharex=True)
    times, words = clock(raw.shape[2], sampling_rate)
    for row, cluster in zip(axes, shown, strict=True):
        rows = clusters == cluster
        for channel, pair in enumerate(row.reshape(channels, 2)):
            _pair(
                pair, times, raw[rows, channel], aligned[rows, channel], templates[cluster, channel]
            )
        row[0].set_ylabel(
            f"{names[cluster] if names else f'cluster {cluster}'}\n{rows.sum()} series"
        )
    for i, title in enumerate(("raw", "aligned") * channels):
        axes[0, i].set_title(title if raw.shape[1] == 1 else f"{title}, channel {i // 2}")
        axes[-1, i].set_xlabel(words)
    _legend(figure, axes[0, 0], axes[0, 1])
    return figure


def _pair(axes: Sequence[Any], times: Array, raw: Array, aligned: Array, template: Array) -> None:
    """Traces (N, T) of one cluster and channel, raw on the left and aligned on the right."""
    left, right = axes
    _overlay(left, times, raw, observed_mean(raw), INK, "mean")
    _overlay(right, times, aligned, template, ACCENT, "template")
    _same_height(left, right)


def largest(clusters: Array, most: int) -> Array:
    """The `most` largest clusters of (N,), in the order of their numbers."""
    names, sizes = np.unique(clusters, return_counts=True)
    return np.sort(names[np.argsort(-sizes, kind="stable")[:most]])


def observed_mean(traces: Array) -> Array:
    """Mean of traces (N, T) at each time, of those that were observed (not NaN); NaN where none was."""
    seen = np.isfinite(traces)
    count = seen.sum(0)
    return np.where(count > 0, np.where(seen, traces, 0.0).sum(0) / np.maximum(count, 1), np.nan)


def _overlay(axis: Any, times: Array, traces: Array, middle: Array, colour: str, name: str) -> None:
    """Traces (N, T), evenly thinned where they are many, and `middle` (T,) with its band on top."""
    some = np.linspace(0, len(traces) - 1, min(len(traces), TRACES)).astype(int)
    axis.plot(times, traces[some].T, color=QUIET, linewidth=0.5, alpha=0.45)
    spread = np.sqrt(observed_mean(np.square(traces - middle)))
    axis.fill_between(
        times, middle - spread, middle + spread, color=colour, alpha=0.16, linewidth=0, zorder=3
    )
    axis.plot(times, middle, color=colour, linewidth=1.4, label=name, zorder=4)
    axis.margins(x=0)
    axis.spines[["top", "right"]].set_visible(False)


def _same_height(left: Any, right: Any) -> None:
    ends = [*left.get_ylim(), *right.get_ylim()]
    for axis in (left, right):
        axis.set_ylim(min(ends), max(ends))
    right.tick_params(labelleft=False)


def _legend(figure: Figure, *axes: Any) -> None:
    """One legend above all panels, of the named lines in `axes`."""
    lines = [line for axis in axes for line in axis.lines if not line.get_label().startswith("_")]
    names = [line.get_label() for line in lines]
    figure.legend(lines, names, loc="outside upper right", ncols=len(lines), frameon=False)


@styled
def warps(
    gamma: Array,
    length: int,
    *,
    sampling_rate: float | None = None,
    labels: Array | None = None,
    most: int = 200,
) -> Figure:
    """Warps of time as curves: template over observed time on the left, the local speed gamma' on the right.

    Convention:
        A curve above the diagonal, or a speed above 1, means that the observation is ahead of its template, or runs
        through it faster.

    Args:
        gamma: Template times (N, K) of K evenly spaced observed times, both from 0 to 1.
        length: Samples of a series.
        sampling_rate: Samples a second; None for axes in samples.
        labels: Names (N,) of the classes or clusters that colour the curves.
        most: Curves shown, evenly taken.
    """
    some = np.linspace(0, len(gamma) - 1, min(len(gamma), most)).astype(int)
    span = (length - 1) / (sampling_rate or 1.0)
    at, unit = np.linspace(0, span, gamma.shape[1]), "samples" if sampling_rate is None else "s"
    figure = page(9.2, 3.5)
    left, right = figure.subplots(1, 2)
    left.plot([0, span], [0, span], color=INK, linewidth=0.8, linestyle=":")
    right.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    speed = np.diff(gamma[some]) * (gamma.shape[1] - 1)
    for colour, name, mine in _coloured(None if labels is None else labels[some], len(some)):
        left.plot(at, span * gamma[some][mine].T, color=colour, linewidth=0.6, alpha=0.5)
        right.plot((at[1:] + at[:-1]) / 2, speed[mine].T, color=colour, linewidth=0.6, alpha=0.5)
        left.plot([], [], color=colour, label=name)
    left.set(xlabel=f"observed time ({unit})", ylabel=f"template time ({unit})", xlim=(0, span))
    right.set(
        xlabel=f"observed time ({unit})",
        ylabel="local speed (factor)",
        xlim=(0, span),
        yscale="log",
    )
    _factors(right, speed)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    if labels is not None:
        _legend(figure, left)
    return figure


def _coloured(labels: Array | None, n: int) -> list[tuple[str, str, Array]]:
    """Colour, name and rows of each class; one of all where there are none."""
    if labels is None:
        return [(OTHER, "_", np.arange(n))]
    classes = np.unique(labels)
    return [
        (COLOURS[i % len(COLOURS)], str(name), np.flatnonzero(labels == name))
        for i, name in enumerate(classes)
    ]


def _factors(axis: Any, speed: Array) -> None:
    """Ticks at 1, 2, 4, ... of an axis of factors that shows 1/2 to 2 at least."""
    low, high = min(0.5, float(speed.min())), max(2.0, float(speed.max()))
    axis.set_ylim(low / 1.1, high * 1.1)
    axis.yaxis.set_major_locator(LogLocator(base=2 if high / low < 300 else 10))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, place: number(value)))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.minorticks_off()


@styled
def averages(
    groups: Mapping[str, Array],
    curves: Mapping[str, Array],
    *,
    sampling_rate: float | None = None,
    step: int = 1,
) -> Figure:
    """Averages of groups of series by several methods, one panel a group, over its series.

    Args:
        groups: Series (N_k, T) of each of K groups, by its name.
        curves: Averages (K, T), by the name of the method; at most five.
        sampling_rate: Samples a second; None for an axis in samples.
        step: Samples from one value to the next, where series were thinned.
    """
    across = min(2, len(groups))
    down = -(-len(groups) // across)
    figure = page(4.7 * across, 2.0 * down + 0.4)
    axes = list(figure.subplots(down, across, squeeze=False, sharex=True).flat)
    for i, (axis, (name, traces)) in enumerate(zip(axes, groups.items(), strict=False)):
        times, words = clock(traces.shape[1], sampling_rate)
        times = times * step
        axis.plot(times, traces.T, color=QUIET, linewidth=0.5, alpha=0.4)
        for colour, (method, averaged) in zip(LINES, curves.items(), strict=False):
            axis.plot(times, averaged[i], color=colour, linewidth=1.3, label=method)
        axis.set(title=name, xlabel=words if i >= len(groups) - across else "")
        axis.margins(x=0)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[len(groups) :]:
        axis.set_visible(False)
    _legend(figure, axes[0])
    return figure
