"""Ways from one sample to another: at once, or chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import torch
from torch import Tensor

from unwarp.analysis.latents import (
    Rendering,
    Traversal,
    _check,
    _encode,
    _rows,
    _samples,
    evaluating,
)
from unwarp.core import Factor, PathKind
from unwarp.errors import ConfigError
from unwarp.models import Model


def interpolate(
    model: Model, a: Tensor, b: Tensor, n: int = 9, path: PathKind = "linear"
) -> Rendering:
    """`n` samples from `a` to `b` (*shape), ends included: content along `path`, the deformation straight in its chart.

    A spherical path (Shoemake 1985; White 2016, Sampling generative networks) runs along the circle about the origin,
    where a prior N(0, 1) has its mass: between codes of one norm it keeps that norm. Two codes on one line through the
    origin have no such circle between them and are joined straight. Angles go the shortest way round.

    Raises:
        ConfigError: An unknown `path`, or `n` below 2.
        DataError: A sample of another shape.
    """
    if path not in get_args(PathKind):
        raise ConfigError(
            f"path={path!r} is unknown; choose one of {', '.join(get_args(PathKind))}"
        )
    with evaluating(model):
        content, theta, t = _ends(model, a, b, n)
        way = spherical if path == "spherical" else torch.lerp
        return Rendering.of(
            model, way(content[:1], content[1:], t), torch.lerp(theta[:1], theta[1:], t)
        )


def interpolate_chunks(
    model: Model, a: Tensor, b: Tensor, sizes: Sequence[int] = (), n: int = 9
) -> Traversal:
    """A row for each chunk of content, and one for the deformation, that alone goes from `a` to `b` (*shape).

    All else stays as in `a`. Chunks have `sizes` in columns, such as `MixingAE.sizes`; without, each dimension is one. The
    deformation goes straight in its chart, angles the shortest way round. Shown are `n` reconstructions a row, ends included.

    Raises:
        ConfigError: Sizes that do not sum to the model's content, or `n` below 2.
        DataError: A sample of another shape.
    """
    parts = tuple(sizes) or (1,) * model.n_content
    fit = min(parts) >= 1 and sum(parts) == model.n_content
    _check(
        fit, f"sizes={parts} must be 1 or more and sum to the model's n_content={model.n_content}"
    )
    with evaluating(model):
        content, theta, t = _ends(model, a, b, n)
        names = [f"{'chunk' if sizes else 'content'}_{i + bool(sizes)}" for i in range(len(parts))]
        if theta.shape[1]:
            names, parts = [*names, "deformation"], (*parts, theta.shape[1])
        moving = torch.eye(len(parts)).repeat_interleave(torch.tensor(parts), 1).to(t)
        first, last = torch.cat([content, theta], 1)
        walk = torch.lerp(first, last, moving[:, None] * t).flatten(0, 1)
        x = Rendering.of(model, walk[:, : model.n_content], walk[:, model.n_content :]).x_hat
        axes = tuple(Factor(name, "", 0.0, 1.0) for name in names)
        return Traversal(axes, t[:, 0].expand(len(axes), n), _rows(x, n), theta.new_zeros(0))


def _ends(model: Model, a: Tensor, b: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Content (2, D) and theta (2, P) of two samples, their angles nearest each other, and `n` shares of the way (n, 1)."""
    _check(n >= 2, f"n={n} must be at least 2: both ends are shown")
    content, theta = _encode(model, torch.cat([_samples(model, x[None], "an end") for x in (a, b)]))
    goal = nearest(theta[1], theta[0], model.chart.factors)
    return content, torch.stack([theta[0], goal]), torch.linspace(0, 1, n).to(content)[:, None]


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points at shares `t` (n, 1) of the way from `a` to `b` (1, D) at constant angular speed about the origin, (n, D)."""
    first, last, share = a.double(), b.double(), t.double()
    angle = ((first * last).sum() / (first.norm() * last.norm())).clamp(-1, 1).acos()
    # not above, rather than below: from the origin the angle is not a number
    if not angle.sin() > 1e-6:
        return torch.lerp(a, b, t)
    point = (torch.sin((1 - share) * angle) * first + torch.sin(share * angle) * last) / torch.sin(
        angle
    )
    return point.to(a.dtype)


def nearest(theta: Tensor, to: Tensor, factors: Sequence[Factor]) -> Tensor:
    """`theta` (P,) with its angles and periodic columns turned by whole periods until they are closest to those of `to`."""
    periods = [
        2 * math.pi if f.unit == "rad" else f.high - f.low if f.periodic else 0.0 for f in factors
    ]
    period = theta.new_tensor(periods)
    turns = ((theta - to) / torch.where(period > 0, period, 1.0)).round()
    return theta - turns * period
