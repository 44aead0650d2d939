"""Interpolation between two samples: of the whole latent, or chunk by chunk.

A latent is a content code with a deformation. A chunk is a group of neighbouring content
dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import torch
from torch import Tensor

from unwarp.analysis.latents import (
    PATH_LENGTH,
    Rendering,
    Traversal,
    as_rows,
    check_model,
    checked_samples,
    encode_latents,
    evaluating,
    require,
)
from unwarp.core import Factor, PathKind
from unwarp.errors import ConfigError
from unwarp.models import Model
from unwarp.range_kinds import Choice, Whole
from unwarp.ranges import check_value
from unwarp.values import brief

MIN_SINE = 1e-6
"""Smallest sine of the angle between two codes for an arc; below it, a line joins them."""


def interpolate(
    model: Model, a: Tensor, b: Tensor, n: int = 9, path: PathKind = "linear"
) -> Rendering:
    """Samples in equal steps from one sample to another.

    The content code follows `path`. The parameters theta of the deformation follow a straight line,
    and angles turn the shorter way. A spherical path (Shoemake 1985; White 2016, Sampling
    generative networks) is an arc about the origin. Codes on it have a norm like that of the ends,
    and the prior N(0, 1) has its mass near such norms. If the two codes are on a line through the
    origin, no unique arc joins them, and the path is that line.

    Args:
        model: A trained model.
        a: First sample (*shape).
        b: Last sample (*shape).
        n: Number of samples, both ends included; 2 or more.
        path: `linear` or `spherical`.

    Returns:
        The n points of the path; the first and the last reconstruct `a` and `b`.

    Raises:
        ConfigError: `path` is unknown, or `n` is below 2.
        DataError: A sample has another shape than the model's.
    """
    if not Choice(get_args(PathKind)).allows(path):
        raise ConfigError(
            f"path={path!r} is unknown; choose one of {', '.join(get_args(PathKind))}"
        )
    check_model(model)
    with evaluating(model):
        content, theta, t = _ends(model, a, b, n)
        join = slerp if path == "spherical" else torch.lerp
        return Rendering.of(
            model, join(content[:1], content[1:], t), torch.lerp(theta[:1], theta[1:], t)
        )


def interpolate_chunks(
    model: Model, a: Tensor, b: Tensor, sizes: Sequence[int] = (), n: int = 9
) -> Traversal:
    """Rows of samples; each row changes one chunk of the latent.

    Each row changes one chunk of the content code from `a` to `b`. If the model has a warp, the
    last row changes the deformation. Everything else is that of `a`. All paths are straight lines
    in the code or in theta, and angles turn the shorter way.

    Args:
        model: A trained model.
        a: First sample (*shape).
        b: Last sample (*shape).
        sizes: Number of dimensions of each chunk, as in `MixingAE.chunk_sizes`. If it is empty,
            each dimension is a chunk.
        n: Reconstructions in a row, both ends included; 2 or more.

    Returns:
        A row for each chunk, and one for the deformation. Its `values` go from 0 (`a`) to 1 (`b`).

    Raises:
        ConfigError: The sizes do not sum to the model's content, or `n` is below 2.
        DataError: A sample has another shape than the model's.
    """
    check_model(model)
    require(
        isinstance(sizes, tuple | list) and all(map(Whole(1).allows, sizes)),
        f"sizes={brief(sizes)} are no sizes of chunks; give whole numbers of at least 1",
    )
    parts = tuple(sizes) or (1,) * model.n_content
    require(
        sum(parts) == model.n_content,
        f"sizes={parts} must each be 1 or more and add up to the model's n_content="
        f"{model.n_content}; give the size of each chunk",
    )
    with evaluating(model):
        content, theta, t = _ends(model, a, b, n)
        # chunks are numbered from 1, dimensions from 0 as everywhere
        kind, first_number = ("chunk", 1) if sizes else ("content", 0)
        names = [f"{kind}_{i}" for i in range(first_number, first_number + len(parts))]
        if theta.shape[1]:
            names, parts = [*names, "deformation"], (*parts, theta.shape[1])
        # (rows, D + P): 1 in the columns that a row changes
        is_varied = torch.eye(len(parts)).repeat_interleave(torch.tensor(parts), 1).to(t)
        first, last = torch.cat([content, theta], 1)
        points = torch.lerp(first, last, is_varied[:, None] * t).flatten(0, 1)
        codes, thetas = points[:, : model.n_content], points[:, model.n_content :]
        x = as_rows(Rendering.of(model, codes, thetas).x_hat, n)
        axes = tuple(Factor(name, "", 0.0, 1.0) for name in names)
        # the rows keep the order of the chunks, so no scores order them
        return Traversal(axes, t[:, 0].expand(len(axes), n), x, row_scores=theta.new_zeros(0))


def _ends(model: Model, a: Tensor, b: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Content (2, D) and theta (2, P) of both ends, and fractions of the path (n, 1), 0 to 1."""
    check_value("n", n, PATH_LENGTH)
    ends = [
        checked_samples(model, x[None] if isinstance(x, Tensor) else x, f"sample {name}")
        for name, x in (("a", a), ("b", b))
    ]
    content, theta = encode_latents(model, torch.cat(ends))
    goal = unwrap_angles(theta[1], theta[0], model.chart.factors)
    return content, torch.stack([theta[0], goal]), torch.linspace(0, 1, n).to(content)[:, None]


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical linear interpolation of two codes (Shoemake 1985).

    `(sin((1 - t) w) a + sin(t w) b) / sin(w)`, with w the angle between the codes: constant angular
    speed about the origin. If the codes are on a line through the origin, the path is that line.

    Args:
        a: First code (1, D).
        b: Last code (1, D).
        t: Fractions of the path (n, 1), 0 to 1.

    Returns:
        Codes (n, D).

    >>> ends = torch.eye(2)
    >>> round(slerp(ends[:1], ends[1:], torch.tensor([[0.5]])).norm().item(), 5)
    1.0
    """
    first, last, fraction = a.double(), b.double(), t.double()
    angle = ((first * last).sum() / (first.norm() * last.norm())).clamp(-1, 1).acos()
    # a code of norm 0 makes the angle NaN, so that `<` would be false: hence `not >`
    if not angle.sin() > MIN_SINE:
        return torch.lerp(a, b, t)
    point = torch.sin((1 - fraction) * angle) * first + torch.sin(fraction * angle) * last
    return (point / torch.sin(angle)).to(a.dtype)


def unwrap_angles(theta: Tensor, reference: Tensor, factors: Sequence[Factor]) -> Tensor:
    """Shift angles and periodic columns by whole periods towards a reference.

    Args:
        theta: Parameters of one deformation (P,).
        reference: Parameters of another deformation (P,).
        factors: The P factors that describe the columns. Columns in `rad` have the period 2 pi,
            other periodic columns the width of their range.

    Returns:
        Theta (P,), with each of these columns at most half a period from `reference`.
    """
    periods = [
        2 * math.pi if f.unit == "rad" else f.high - f.low if f.periodic else 0.0 for f in factors
    ]
    period = theta.new_tensor(periods)
    turns = ((theta - reference) / torch.where(period > 0, period, 1.0)).round()
    return theta - turns * period
