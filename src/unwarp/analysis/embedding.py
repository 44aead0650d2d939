"""What a model says of samples, as arrays: `encode`, `embed`, t-SNE."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Factor
from unwarp.devices import place
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.warps import Map, Padding, align


def tsne(codes: Array, seed: int = 0) -> Array:
    """Two-dimensional t-SNE (van der Maaten and Hinton 2008) of codes (N, D), (N, 2)."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(codes) - 1) / 3)
    start = "pca" if codes.shape[1] > 1 else "random"
    return np.asarray(
        TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(codes)
    )


@dataclass(frozen=True)
class Embedding:
    """What a model says of N samples, as arrays.

    Attributes:
        codes: Content (N, D).
        templates: Decoded templates (N, C, ...).
        x_hat: Reconstructions (N, C, ...).
        map: Centred maps (N).
        theta: Every column of their parameters (N, P).
        table: Human columns (N,) by their factors.
        samples_per_second: Pace of `embed` alone.
    """

    codes: Array
    templates: Array
    x_hat: Array
    map: Map
    theta: Array
    table: dict[Factor, Array]
    samples_per_second: float


@torch.no_grad()
def encode(model: Model, x: Tensor, size: int = 1000, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Content (N, D) and every column of theta (N, P) of `x` (N, *shape), in pieces of bounded memory."""
    where = place(device)
    model.to(where).eval()
    pieces = []
    for part in torch.split(x, size):
        latent = model.embed(part.to(where))
        pieces.append((latent.content.cpu(), model.chart.theta(latent.map).cpu()))
    model.to("cpu")
    content, theta = (torch.cat(column) for column in zip(*pieces, strict=True))
    return content, theta


@torch.no_grad()
def embed(model: Model, x: Tensor, size: int = 1000, device: str = "cpu") -> Embedding:
    """Content, templates, reconstructions and deformations of `x` (N, *shape)."""
    start = time.perf_counter()
    content, theta = encode(model, x, size, device)
    pace = len(x) / max(time.perf_counter() - start, 1e-9)
    chart = model.chart
    templates, x_hat = torch.empty(len(x), *model.shape), torch.empty(len(x), *model.shape)
    for rows in (slice(i, i + size) for i in range(0, len(x), size)):
        templates[rows] = model.template(content[rows])
        x_hat[rows] = model.reconstruct(Latent(content[rows], chart.map(theta[rows])))
    map = chart.map(theta)
    table = {factor: column.numpy() for factor, column in chart.summary(map).items()}
    return Embedding(
        content.numpy(), templates.numpy(), x_hat.numpy(), map, theta.numpy(), table, pace
    )


def align_in_chunks(x: Tensor, map: Map, padding: Padding, size: int = 1000) -> Tensor:
    """`x` (N, C, ...) with the invertible part of each map undone, in pieces of bounded memory."""
    rows = (slice(i, i + size) for i in range(0, len(x), size))
    return torch.cat([align(x[part], map[part], padding=padding) for part in rows])
