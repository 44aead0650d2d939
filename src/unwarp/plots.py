"""Figures: arrays in, a matplotlib `Figure` out; nothing is shown or written here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unwarp.types import Factor

Array = NDArray[Any]
Row = Array | Sequence[Array | None]
P = ParamSpec("P")
T = TypeVar("T")
TILE = 0.62
STEP = 1.14
MINUS = "\N{MINUS SIGN}"
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


def _figure(width: float, height: float, layout: Literal["constrained", "compressed"] = "constrained") -> Figure:
    return Figure(figsize=(width, height), dpi=130, layout=layout)


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw in the house's style, whatever the user's own is."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def picture(x: Array) -> Array:
    """A sample (C, H, W) as matplotlib wants it: (H, W) or (H, W, 3), within [0, 1]."""
    shown = x[0] if x.shape[0] != 3 else np.moveaxis(x, 0, -1)
    return np.clip(shown, 0, 1)


def number(value: float) -> str:
    """A number in three digits, with the minus sign of axes."""
    return f"{float(f'{value:.3g}') + 0.0:g}".replace("-", MINUS)


def limits(x: Iterable[Array | None]) -> tuple[float, float]:
    """Common vertical limits of samples, so that the heights of series compare."""
    ends = [(float(sample.min()), float(sample.max())) for sample in x if sample is not None]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def tile(axis: Any, sample: Array | None, height: tuple[float, float], x: float = 0.0, y: float = 0.0) -> list[Any]:
    """Draw one sample, (C, H, W), or (C, T) within the limits `height`, 1 wide with its lower left corner at (x, y).

    None leaves the place free. Gives what was drawn.
    """
    if sample is None:
        return []
    if sample.ndim == 3:
        box = (x, x + 1, y, y + sample.shape[1] / sample.shape[2])
        return [axis.imshow(picture(sample), cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=box)]
    heights = (sample - height[0]) / (height[1] - height[0])
    return list(axis.plot(x + np.linspace(0, 1, sample.shape[1]), y + heights.T, color=INK, linewidth=0.8))


def bare(axis: Any, width: float, height: float) -> None:
    """Axes that show nothing but what is drawn in them, over (0, width) and (0, height)."""
    axis.set(xlim=(0, width), ylim=(0, height), xticks=[], yticks=[], aspect="equal")
    axis.spines[:].set_visible(False)


def ratio(sample: Array) -> float:
    """Height over width of the tile of a sample: that of a picture, 1 for a series."""
    return sample.shape[1] / sample.shape[2] if sample.ndim == 3 else 1.0


@styled
def gallery(rows: Mapping[str, Row], title: str = "", under: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """Rows of samples under one another.

    Args:
        rows: Samples (N, C, H, W) or (N, C, T) by the name of their row; None among them leaves a place free.
        title: Title of the figure.
        under: Words under the samples of a row, by its name.
    """
    under = under or {}
    shown = [sample for row in rows.values() for sample in row]
    n, high, height = max(map(len, rows.values())), max(ratio(x) for x in shown if x is not None), limits(shown)
    tall = (TILE * high + 0.07) * len(rows) + 0.18 * len(under) + (0.35 if title else 0.1)
    figure = _figure(1.1 + TILE * STEP * n, tall, "compressed")
    axes = figure.subplots(len(rows), 1, squeeze=False).flat
    for axis, (name, samples) in zip(axes, rows.items(), strict=True):
        for i, sample in enumerate(samples):
            tile(axis, sample, height, i * STEP)
        bare(axis, n * STEP - STEP + 1, high)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", color=INK)
        if name in under:
            axis.set_xticks([i * STEP + 0.5 for i in range(n)], under[name], fontsize=7, color=INK)
            axis.tick_params(length=0)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


@styled
def samples(x: Array, across: int | None = None) -> Figure:
    """A grid of samples (N, C, H, W) or (N, C, T), `across` in a row; about a square where None."""
    across = min(len(x), across or max(1, round(len(x) ** 0.5)))
    down, high, height = -(-len(x) // across), ratio(x[0]), limits(x)
    step = high + STEP - 1
    figure = _figure(TILE * STEP * across, TILE * step * down, "compressed")
    axis = figure.subplots()
    for i, sample in enumerate(x):
        tile(axis, sample, height, i % across * STEP, (down - 1 - i // across) * step)
    bare(axis, across * STEP - STEP + 1, down * step - STEP + 1)
    return figure


def traversal(labels: Sequence[str], values: Array, x: Array, unit: str = "") -> Figure:
    """Rows of samples along each of which one number moves.

    Args:
        labels: Name of each row (R,).
        values: Where the number stands (R, n): written under every row, or once where all rows share them.
        x: The samples (R, n, *shape).
        unit: Unit of shared values.
    """
    words = [[f"{number(value)} {unit}".strip() for value in row] for row in values]
    if len(values) > 1 and bool((values == values[0]).all()):
        return gallery(dict(zip(labels, x, strict=True)), under={labels[-1]: words[-1]})
    return gallery(dict(zip(labels, x, strict=True)), under=dict(zip(labels, words, strict=True)))


def interpolation(ends: Array, templates: Array, x_hat: Array) -> Figure:
    """The way between two observed samples `ends` (2, *shape), in templates and reconstructions (n, *shape)."""
    rows: dict[str, Row] = {"observed": _apart(ends, len(x_hat)), "template": templates, "deformed": x_hat}
    return gallery(rows, under={"deformed": [number(share) for share in np.linspace(0, 1, len(x_hat))]})


def chunks(labels: Sequence[str], ends: Array, x: Array) -> Figure:
    """The way between two observed samples `ends` (2, *shape), one chunk of the code in each row.

    Args:
        labels: Name of the chunk that moves in each row (R,).
        ends: The samples a and b as observed.
        x: Rows of samples (R, n, *shape), from all as in a to that chunk as in b.
    """
    n = x.shape[1]
    rows: dict[str, Row] = {"observed": _apart(ends, n), **dict(zip(labels, x, strict=True))}
    shares = [number(share) for share in np.linspace(0, 1, n)[1:-1]]
    return gallery(rows, under={"observed": ["a", *[""] * (n - 2), "b"], labels[-1]: ["as a", *shares, "as b"]})


def _apart(ends: Array, n: int) -> Row:
    """Two samples at the ends of a row of `n`."""
    return [ends[0], *[None] * (n - 2), ends[1]]


def arithmetic(names: Sequence[str], to: Array, plus: Array, minus: Array, result: Array, seen: Array) -> Figure:
    """Feature arithmetic as an equation of templates, one row for each of M samples.

    Args:
        names: Names of the samples (M,).
        to: Their templates (M, *shape).
        plus: The mean that is added (1, *shape).
        minus: The mean that is taken away (1, *shape).
        result: Templates of the sums (M, *shape).
        seen: The sums, deformed as the samples are (M, *shape).
    """
    terms = zip(names, to, result, seen, strict=True)
    rows = {name: np.stack([start, plus[0], minus[0], end, moved]) for name, start, end, moved in terms}
    return gallery(rows, under={names[-1]: ("template", "+ plus", f"{MINUS} minus", "= sum", "deformed")})


@styled
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


@styled
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


@styled
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


@styled
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
    if axis.lines:
        axis.legend(frameon=False)
    return figure
