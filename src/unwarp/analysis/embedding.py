"""Embeddings of samples as arrays: `encode`, `embed`, t-SNE.

Centring: after training, the mean deformation of the training samples is removed from all maps and
applied to the templates. All deformations here are centred. `model.chart` is the model's warp for
centred maps: it converts them to parameters theta and back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unwarp.analysis.latents import check_model, check_samples
from unwarp.core import Array, Factor
from unwarp.data.prepared import NUMBERS_PER_CHUNK, Prepared
from unwarp.devices import place, resolve_device
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.range_kinds import Whole
from unwarp.ranges import check_value
from unwarp.warps import Map, Padding, align

MAX_PERPLEXITY = 30.0
"""Perplexity of t-SNE for 91 samples or more; N samples that are fewer get (N - 1) / 3."""


def tsne(codes: Array, seed: int = 0) -> Array:
    """Two-dimensional t-SNE of codes (van der Maaten and Hinton 2008).

    The optimisation starts from the first two principal components; codes of one dimension start
    from random points. The perplexity is 30, or (N - 1) / 3 if that is less.

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

    `embed` returns one; scores and figures use it.

    Attributes:
        codes: Content codes (N, D), the posterior means.
        templates: Decoded templates (N, C, ...).
        x_hat: Reconstructions (N, C, ...).
        map: The N deformations, after centring.
        theta: Parameters of `map` (N, P), one column per factor of the model's chart.
        table: Summary columns (N,) by factor: `map` in units for people, such as degrees or
            seconds. Empty for a model without a warp.
        samples_per_second: Number of samples encoded per second, decoding not included.

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
    model: Model, x: Tensor | Prepared, chunk_size: int = 1000, device: str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Content codes and deformation parameters of samples, as tensors.

    These are the posterior means of `Model.embed`, computed in chunks so that memory is bounded.
    The model is in evaluation mode and on the CPU afterwards.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 1, scaled as the model takes them; or prepared samples, which
            are scaled chunk by chunk.
        chunk_size: Samples in a chunk; fewer of large samples, so that memory is bounded.
        device: Device that encodes: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        Content codes (N, D) and theta of the centred deformations (N, P), on the CPU.

    Raises:
        ConfigError: `model` is no model, or `chunk_size` or `device` is out of range.
        DataError: The samples do not fit the model.
    """
    chunks = []
    for part in _chunks(model, x, chunk_size, device):
        latent = model.embed(part)
        chunks.append((latent.content.cpu(), model.chart.theta(latent.map).cpu()))
    place(model, "cpu")
    content, theta = (torch.cat(column) for column in zip(*chunks, strict=True))
    return content, theta


@torch.no_grad()
def encode_content(
    model: Model, x: Tensor | Prepared, chunk_size: int = 1000, device: str = "cpu"
) -> Tensor:
    """Content codes of samples, as a tensor; faster than `encode`.

    Args:
        model: A trained model.
        x: Samples, as for `encode`.
        chunk_size: Samples in a chunk; fewer of large samples, so that memory is bounded.
        device: Device that encodes: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        Content codes (N, D) on the CPU.

    Raises:
        ConfigError: `model` is no model, or `chunk_size` or `device` is out of range.
        DataError: The samples do not fit the model.
    """
    chunks = [model.encode_content(part).cpu() for part in _chunks(model, x, chunk_size, device)]
    place(model, "cpu")
    return torch.cat(chunks)


def _chunks(model: Model, x: Tensor | Prepared, chunk_size: int, device: str) -> Iterator[Tensor]:
    """Samples on the device, chunk by chunk; the model is there, and stays there."""
    target = resolve_device(device)
    check_value("chunk_size", chunk_size, Whole(1))
    check_model(model)
    if not isinstance(x, Prepared):
        check_samples(model, x, "x")
    size = max(1, min(chunk_size, NUMBERS_PER_CHUNK // max(1, math.prod(model.shape))))
    for start in range(0, len(x), size):
        part = x[start : start + size]
        if isinstance(x, Prepared) and start == 0:  # its chunks are alike
            check_samples(model, part, "x")
        place(model, target)
        yield part.to(target)


@torch.no_grad()
def embed(model: Model, x: Tensor, chunk_size: int = 1000, device: str = "cpu") -> Embedding:
    """Codes, templates, reconstructions and deformations of samples.

    The model is in evaluation mode and on the CPU afterwards.

    Args:
        model: A trained model.
        x: Samples (N, *shape), N >= 1, scaled as the model takes them.
        chunk_size: Samples in a chunk.
        device: Device that encodes and decodes: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        The embedding, with one row per sample in each array.

    Raises:
        ConfigError: `model` is no model, or `chunk_size` or `device` is out of range.
        DataError: The samples do not fit the model.
    """
    start = time.perf_counter()
    content, theta = encode(model, x, chunk_size, device)
    # users of codes need only the encoder, so that the speed leaves out decoding
    speed = len(x) / max(time.perf_counter() - start, 1e-9)
    target = resolve_device(device)
    chart = place(model, target).chart
    templates, x_hat = torch.empty(len(x), *model.shape), torch.empty(len(x), *model.shape)
    for rows in (slice(i, i + chunk_size) for i in range(0, len(x), chunk_size)):
        codes, pose = content[rows].to(target), chart.map(theta[rows].to(target))
        templates[rows] = model.template(codes).cpu()
        x_hat[rows] = model.reconstruct(Latent(codes, pose)).cpu()
    chart = place(model, "cpu").chart
    map = chart.map(theta)
    table = {factor: column.numpy() for factor, column in chart.summary(map).items()}
    return Embedding(
        content.numpy(), templates.numpy(), x_hat.numpy(), map, theta.numpy(), table, speed
    )


def align_in_chunks(x: Tensor, map: Map, padding: Padding, chunk_size: int = 1000) -> Tensor:
    """Align samples by their maps, in chunks so that memory is bounded.

    See `unwarp.warps.align`, which undoes the invertible part of each map.

    Args:
        x: Observations (N, C, ...).
        map: Deformations of the observations, N rows.
        padding: Values beyond the observations: `zeros`, `border` or `reflection`.
        chunk_size: Samples in a chunk.

    Returns:
        Aligned samples (N, C, ...).
    """
    rows = (slice(i, i + chunk_size) for i in range(0, len(x), chunk_size))
    return torch.cat([align(x[part], map[part], padding=padding) for part in rows])
