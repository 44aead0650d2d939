"""Walks through a trained model's latent space: `interpolate`, `interpolate_chunks`, `traverse`, `arithmetic`, `deform`.

Content and deformation are told apart, so each walk says which of them moves: interpolation moves both, at once or chunk
by chunk, traversals and arithmetic move content and show templates, and `deform` moves one column of the deformation
under a template that stands still. All functions leave the model as it was and compute where its weights lie.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, get_args

import torch
from torch import Tensor

from unwarp.losses import gaussian_rate
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.types import ConfigError, DataError, Factor
from unwarp.warps import Map, Warp

Path = Literal["linear", "spherical"]
Axis = tuple[Factor, Tensor]
PIECE = 1000


@dataclass(frozen=True)
class Rendering:
    """N points of the latent space and what they look like.

    Attributes:
        content: Content codes (N, D).
        theta: Deformations (N, P), columns of the model's chart.
        templates: What the codes look like undeformed (N, *shape).
        x_hat: What they look like deformed (N, *shape).
    """

    content: Tensor
    theta: Tensor
    templates: Tensor
    x_hat: Tensor

    @classmethod
    def of(cls, model: Model, content: Tensor, theta: Tensor) -> Rendering:
        """Draw content codes (N, D) with deformations `theta` (N, P)."""
        x_hat = model.render(Latent(content, model.chart.map(theta)))
        return cls(content, theta, model.template(content), x_hat)


@dataclass(frozen=True)
class Traversal:
    """Rows of samples; along a row one number, or one chunk of numbers, moves and all others stand still.

    Attributes:
        axes: What moves, one `Factor` a row (R,).
        values: Where it stands (R, n), in the unit of its axis; for a chunk the share of its way.
        x: The samples (R, n, *shape).
        figures: What the rows are sorted by, falling (R,); empty where they stand in the order of the model's columns.
        measure: What `figures` are: `KL (nats)` or `sd`.
    """

    axes: tuple[Factor, ...]
    values: Tensor
    x: Tensor
    figures: Tensor
    measure: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """A label for each row: what moves, and its figure."""
        if not self.measure:
            return tuple(axis.label for axis in self.axes)
        names = (axis.name.replace("_", " ") for axis in self.axes)
        measure, _, unit = self.measure.partition(" ")
        words = (f"{measure} {value:.2f} {unit.strip('()')}".strip() for value in self.figures.tolist())
        return tuple("\n".join(pair) for pair in zip(names, words, strict=True))


@dataclass(frozen=True)
class Arithmetic:
    """Feature arithmetic: content of `to`, plus the mean of one set, minus the mean of another.

    Attributes:
        to: The M samples that are changed.
        result: They with the difference added; their deformations are their own.
        plus: The mean content of the set that is added, undeformed (1).
        minus: The mean content of the set that is taken away, undeformed (1).
    """

    to: Rendering
    result: Rendering
    plus: Rendering
    minus: Rendering


def interpolate(model: Model, a: Tensor, b: Tensor, n: int = 9, path: Path = "linear") -> Rendering:
    """`n` samples from `a` to `b` (*shape), ends included: content along `path`, the deformation straight in its chart.

    A spherical path (Shoemake 1985; White 2016, Sampling generative networks) runs along the circle about the origin,
    where a prior N(0, 1) has its mass: between codes of one norm it keeps that norm. Two codes on one line through the
    origin have no such circle between them and are joined straight. Angles go the shortest way round.

    Raises:
        ConfigError: An unknown `path`, or `n` below 2.
        DataError: A sample of another shape.
    """
    if path not in get_args(Path):
        raise ConfigError(f"path={path!r} is unknown; choose one of {', '.join(get_args(Path))}")
    with _resting(model):
        content, theta, t = _ends(model, a, b, n)
        way = spherical if path == "spherical" else torch.lerp
        return Rendering.of(model, way(content[:1], content[1:], t), torch.lerp(theta[:1], theta[1:], t))


def interpolate_chunks(model: Model, a: Tensor, b: Tensor, sizes: Sequence[int] = (), n: int = 9) -> Traversal:
    """A row for each chunk of content, and one for the deformation, that alone goes from `a` to `b` (*shape).

    All else stays as in `a`. Chunks have `sizes` in columns, such as `MixingAE.sizes`; without, each dimension is one. The
    deformation goes straight in its chart, angles the shortest way round. Shown are `n` reconstructions a row, ends included.

    Raises:
        ConfigError: Sizes that do not sum to the model's content, or `n` below 2.
        DataError: A sample of another shape.
    """
    parts = tuple(sizes) or (1,) * model.n_content
    fit = min(parts) >= 1 and sum(parts) == model.n_content
    _check(fit, f"sizes={parts} must be 1 or more and sum to the model's n_content={model.n_content}")
    with _resting(model):
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
    point = (torch.sin((1 - share) * angle) * first + torch.sin(share * angle) * last) / torch.sin(angle)
    return point.to(a.dtype)


def nearest(theta: Tensor, to: Tensor, factors: Sequence[Factor]) -> Tensor:
    """`theta` (P,) with its angles and periodic columns turned by whole periods until they are closest to those of `to`."""
    periods = [2 * math.pi if f.unit == "rad" else f.high - f.low if f.periodic else 0.0 for f in factors]
    period = theta.new_tensor(periods)
    turns = ((theta - to) / torch.where(period > 0, period, 1.0)).round()
    return theta - turns * period


def traverse(model: Model, x: Tensor, *, index: int | None = None, span: float = 2.0, n: int = 9) -> Traversal:
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
    with _resting(model):
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


def arithmetic(model: Model, plus: Tensor, minus: Tensor, to: Tensor) -> Arithmetic:
    """Add the mean content of `plus` and take away that of `minus` in each of the samples `to` (each (N, *shape)).

    Radford, Metz and Chintala 2016 did so with codes of a DCGAN (Unsupervised representation learning). Only content is
    added; the results are deformed as the samples `to` are.

    Raises:
        DataError: An empty set, or samples of another shape.
    """
    sets = [_samples(model, x, name) for name, x in {"plus": plus, "minus": minus, "to": to}.items()]
    with _resting(model):
        (added, _), (taken, _), (content, theta) = (_encode(model, x) for x in sets)
        means = [codes.mean(0, keepdim=True) for codes in (added, taken)]
        still = model.chart.theta(_rest(model))
        changed = content + (means[0] - means[1])
        before, after = (Rendering.of(model, codes, theta) for codes in (content, changed))
        return Arithmetic(before, after, *(Rendering.of(model, mean, still) for mean in means))


def deform(model: Model, content: Tensor, n: int = 9) -> Traversal:
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
        raise DataError(f"content has {content.shape[1]} numbers, the model's codes have {model.n_content}")
    with _resting(model):
        chart, columns = model.chart, slidable(model.chart)
        _check(bool(columns), f"the warp {chart.name!r} has no column to walk along; choose a model with another warp")
        still = chart.theta(_rest(model))
        theta = still.repeat(len(columns), n, 1)
        for row, column in enumerate(columns):
            theta[row, :, column] = _places(chart.factors[column], n).to(theta)
        map = chart.map(theta.flatten(0, 1))
        x = model.render(Latent(content.to(theta).expand(len(map), -1), map))
        human = {factor: _rows(values, n) for factor, values in chart.summary(map).items()}
    followed = [_followed({f: values[row] for f, values in human.items()}) for row in range(len(columns))]
    own = [(chart.factors[column], theta[row, :, column]) for row, column in enumerate(columns)]
    # a human column that several parameters move belongs to none of them
    rivals = Counter(found[0].name for found in followed if found)
    shown = [found if found and rivals[found[0].name] == 1 else mine for mine, found in zip(own, followed, strict=True)]
    axes, values = zip(*shown, strict=True)
    return Traversal(axes, torch.stack(values), _rows(x, n), theta.new_zeros(0))


def _rest(model: Model) -> Map:
    """The deformation that moves nothing, as one map of the model's own family: an anchor and its inverse."""
    return model.anchor.compose(model.anchor.invert())


def slidable(chart: Warp) -> tuple[int, ...]:
    """Positions of theta's columns that `deform` walks along: those of parts with an inverse."""
    ends = accumulate(len(part.factors) for part in chart.parts)
    spans = [(part, range(end - len(part.factors), end)) for part, end in zip(chart.parts, ends, strict=True)]
    return tuple(i for part, span in spans if span and part.map(torch.zeros(1, len(span))).invertible for i in span)


def _places(factor: Factor, n: int) -> Tensor:
    """`n` places over a factor's range, ends included; around a circle, evenly and each once."""
    if not factor.periodic:
        return torch.linspace(factor.low, factor.high, n)
    return factor.low + (torch.arange(n) + 0.5) * (factor.high - factor.low) / n


def _followed(columns: dict[Factor, Tensor]) -> Axis | None:
    """The human column that follows a walk most closely, with its values (n,); several that go alike become one."""
    following = {
        f: values for f, values in columns.items() if bool((values.diff() > 0).all() or (values.diff() < 0).all())
    }
    if not following:
        return None
    axis = max(following, key=lambda f: float((following[f][-1] - following[f][0]).abs()) / max(f.half_range, 1e-12))
    values = following[axis]
    alike = [f.name for f, other in following.items() if f.unit == axis.unit and torch.allclose(other, values)]
    words = [word[0] for word in zip(*(name.split("_") for name in alike), strict=False) if len(set(word)) == 1]
    return replace(axis, name="_".join(words) or axis.name), values


def _encode(model: Model, x: Tensor) -> tuple[Tensor, Tensor]:
    """Content (N, D) and every column of the centred deformation (N, P)."""
    latents = [model.embed(part) for part in torch.split(x, PIECE)]
    return torch.cat([q.content for q in latents]), torch.cat([model.chart.theta(q.map) for q in latents])


def _rates(model: Model, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Mean content codes (N, D), and the mean rate of each dimension (D,) where the encoder is stochastic."""
    posteriors = [model.encode(part) for part in torch.split(x, PIECE)]
    rates = [
        gaussian_rate(q.content_mean[..., None], q.content_log_sd[..., None])
        for q in posteriors
        if q.content_log_sd is not None
    ]
    return torch.cat([q.content_mean for q in posteriors]), torch.cat(rates).mean(0) if rates else None


def _rows(flat: Tensor, n: int) -> Tensor:
    """What is `n` to a row (R n, ...), as (R, n, ...)."""
    return flat.reshape(-1, n, *flat.shape[1:])


def _samples(model: Model, x: Tensor, name: str, least: int = 1) -> Tensor:
    if x.shape[1:] != model.shape or len(x) < least:
        raise DataError(
            f"{name} has shape {tuple(x.shape)}; give (N, {', '.join(map(str, model.shape))}) with N of {least} or more"
        )
    return x.to(model.anchor_theta)


def _check(holds: bool, demand: str) -> None:
    if not holds:
        raise ConfigError(demand)


@contextmanager
def _resting(model: Model) -> Iterator[None]:
    """Evaluation mode without gradients; the mode comes back."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
