"""Points and rows of points of a latent space, rendered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError, DataError
from unwarp.models import Model
from unwarp.models.latent import Latent

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
        x_hat = model.reconstruct(Latent(content, model.chart.map(theta)))
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
        words = (
            f"{measure} {value:.2f} {unit.strip('()')}".strip() for value in self.figures.tolist()
        )
        return tuple("\n".join(pair) for pair in zip(names, words, strict=True))


def _encode(model: Model, x: Tensor) -> tuple[Tensor, Tensor]:
    """Content (N, D) and every column of the centred deformation (N, P)."""
    latents = [model.embed(part) for part in torch.split(x, PIECE)]
    return torch.cat([q.content for q in latents]), torch.cat(
        [model.chart.theta(q.map) for q in latents]
    )


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
def evaluating(model: Model) -> Iterator[None]:
    """Evaluation mode without gradients; the mode comes back."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
