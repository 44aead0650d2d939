"""Rows and grids of samples: pictures, or small traces of series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unwarp.core import Array
from unwarp.plots.style import COLOURS, INK, MINUS, number, page, styled

Row = Array | Sequence[Array | None]
TILE = 0.62
STEP = 1.14
FLAT = 0.62
ACROSS = 9.0


def picture(x: Array) -> Array:
    """A sample (C, H, W) as matplotlib wants it: (H, W) or (H, W, 3), within [0, 1]."""
    shown = x[0] if x.shape[0] != 3 else np.moveaxis(x, 0, -1)
    return np.clip(shown, 0, 1)


def limits(x: Iterable[Array | None]) -> tuple[float, float]:
    """Common vertical limits of samples, so that the heights of series compare."""
    ends = [(float(sample.min()), float(sample.max())) for sample in x if sample is not None]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def tile(
    axis: Any, sample: Array | None, height: tuple[float, float], x: float = 0.0, y: float = 0.0
) -> list[Any]:
    """Draw one sample, (C, H, W), or (C, T) within the limits `height`, 1 wide with its lower left corner at (x, y).

    None leaves the place free. Gives what was drawn.
    """
    if sample is None:
        return []
    if is_picture(sample):
        box = (x, x + 1, y, y + sample.shape[1] / sample.shape[2])
        return [
            axis.imshow(
                picture(sample), cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=box
            )
        ]
    heights, times = (
        FLAT * (sample - height[0]) / (height[1] - height[0]),
        x + np.linspace(0, 1, sample.shape[1]),
    )
    colours = (INK,) if len(sample) == 1 else COLOURS
    return [
        axis.plot(times, y + channel, color=colours[i % len(colours)], linewidth=0.8)[0]
        for i, channel in enumerate(heights)
    ]


def bare(axis: Any, width: float, height: float) -> None:
    """Axes that show nothing but what is drawn in them, over (0, width) and (0, height)."""
    axis.set(xlim=(0, width), ylim=(0, height), xticks=[], yticks=[], aspect="equal")
    axis.spines[:].set_visible(False)


def is_picture(sample: Array) -> bool:
    """Whether a sample is drawn as a picture (C, H, W), rather than as traces (C, T)."""
    return sample.ndim == 3


def ratio(sample: Array) -> float:
    """Height over width of the tile of a sample: that of a picture, `FLAT` for a series."""
    return sample.shape[1] / sample.shape[2] if is_picture(sample) else FLAT


def breadth(sample: Array, n: int) -> float:
    """Inches across the tile of a sample, one of `n` in a row: where there are few series, they get more room."""
    return TILE if is_picture(sample) else float(np.clip(ACROSS / (STEP * n), TILE, 2 * TILE))


@styled
def gallery(
    rows: Mapping[str, Row], title: str = "", under: Mapping[str, Sequence[str]] | None = None
) -> Figure:
    """Rows of samples under one another.

    Args:
        rows: Samples (N, C, H, W) or (N, C, T) by the name of their row; None among them leaves a place free.
        title: Title of the figure.
        under: Words under the samples of a row, by its name.
    """
    under = under or {}
    shown = [sample for row in rows.values() for sample in row]
    n, high, height = (
        max(map(len, rows.values())),
        max(ratio(x) for x in shown if x is not None),
        limits(shown),
    )
    wide = breadth(next(x for x in shown if x is not None), n)
    tall = (wide * high + 0.07) * len(rows) + 0.18 * len(under) + (0.35 if title else 0.1)
    figure = page(1.1 + wide * STEP * n, tall, "compressed")
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
    step, wide = high + STEP - 1, breadth(x[0], across)
    figure = page(wide * STEP * across, wide * step * down, "compressed")
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
    rows: dict[str, Row] = {
        "observed": _apart(ends, len(x_hat)),
        "template": templates,
        "deformed": x_hat,
    }
    return gallery(
        rows, under={"deformed": [number(share) for share in np.linspace(0, 1, len(x_hat))]}
    )


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
    return gallery(
        rows, under={"observed": ["a", *[""] * (n - 2), "b"], labels[-1]: ["as a", *shares, "as b"]}
    )


def _apart(ends: Array, n: int) -> Row:
    """Two samples at the ends of a row of `n`."""
    return [ends[0], *[None] * (n - 2), ends[1]]


def arithmetic(
    names: Sequence[str], to: Array, plus: Array, minus: Array, result: Array, seen: Array
) -> Figure:
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
    rows = {
        name: np.stack([start, plus[0], minus[0], end, moved]) for name, start, end, moved in terms
    }
    return gallery(
        rows, under={names[-1]: ("template", "+ plus", f"{MINUS} minus", "= sum", "deformed")}
    )
