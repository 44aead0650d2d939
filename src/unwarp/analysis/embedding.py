"""Embeddings of samples as arrays: `encode`, `embed`, t-SNE."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Factor
from unwarp.devices import resolve_device
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.warps import Map, Padding, align

MAX_PERPLEXITY = 30.0
"""Perplexity of t-SNE; a third of the samples if they are few."""


def tsne(codes: Array, seed: int = 0) -> Array:
    """Two-dimensional t-SNE of codes (van der Maaten and Hinton 2008).

    Points start at the first two principal components, or at random if there is one dimension. The
    perplexity is 30, or a third of the samples if that is less.

    Args:
        codes: Codes (N, D).
        seed: Seed of the optimisation.

    Returns:
        Coordinates (N, 2); only neighbourhoods are meaningful, not distances.
    """
    from sklearn.manifold import TSNE

    perplexity = min(MAX_PERPLEXITY, (len(codes) - 1) / 3)
    start = "pca" if codes.shape[1] > 1 else "random"
    return np.asarray(
        TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(codes)
    )


@dataclass(frozen=True)
class Embedding:
    """Codes, templates, reconstructions and deformations of N samples, as arrays.

    `embed` makes these records; scores and figures read them.

    Attributes:
        codes: Content (N, D).
        templates: Decoded templates (N, C, ...).
        x_hat: Reconstructions (N, C, ...).
        map: Centred maps (N).
        theta: All columns of their parameters (N, P).
        table: Human columns (N,) by their factors; empty for a model without a warp.
        samples_per_second: Speed of encoding, without decoding.

    >>> from unwarp.models import AE
    >>> model = AE(n_content=2).build((1, 8, 8))
    >>> embed(model, torch.zeros(3, 1, 8, 8)).codes.shape
    (3, 2)
    """

    codes: Array
    templates: Array
    x_hat: Array
    map: Map
    theta: Array
    table: dict[Factor, Array]
    samples_per_second: float


@torch.no_grad()
def encode(
    model: Model, x: Tensor, chunk_size: int = 1000, device: str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Content and deformations of samples, in chunks of bounded memory.

    The model is in evaluation mode and on the CPU afterwards.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 1, scaled as the model takes them.
        chunk_size: Samples in a chunk.
        device: Device that encodes: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        Content (N, D), and all columns of theta of the centred deformations (N, P), on the CPU.
    """
    target = resolve_device(device)
    model.to(target).eval()
    chunks = []
    for part in torch.split(x, chunk_size):
        latent = model.embed(part.to(target))
        chunks.append((latent.content.cpu(), model.chart.theta(latent.map).cpu()))
    model.to("cpu")
    content, theta = (torch.cat(column) for column in zip(*chunks, strict=True))
    return content, theta


@torch.no_grad()
def embed(model: Model, x: Tensor, chunk_size: int = 1000, device: str = "cpu") -> Embedding:
    """Codes, templates, reconstructions and deformations of samples.

    The model is in evaluation mode and on the CPU afterwards.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 1, scaled as the model takes them.
        chunk_size: Samples in a chunk.
        device: Device that encodes: `auto`, `cpu`, `cuda` or `mps`; the CPU decodes.

    Returns:
        Arrays with one row for each sample.
    """
    start = time.perf_counter()
    content, theta = encode(model, x, chunk_size, device)
    # the speed of encoding alone, as users of codes see it: decoding serves figures and scores
    speed = len(x) / max(time.perf_counter() - start, 1e-9)
    chart = model.chart
    templates, x_hat = torch.empty(len(x), *model.shape), torch.empty(len(x), *model.shape)
    for rows in (slice(i, i + chunk_size) for i in range(0, len(x), chunk_size)):
        templates[rows] = model.template(content[rows])
        x_hat[rows] = model.reconstruct(Latent(content[rows], chart.map(theta[rows])))
    map = chart.map(theta)
    table = {factor: column.numpy() for factor, column in chart.summary(map).items()}
    return Embedding(
        content.numpy(), templates.numpy(), x_hat.numpy(), map, theta.numpy(), table, speed
    )


def align_in_chunks(x: Tensor, map: Map, padding: Padding, chunk_size: int = 1000) -> Tensor:
    """Samples with the invertible part of their maps undone, in bounded memory.

    Args:
        x: Samples (N, C, ...).
        map: Deformations (N).
        padding: Values beyond the frame, as of `align`.
        chunk_size: Samples in a chunk.

    Returns:
        Aligned samples (N, C, ...).
    """
    rows = (slice(i, i + chunk_size) for i in range(0, len(x), chunk_size))
    return torch.cat([align(x[part], map[part], padding=padding) for part in rows])
