"""Latent traversals: rows of samples that vary in one quantity.

`traverse` varies the content and returns templates. `traverse_deformation` deforms one template and
varies one parameter in each row. Both compute on the model's device, and afterwards the model has
its former mode (training or evaluation) again.

Words: theta are the parameters of a deformation. Summary columns are the deformation in units for
people, such as degrees and pixels. `model.chart` is the model's warp for centred maps, which
converts between theta, maps and summary columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import torch
from torch import Tensor

from unwarp.analysis.latents import (
    PATH_LENGTH,
    Axis,
    Traversal,
    as_rows,
    check_model,
    checked_samples,
    evaluating,
    require,
)
from unwarp.core import Factor
from unwarp.data.prepared import SAMPLES_PER_CHUNK
from unwarp.errors import DataError
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.models.losses import gaussian_rate
from unwarp.range_kinds import Real, Whole
from unwarp.ranges import check_value
from unwarp.values import brief
from unwarp.warps import Map, Warp


def traverse(
    model: Model, x: Tensor, *, index: int | None = None, span: float = 2.0, n: int = 9
) -> Traversal:
    """Rows of templates; each row varies one content dimension.

    With a stochastic encoder, a step of 1 is a standard deviation of the prior N(0, 1). Rows are
    sorted by the KL divergence of the dimension's posterior from the prior, in nats, mean over `x`;
    a dimension with a KL divergence near 0 carries no information. With a deterministic encoder, a
    step of 1 is the standard deviation of the dimension over the codes of `x`, and rows are sorted
    by this standard deviation.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 2, on which KL divergences or standard deviations are measured.
        index: Row in `x` of the sample with the code in the middle of all rows; None for the mean
            code.
        span: Largest distance from the middle, in steps, on both sides.
        n: Templates in a row, 2 or more; with an odd number, the middle is included.

    Returns:
        A row for each content dimension, sorted as described above.

    Raises:
        ConfigError: `n` is below 2, or `span` is not positive.
        DataError: The samples have another shape or are too few, or `index` is not a row of `x`.
    """
    check_value("n", n, PATH_LENGTH)
    check_value("span", span, Real(0, unit="standard deviations"))
    x = checked_samples(model, x, "x", 2)
    if not Whole(0, len(x) - 1, is_optional=True).allows(index):
        raise DataError(
            f"index={brief(index)} is not a row of x; give a number from 0 to {len(x) - 1}"
        )
    with evaluating(model):
        content, kl = _posterior(model, x)
        row_scores = content.std(0, correction=0) if kl is None else kl
        unit = row_scores if kl is None else torch.ones_like(row_scores)
        order = row_scores.argsort(descending=True, stable=True)
        start = content.mean(0) if index is None else content[index]
        steps = torch.linspace(-span, span, n).to(content)
        codes = torch.diag_embed(unit)[order][:, None] * steps[:, None] + start
        x = torch.stack([model.template(row) for row in codes])
        axes = tuple(Factor(f"content_{i}", "sd", -span, span) for i in order.tolist())
        measure = "sd" if kl is None else "KL (nats)"
        return Traversal(axes, steps.expand(len(axes), n), x, row_scores[order], measure)


def traverse_deformation(model: Model, content: Tensor, n: int = 9) -> Traversal:
    """Rows of samples; each row varies one deformation parameter.

    All rows deform the same template. The parameter covers its range, or the full circle once. If a
    summary column (degrees, factors, pixels) changes along this row and no other, its values are
    returned, else those of the parameter. Parameters of maps without an inverse, such as the
    control vectors of a displacement, are left out.

    Args:
        model: A trained model.
        content: One content code, (D,) or (1, D).
        n: Samples in a row, 2 or more; with an odd number, the template is in the middle.

    Returns:
        A row for each column of theta in `invertible_columns`, in the order of theta.

    Raises:
        ConfigError: The warp has no such column (`Identity`), or `n` is below 2.
        DataError: `content` is not one code of the model.
    """
    check_value("n", n, PATH_LENGTH)
    check_model(model)
    if not isinstance(content, Tensor) or content.is_complex() or not content.isfinite().all():
        raise DataError(
            f"content={brief(content)} is no code of finite numbers; give a tensor (D,) or (1, D)"
        )
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
        summary = {factor: as_rows(values, n) for factor, values in chart.summary(map).items()}
    parameters = [(chart.factors[i], theta[row, :, i]) for row, i in enumerate(columns)]
    axes, values = zip(*_prefer_summary(parameters, summary), strict=True)
    no_scores = theta.new_zeros(0)
    return Traversal(axes, torch.stack(values), as_rows(x, n), no_scores)


def _prefer_summary(parameters: Sequence[Axis], summary: dict[Factor, Tensor]) -> list[Axis]:
    """The axis of each row: its own summary column if it has one, else the parameter.

    A row's own summary column varies along no other row.

    Args:
        parameters: The parameter that varies along each row (R), and its values (n,).
        summary: Values of each summary column (R, n).
    """
    candidates = [
        summary_axis({factor: values[row] for factor, values in summary.items()})
        for row in range(len(parameters))
    ]
    # a summary column that several parameters change is the axis of none of them
    rows_per_column = Counter(axis[0].name for axis in candidates if axis)
    return [
        axis if axis and rows_per_column[axis[0].name] == 1 else parameter
        for parameter, axis in zip(parameters, candidates, strict=True)
    ]


def identity_map(model: Model) -> Map:
    """The identity as a map with theta in the model's chart.

    An `IdentityMap` would not have the dtype and the device of the model.

    Args:
        model: The model.

    Returns:
        A map of one row: the product of the model's anchor and its inverse.
    """
    return model.anchor.compose(model.anchor.invert())


def invertible_columns(chart: Warp) -> tuple[int, ...]:
    """Columns of theta that belong to invertible families of a warp.

    `traverse_deformation` varies these columns.

    Args:
        chart: The warp that defines the columns.

    Returns:
        Positions of the columns in theta, in increasing order; empty for `Identity`.

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
        Values (n,), both ends included; for a periodic factor the middles of n equal arcs, for a
        discrete factor its two values.

    >>> grid_over(Factor("rotation_deg", "deg", -180.0, 180.0, periodic=True), 4).tolist()
    [-135.0, -45.0, 45.0, 135.0]
    """
    if factor.discrete:
        return torch.linspace(factor.low, factor.high, n).round()
    if not factor.periodic:
        return torch.linspace(factor.low, factor.high, n)
    return factor.low + (torch.arange(n) + 0.5) * (factor.high - factor.low) / n


def summary_axis(columns: dict[Factor, Tensor]) -> Axis | None:
    """The summary column that describes a row of deformations best.

    Candidates are the columns that strictly increase or strictly decrease along the row; the best
    covers the largest share of its range. Other candidates with equal values and unit are joined
    with it, and the name is the part that their names have in common: `scale_x` and `scale_y`
    become `scale`.

    Args:
        columns: Values (n,) of each summary column along the row.

    Returns:
        The column and its values (n,); None if there is no candidate.
    """
    candidates = {
        factor: values
        for factor, values in columns.items()
        if bool((values.diff() > 0).all() or (values.diff() < 0).all())
    }
    if not candidates:
        return None
    axis = max(candidates, key=lambda factor: _covered_share(factor, candidates[factor]))
    values = candidates[axis]
    names = [
        factor.name
        for factor, column in candidates.items()
        if factor.unit == axis.unit and torch.allclose(column, values)
    ]
    # words at the same position that all names have
    words = [
        word[0]
        for word in zip(*(name.split("_") for name in names), strict=False)
        if len(set(word)) == 1
    ]
    return replace(axis, name="_".join(words) or axis.name), values


def _covered_share(factor: Factor, values: Tensor) -> float:
    """Distance between the ends of a row (n,), in half-ranges of the factor."""
    # a range of width 0 must not divide by 0
    return float((values[-1] - values[0]).abs()) / max(factor.half_range, 1e-12)


def _posterior(model: Model, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Posterior means of the content, and KL divergences from the prior.

    Returns:
        Means (N, D), and the KL divergence of each dimension (D,) in nats, mean over samples; None
        for a deterministic encoder.
    """
    posteriors = [model.encode(part) for part in torch.split(x, SAMPLES_PER_CHUNK)]
    kls = [
        gaussian_rate(q.content_mean[..., None], q.content_log_sd[..., None])
        for q in posteriors
        if q.content_log_sd is not None
    ]
    content = torch.cat([q.content_mean for q in posteriors])
    return content, torch.cat(kls).mean(0) if kls else None
