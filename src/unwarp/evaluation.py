"""`evaluate`: every score whose needs a model and a data set meet; the others are listed with what they miss."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unwarp import metrics
from unwarp.datasets import Dataset
from unwarp.devices import place
from unwarp.losses import completed
from unwarp.models import Model, log_weights
from unwarp.models.latent import Latent
from unwarp.types import Factor
from unwarp.warps import Map, Padding, Warp, canonicalize

Array = NDArray[Any]


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
        x_hat[rows] = model.render(Latent(content[rows], chart.map(theta[rows])))
    map = chart.map(theta)
    table = {factor: column.numpy() for factor, column in chart.summary(map).items()}
    return Embedding(content.numpy(), templates.numpy(), x_hat.numpy(), map, theta.numpy(), table, pace)


def undone(x: Tensor, map: Map, padding: Padding, size: int = 1000) -> Tensor:
    """`x` (N, C, ...) with the invertible part of each map undone, in pieces of bounded memory."""
    rows = (slice(i, i + size) for i in range(0, len(x), size))
    return torch.cat([canonicalize(x[part], map[part], padding=padding) for part in rows])


@dataclass(frozen=True)
class Report:
    """Scores by name, and for each score that could not be had what it misses."""

    scores: Mapping[str, float]
    missing: Mapping[str, str] = field(default_factory=dict)


def evaluate(
    model: Model,
    dataset: Dataset,
    reference: Dataset | None = None,
    only: tuple[str, ...] = (),
    device: str = "cpu",
    draws: int = 0,
) -> Report:
    """Score a model on held-out samples.

    Args:
        model: A trained model.
        dataset: Held-out observations, with labels, ids and true maps as far as known.
        reference: Observations on which neighbours, probes and clusters are fitted (training data, never scored).
        only: Names of the scores to compute; empty for all.
        device: Where to encode: `auto`, `cpu`, `cuda` or `mps`.
        draws: Draws from the posterior of each sample, for log p(x) by importance sampling; 0 for none.
    """
    facts = known(dataset, embed(model, dataset.x, device=device), model.chart) | moved(model, dataset.x)
    facts |= believed(model, dataset.x, draws)
    if reference is not None:
        facts |= {f"train_{k}": v for k, v in known(reference, embed(model, reference.x, device=device)).items()}
    return score(facts, only)


def known(dataset: Dataset, embedding: Embedding, chart: Warp | None = None) -> dict[str, Any]:
    """The arrays that scores ask for by name, as far as the data set has them.

    What was not observed stands as it was drawn. The table is of human columns; of series, of the columns of `chart` where it is given, for those alone have bounds.
    """
    bounded = dataset.x.ndim == 3 and chart is not None
    table = dict(zip(chart.factors, embedding.theta.T, strict=True)) if bounded and chart else embedding.table
    facts: dict[str, Any] = {
        "x": completed(dataset.x, torch.from_numpy(embedding.x_hat)).numpy(),
        "x_hat": embedding.x_hat,
        "codes": embedding.codes,
        "templates": embedding.templates,
        "map": embedding.map if embedding.table else None,
        "true_map": dataset.maps,
        "labels": None if dataset.labels is None or len(np.unique(dataset.labels)) < 2 else dataset.labels,
        "ids": dataset.ids,
        "orders": dataset.orders,
        "factors": dataset.factors or None,
        "factor_values": dataset.factor_values if _varying(dataset.factor_values) >= 2 else None,
        "theta": embedding.theta,
        "latents": np.concatenate([embedding.codes, embedding.theta], 1),
        "size": tuple(dataset.x.shape[2:]),
        "table": table or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _varying(values: Array | None) -> int:
    """How many known factors take more than one value."""
    return 0 if values is None else sum(len(np.unique(column)) > 1 for column in values.T)


@torch.no_grad()
def believed(model: Model, x: Tensor, draws: int = 0, seed: int = 0, size: int = 1000) -> dict[str, Any]:
    """The posterior over content of `x` (N, *shape), and `draws` importance weights; nothing for deterministic encoders.

    Raises:
        ConfigError: `draws` were asked of a model whose deformation has no density.
    """
    posteriors = [model.eval().encode(part) for part in torch.split(x, size)]
    log_sds = [q.content_log_sd for q in posteriors if q.content_log_sd is not None]
    if not log_sds:
        return {}
    means = torch.cat([q.content_mean for q in posteriors])
    facts: dict[str, Any] = {"content_mean": means.numpy(), "content_log_sd": torch.cat(log_sds).numpy()}
    if not draws:
        return facts
    noise = torch.Generator().manual_seed(seed)
    return facts | {"log_weights": log_weights(model, x, draws, noise, size).numpy()}


@torch.no_grad()
def moved(model: Model, x: Tensor, spread: float = 0.3, seed: int = 0) -> dict[str, Any]:
    """A known deformation of every sample, and the maps found for the deformed samples."""
    if not model.warp.factors or x.ndim != 4:
        return {}
    move = model.warp.sample(len(x), torch.Generator().manual_seed(seed), spread).undoable()
    copies = undone(x, move.invert(), model.padding)
    return {"move": move, "moved_map": model.chart.map(encode(model, copies)[1])}


def score(facts: Mapping[str, Any], only: tuple[str, ...] = ()) -> Report:
    """Compute every score whose arguments are among `facts`."""
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name, measure in metrics.scores().items():
        if only and name not in only:
            continue
        absent = [need for need in metrics.needs(measure) if need not in facts]
        if absent:
            missing[name] = ", ".join(absent)
            continue
        found = measure(**{need: facts[need] for need in metrics.needs(measure)})
        values |= found if isinstance(found, Mapping) else {name: float(found)}
    return Report(values, missing)


def reference_view(data: Dataset, most: int = 60_000, seed: int = 5) -> Dataset:
    """Training data as the model sees it, each sample observed once: what neighbours and clusters are fitted on."""
    rows = np.arange(len(data)) if len(data) <= most else np.random.default_rng(seed).permutation(len(data))[:most]
    kept = data.subset(rows)
    if kept.draw is None:
        return kept
    return replace(kept, x=kept.draw(kept.x, torch.Generator().manual_seed(seed)), draw=None)
