"""Latent traversals: rows of samples that vary in one quantity.

`traverse` varies content and shows templates; `traverse_deformation` varies one column of the
deformation under a fixed template. Interpolation between samples and feature arithmetic are in
files of their own. All of them return the model to its former mode and compute on its device.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import torch
from torch import Tensor

from unwarp.analysis.latents import (
    SAMPLES_PER_CHUNK,
    Axis,
    Traversal,
    as_rows,
    checked_samples,
    evaluating,
    require,
)
from unwarp.core import Factor
from unwarp.errors import DataError
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.models.losses import gaussian_rate
from unwarp.warps import Map, Warp


def traverse(
    model: Model, x: Tensor, *, index: int | None = None, span: float = 2.0, n: int = 9
) -> Traversal:
    """Rows of templates, one for each content dimension, along which it varies.

    With a stochastic encoder, a step of 1 is a standard deviation of the prior N(0, 1), and rows
    are sorted by rate: the KL of a dimension from the prior in nats, mean over `x`; a row near 0
    carries no information. With a deterministic one, a step of 1 is the standard deviation of the
    dimension over the codes of `x`, by which rows are sorted.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 2, to measure the codes on.
        index: The sample with the code to start from; None for the mean code.
        span: Largest distance from the start, in steps, to both sides.
        n: Templates in a row, 2 or more; an odd number shows the start in the middle.

    Returns:
        A row for each content dimension, the most informative first.

    Raises:
        ConfigError: `n` is below 2, or `span` is not positive.
        DataError: The samples have another shape or are too few, or `index` is no sample.
    """
    require(n >= 2, f"n={n} must be at least 2; both ends are shown")
    require(0 < span < math.inf, f"span={span} must be positive and finite; choose 1 to 3")
    x = checked_samples(model, x, "x", 2)
    if index is not None and not 0 <= index < len(x):
        raise DataError(f"index={index} is no sample: x holds {len(x)} samples, 0 to {len(x) - 1}")
    with evaluating(model):
        content, rate = _rates(model, x)
        figures = content.std(0, correction=0) if rate is None else rate
        unit = figures if rate is None else torch.ones_like(figures)
        order = figures.argsort(descending=True, stable=True)
        start = content.mean(0) if index is None else content[index]
        steps = torch.linspace(-span, span, n).to(content)
        codes = torch.diag_embed(unit)[order][:, None] * steps[:, None] + start
        x = torch.stack([model.template(row) for row in codes])
        axes = tuple(Factor(f"content_{i}", "sd", -span, span) for i in order.tolist())
        measure = "sd" if rate is None else "KL (nats)"
        return Traversal(axes, steps.expand(len(axes), n), x, figures[order], measure)


def traverse_deformation(model: Model, content: Tensor, n: int = 9) -> Traversal:
    """Rows of samples, one for each deformation parameter, along which it varies.

    All rows deform one template. A parameter covers its range, or its full circle once. Its values
    are human ones (degrees, factors, pixels) if a human column follows this parameter and no other,
    else its own. Parameters of parts without an inverse, such as the control vectors of a
    displacement, are left out.

    Args:
        model: A trained model.
        content: One content code, (D,) or (1, D).
        n: Samples in a row, 2 or more; an odd number shows the template in the middle.

    Returns:
        A row for each column of theta that varies (see `invertible_columns`), in their order.

    Raises:
        ConfigError: The warp has no such column (`Identity`), or `n` is below 2.
        DataError: `content` is not one code of the model.
    """
    require(n >= 2, f"n={n} must be at least 2; both ends are shown")
    content = content.reshape(1, -1)
    if content.shape[1] != model.n_content:
        raise DataError(
            f"content has {content.shape[1]} numbers, the model's codes have {model.n_content}; "
            "give one code of this model"
        )
    with evaluating(model):
        chart, columns = model.chart, invertible_columns(model.chart)
        require(
            bool(columns),
            f"the warp {chart.name!r} has no column to vary; choose a model with another warp",
        )
        theta = chart.theta(identity_map(model)).repeat(len(columns), n, 1)
        for row, column in enumerate(columns):
            theta[row, :, column] = grid_over(chart.factors[column], n).to(theta)
        map = chart.map(theta.flatten(0, 1))
        x = model.reconstruct(Latent(content.to(theta).expand(len(map), -1), map))
        human = {factor: as_rows(values, n) for factor, values in chart.summary(map).items()}
    parameters = [(chart.factors[i], theta[row, :, i]) for row, i in enumerate(columns)]
    axes, values = zip(*_prefer_human(parameters, human), strict=True)
    return Traversal(axes, torch.stack(values), as_rows(x, n), theta.new_zeros(0))


def _prefer_human(parameters: Sequence[Axis], human: dict[Factor, Tensor]) -> list[Axis]:
    """The axis of each row: the human column that follows this row alone, else the parameter."""
    followers = [
        human_axis({factor: values[row] for factor, values in human.items()})
        for row in range(len(parameters))
    ]
    # a human column that several parameters change belongs to none of them
    rows_followed = Counter(axis[0].name for axis in followers if axis)
    return [
        axis if axis and rows_followed[axis[0].name] == 1 else parameter
        for parameter, axis in zip(parameters, followers, strict=True)
    ]


def identity_map(model: Model) -> Map:
    """The identity as one map of a model's own family.

    Args:
        model: A model; its anchor is composed with its inverse.

    Returns:
        A map of one row that `model.chart` can convert to theta.
    """
    return model.anchor.compose(model.anchor.invert())


def invertible_columns(chart: Warp) -> tuple[int, ...]:
    """Columns of theta that `traverse_deformation` varies: those of invertible parts.

    Args:
        chart: The warp that gives the columns.

    Returns:
        Positions of the columns in theta, rising; empty for `Identity`.

    >>> from unwarp.warps import Affine2d, Chain, Displacement2d
    >>> invertible_columns(Chain(Displacement2d(3), Affine2d()))
    (18, 19, 20, 21, 22, 23)
    """
    ends = accumulate(len(part.factors) for part in chart.parts)
    spans = [
        (part, range(end - len(part.factors), end))
        for part, end in zip(chart.parts, ends, strict=True)
    ]
    return tuple(
        i
        for part, span in spans
        if span and part.map(torch.zeros(1, len(span))).is_invertible
        for i in span
    )


def grid_over(factor: Factor, n: int) -> Tensor:
    """Evenly spaced values over a factor's range.

    Args:
        factor: The factor.
        n: Number of values.

    Returns:
        Values (n,), both ends included; on a circle the middles of n equal arcs.

    >>> grid_over(Factor("rotation_deg", "deg", -180.0, 180.0, periodic=True), 4).tolist()
    [-135.0, -45.0, 45.0, 135.0]
    """
    if not factor.periodic:
        return torch.linspace(factor.low, factor.high, n)
    return factor.low + (torch.arange(n) + 0.5) * (factor.high - factor.low) / n


def human_axis(columns: dict[Factor, Tensor]) -> Axis | None:
    """The human column that follows a row of deformations most closely.

    A column follows if it rises or falls at each step; the closest covers the largest share of its
    range. Columns with equal values become one, under the words that their names share: `scale_x`
    and `scale_y` become `scale`.

    Args:
        columns: Values (n,) of each human column along the row.

    Returns:
        The column and its values (n,); None if no column follows.
    """
    following = {
        factor: values
        for factor, values in columns.items()
        if bool((values.diff() > 0).all() or (values.diff() < 0).all())
    }
    if not following:
        return None
    # several columns can follow one parameter; it is named after the one it changes most
    axis = max(following, key=lambda factor: _covered_share(factor, following[factor]))
    values = following[axis]
    names = [
        factor.name
        for factor, column in following.items()
        if factor.unit == axis.unit and torch.allclose(column, values)
    ]
    words = [
        word[0]
        for word in zip(*(name.split("_") for name in names), strict=False)
        if len(set(word)) == 1
    ]
    return replace(axis, name="_".join(words) or axis.name), values


def _covered_share(factor: Factor, values: Tensor) -> float:
    """Distance of the ends of a row (n,), in half-ranges of the factor."""
    return float((values[-1] - values[0]).abs()) / max(factor.half_range, 1e-12)


def _rates(model: Model, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Posterior means (N, D), and the mean rate (D,) of a stochastic encoder; else None."""
    posteriors = [model.encode(part) for part in torch.split(x, SAMPLES_PER_CHUNK)]
    rates = [
        gaussian_rate(q.content_mean[..., None], q.content_log_sd[..., None])
        for q in posteriors
        if q.content_log_sd is not None
    ]
    content = torch.cat([q.content_mean for q in posteriors])
    return content, torch.cat(rates).mean(0) if rates else None
