"""Walks through a trained model's latent space: `interpolate`, `interpolate_chunks`, `traverse`, `arithmetic`, `traverse_deformation`.

Content and deformation are told apart, so each walk says which of them moves: interpolation moves both, at once or chunk
by chunk, traversals and arithmetic move content and show templates, and `traverse_deformation` moves one column of the deformation
under a template that stands still. All functions leave the model as it was and compute where its weights lie.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import accumulate

import torch
from torch import Tensor

from unwarp.analysis.latents import PIECE, Axis, Traversal, _check, _rows, _samples, evaluating
from unwarp.core import Factor
from unwarp.errors import DataError
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.models.losses import gaussian_rate
from unwarp.warps import Map, Warp


def traverse(
    model: Model, x: Tensor, *, index: int | None = None, span: float = 2.0, n: int = 9
) -> Traversal:
    """A row of templates for each content dimension, which moves by up to `span` to either side of where it stands.

    Where the encoder is stochastic a step of 1 is a standard deviation of the prior N(0, 1), and rows are sorted by
    their rate: KL from the prior in nats, averaged over `x`; a row near 0 carries nothing. Otherwise a step of 1 is the
    standard deviation of the codes of `x` along that dimension, by which rows are sorted.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 2, that tell what the codes are like.
        index: The sample about whose code to walk; None for the mean code.
        span: Reach to either side.
        n: Samples in a row; an odd number shows the start in the middle.

    Raises:
        ConfigError: `n` below 2, or a span that is not positive.
        DataError: Samples of another shape, too few of them, or no such `index`.
    """
    _check(n >= 2, f"n={n} must be at least 2: both ends are shown")
    _check(0 < span < math.inf, f"span={span} must be positive and finite")
    x = _samples(model, x, "x", 2)
    if index is not None and not 0 <= index < len(x):
        raise DataError(f"index={index} is no sample: x holds {len(x)} samples, 0 to {len(x) - 1}")
    with evaluating(model):
        content, rate = _rates(model, x)
        figures = content.std(0, correction=0) if rate is None else rate
        unit = figures if rate is None else torch.ones_like(figures)
        order = figures.argsort(descending=True, stable=True)
        start = content.mean(0) if index is None else content[index]
        steps = torch.linspace(-span, span, n).to(content)
        moved = torch.diag_embed(unit)[order][:, None] * steps[:, None] + start
        x = torch.stack([model.template(row) for row in moved])
        axes = tuple(Factor(f"content_{i}", "sd", -span, span) for i in order.tolist())
        measure = "sd" if rate is None else "KL (nats)"
        return Traversal(axes, steps.expand(len(axes), n), x, figures[order], measure)


def traverse_deformation(model: Model, content: Tensor, n: int = 9) -> Traversal:
    """A row for each column of the deformation, over its range, under the template of `content` (D,) or (1, D).

    Values are human ones (degrees, factors, pixels) where a human column follows this parameter and no other, else the
    parameter's own. The columns of a part without an inverse, such as the control vectors of a displacement, are left
    out. A periodic column is shown at `n` places around its circle.

    Raises:
        ConfigError: The warp has no such column (`Identity`), or `n` below 2.
        DataError: `content` is not one code of the model.
    """
    _check(n >= 2, f"n={n} must be at least 2: both ends are shown")
    content = content.reshape(1, -1)
    if content.shape[1] != model.n_content:
        raise DataError(
            f"content has {content.shape[1]} numbers, the model's codes have {model.n_content}"
        )
    with evaluating(model):
        chart, columns = model.chart, walkable_columns(model.chart)
        _check(
            bool(columns),
            f"the warp {chart.name!r} has no column to walk along; choose a model with another warp",
        )
        still = chart.theta(identity_map(model))
        theta = still.repeat(len(columns), n, 1)
        for row, column in enumerate(columns):
            theta[row, :, column] = grid_over(chart.factors[column], n).to(theta)
        map = chart.map(theta.flatten(0, 1))
        x = model.reconstruct(Latent(content.to(theta).expand(len(map), -1), map))
        human = {factor: _rows(values, n) for factor, values in chart.summary(map).items()}
    followed = [
        human_axis({f: values[row] for f, values in human.items()}) for row in range(len(columns))
    ]
    own = [(chart.factors[column], theta[row, :, column]) for row, column in enumerate(columns)]
    # a human column that several parameters move belongs to none of them
    rivals = Counter(found[0].name for found in followed if found)
    shown = [
        found if found and rivals[found[0].name] == 1 else mine
        for mine, found in zip(own, followed, strict=True)
    ]
    axes, values = zip(*shown, strict=True)
    return Traversal(axes, torch.stack(values), _rows(x, n), theta.new_zeros(0))


def identity_map(model: Model) -> Map:
    """The deformation that moves nothing, as one map of the model's own family: an anchor and its inverse."""
    return model.anchor.compose(model.anchor.invert())


def walkable_columns(chart: Warp) -> tuple[int, ...]:
    """Positions of theta's columns that `traverse_deformation` walks along: those of parts with an inverse."""
    ends = accumulate(len(part.factors) for part in chart.parts)
    spans = [
        (part, range(end - len(part.factors), end))
        for part, end in zip(chart.parts, ends, strict=True)
    ]
    return tuple(
        i
        for part, span in spans
        if span and part.map(torch.zeros(1, len(span))).invertible
        for i in span
    )


def grid_over(factor: Factor, n: int) -> Tensor:
    """`n` places over a factor's range, ends included; around a circle, evenly and each once."""
    if not factor.periodic:
        return torch.linspace(factor.low, factor.high, n)
    return factor.low + (torch.arange(n) + 0.5) * (factor.high - factor.low) / n


def human_axis(columns: dict[Factor, Tensor]) -> Axis | None:
    """The human column that follows a walk most closely, with its values (n,); several that go alike become one."""
    following = {
        f: values
        for f, values in columns.items()
        if bool((values.diff() > 0).all() or (values.diff() < 0).all())
    }
    if not following:
        return None
    axis = max(
        following,
        key=lambda f: float((following[f][-1] - following[f][0]).abs()) / max(f.half_range, 1e-12),
    )
    values = following[axis]
    alike = [
        f.name
        for f, other in following.items()
        if f.unit == axis.unit and torch.allclose(other, values)
    ]
    words = [
        word[0]
        for word in zip(*(name.split("_") for name in alike), strict=False)
        if len(set(word)) == 1
    ]
    return replace(axis, name="_".join(words) or axis.name), values


def _rates(model: Model, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Mean content codes (N, D), and the mean rate of each dimension (D,) where the encoder is stochastic."""
    posteriors = [model.encode(part) for part in torch.split(x, PIECE)]
    rates = [
        gaussian_rate(q.content_mean[..., None], q.content_log_sd[..., None])
        for q in posteriors
        if q.content_log_sd is not None
    ]
    return torch.cat([q.content_mean for q in posteriors]), torch.cat(rates).mean(
        0
    ) if rates else None
