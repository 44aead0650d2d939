"""Rows and grids of samples: galleries, traversals, interpolations, feature arithmetic.

A sample of shape `*shape` is an image (C, H, W) with intensities in [0, 1], or a series (C, T). Its
template is the sample with its deformation removed. A tile is a small drawing of one sample. All
series of a figure have the same vertical scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unwarp.core import Array
from unwarp.plots.style import MINUS, TEXT_COLOUR, format_number, new_figure, with_style
from unwarp.plots.tiles import (
    TILE_STEP,
    aspect_ratio,
    common_limits,
    draw_tile,
    hide_frame,
    tile_inches,
)

Row = Array | Sequence[Array | None]
"""Samples (n, *shape) of a row, or a list of samples; None leaves a place empty."""

LABEL_INCHES = 1.1
"""Width of the names of the rows, at the left."""

ROW_GAP_INCHES = 0.07
"""Space between two rows."""

CAPTION_INCHES = 0.18
"""Height of a row of captions."""

TITLE_INCHES = 0.35
"""Height of the title of a figure."""

MARGIN_INCHES = 0.1
"""Margin at the top of a figure without a title."""


@with_style
def gallery(
    rows: Mapping[str, Row], title: str = "", captions: Mapping[str, Sequence[str]] | None = None
) -> Figure:
    """Rows of samples, one below the other, with names at the left.

    The samples of a column belong together, such as an observation, its template and its
    reconstruction.

    Args:
        rows: Samples (N, *shape) by the name of their row. A row may be a list; None in the list
            leaves a place empty.
        title: Title of the figure; empty for none.
        captions: Captions under the samples of a row (N,), of one or more lines, by the name of the
            row.

    Returns:
        A figure with one set of axes per row. Its width is about 0.7 inches per image.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).random((5, 1, 8, 8))
    >>> figure = gallery({"observed": x, "template": 1 - x})
    >>> [axis.get_ylabel() for axis in figure.axes]
    ['observed', 'template']
    """
    captions = captions or {}
    tiles = [x for row in rows.values() for x in row if x is not None]
    n, height = max(map(len, rows.values())), max(map(aspect_ratio, tiles))
    limits, inches = common_limits(tiles), tile_inches(tiles[0], n)
    row_inches = (inches * height + ROW_GAP_INCHES) * len(rows)
    n_lines = sum(1 + max(text.count("\n") for text in texts) for texts in captions.values())
    figure_height = row_inches + CAPTION_INCHES * n_lines
    figure_height += TITLE_INCHES if title else MARGIN_INCHES
    figure = new_figure(LABEL_INCHES + inches * TILE_STEP * n, figure_height, "compressed")
    axes = figure.subplots(len(rows), 1, squeeze=False).flat
    for axis, (name, row) in zip(axes, rows.items(), strict=True):
        _draw_row(axis, row, n, height, limits)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", color=TEXT_COLOUR)
        if name in captions:
            _caption_row(axis, captions[name], n)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _draw_row(axis: Any, row: Row, n: int, height: float, limits: tuple[float, float]) -> None:
    """Draw a row of samples, from the left, into axes with room for `n` tiles."""
    for i, sample in enumerate(row):
        draw_tile(axis, sample, limits, i * TILE_STEP)
    hide_frame(axis, n * TILE_STEP - TILE_STEP + 1, height)


def _caption_row(axis: Any, captions: Sequence[str], n: int) -> None:
    """Write a caption under each of the `n` tiles of a row."""
    centres = [i * TILE_STEP + 0.5 for i in range(n)]
    axis.set_xticks(centres, captions, fontsize=7, color=TEXT_COLOUR)
    axis.tick_params(length=0)


@with_style
def samples(x: Array, n_columns: int | None = None) -> Figure:
    """A grid of samples, filled row by row from the upper left.

    Args:
        x: Images (N, C, H, W) or series (N, C, T).
        n_columns: Samples per row, at most N; None for about as many columns as rows.

    Returns:
        A figure with one set of axes.

    >>> import numpy as np
    >>> figure = samples(np.zeros((7, 1, 8, 8)), 3)
    >>> len(figure.axes[0].images)
    7
    """
    n_columns = min(len(x), n_columns or max(1, round(len(x) ** 0.5)))
    n_rows, height, limits = -(-len(x) // n_columns), aspect_ratio(x[0]), common_limits(x)
    step, inches = height + TILE_STEP - 1, tile_inches(x[0], n_columns)
    figure = new_figure(inches * TILE_STEP * n_columns, inches * step * n_rows, "compressed")
    axis = figure.subplots()
    for i, sample in enumerate(x):
        row, column = divmod(i, n_columns)
        draw_tile(axis, sample, limits, column * TILE_STEP, (n_rows - 1 - row) * step)
    hide_frame(axis, n_columns * TILE_STEP - TILE_STEP + 1, n_rows * step - TILE_STEP + 1)
    return figure


def traversal(labels: Sequence[str], values: Array, x: Array, unit: str = "") -> Figure:
    """A latent traversal: one latent dimension varies along each row.

    `unwarp.analysis.traverse` and `traverse_deformation` compute the arguments.

    Args:
        labels: Name of the dimension that varies in each of R rows.
        values: Values of the dimension that varies (R, n). If all rows have the same values, they
            are written once, under the last row; otherwise under every row.
        x: Samples (R, n, *shape).
        unit: Unit that is written after each value; empty for none.

    Returns:
        A figure with R rows of n samples.

    >>> import numpy as np
    >>> values = np.array([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
    >>> figure = traversal(("content 0", "content 1"), values, np.zeros((2, 3, 1, 8, 8)), "sd")
    >>> figure.axes[1].get_xticklabels()[2].get_text()
    '1 sd'
    """
    rows = dict(zip(labels, x, strict=True))
    captions = [[f"{format_number(value)} {unit}".strip() for value in row] for row in values]
    if len(values) > 1 and bool((values == values[0]).all()):
        return gallery(rows, captions={labels[-1]: captions[-1]})
    return gallery(rows, captions=dict(zip(labels, captions, strict=True)))


def interpolation(ends: Array, templates: Array, x_hat: Array) -> Figure:
    """The path between two observed samples in latent space.

    The first row shows the two observed samples at its left and right end. The second row shows the
    templates along the path, and the third row the same templates under the interpolated
    deformations. The numbers below are fractions of the path, from 0 to 1.

    Args:
        ends: The two observed samples (2, *shape).
        templates: Decoded templates (n, *shape) at evenly spaced points of the path.
        x_hat: The same templates, deformed (n, *shape).

    Returns:
        A figure with three rows of n places.
    """
    rows: dict[str, Row] = {
        "observed": _spread_ends(ends, len(x_hat)),
        "template": templates,
        "deformed": x_hat,
    }
    fractions = [format_number(fraction) for fraction in np.linspace(0, 1, len(x_hat))]
    return gallery(rows, captions={"deformed": fractions})


def chunks(labels: Sequence[str], ends: Array, x: Array) -> Figure:
    """Paths between two observed samples a and b, one chunk per row.

    A chunk is a part of the latents: a group of content dimensions, or the deformation. In each row
    one chunk goes from its value in a to its value in b; the other chunks stay as in a.
    `unwarp.analysis.interpolate_chunks` computes the samples.

    Args:
        labels: Name of the chunk that varies in each of R rows.
        ends: The samples a and b as observed (2, *shape).
        x: Samples (R, n, *shape), n >= 2. In the first sample of a row all chunks are as in a; in
            the last one the chunk of the row is as in b.

    Returns:
        A figure with R + 1 rows; the first shows a and b.
    """
    n = x.shape[1]
    rows: dict[str, Row] = {"observed": _spread_ends(ends, n), **dict(zip(labels, x, strict=True))}
    fractions = [format_number(fraction) for fraction in np.linspace(0, 1, n)[1:-1]]
    captions = {
        "observed": ["a", *[""] * (n - 2), "b"],
        labels[-1]: ["as a", *fractions, "as b"],
    }
    return gallery(rows, captions=captions)


def _spread_ends(ends: Array, n: int) -> Row:
    """A row of `n` places with two samples at its ends and empty places between them."""
    return [ends[0], *[None] * (n - 2), ends[1]]


def arithmetic(
    names: Sequence[str], to: Array, plus: Array, minus: Array, result: Array, deformed: Array
) -> Figure:
    """Feature arithmetic as an equation of templates, one row per changed sample.

    A row reads: template + plus - minus = sum. At its right end is the sum under the deformation
    of the sample. The method is that of Radford, Metz and Chintala (2016).
    `unwarp.analysis.arithmetic` computes the templates.

    Args:
        names: Names of the M samples, at the left of their rows.
        to: Templates of the samples (M, *shape).
        plus: Template of the mean code that is added (1, *shape).
        minus: Template of the mean code that is subtracted (1, *shape).
        result: Templates of the sums (M, *shape).
        deformed: Templates of the sums, each under the deformation of its sample (M, *shape).

    Returns:
        A figure with M rows of five samples.
    """
    rows = {
        name: np.stack([template, plus[0], minus[0], total, observation])
        for name, template, total, observation in zip(names, to, result, deformed, strict=True)
    }
    captions = ("template", "+ plus", f"{MINUS} minus", "= sum", "deformed")
    return gallery(rows, captions={names[-1]: captions})
