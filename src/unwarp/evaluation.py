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
from unwarp.models import Model
from unwarp.types import Factor
from unwarp.warps import Map

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
def embed(model: Model, x: Tensor, size: int = 1000) -> Embedding:
    """Content, templates, reconstructions and deformations of `x` (N, *shape), in pieces of bounded memory."""
    model.eval()
    pieces, seconds = [], 0.0
    for part in torch.split(x, size):
        start = time.perf_counter()
        latent = model.embed(part)
        seconds += time.perf_counter() - start
        theta = model.chart.theta(latent.map)
        pieces.append((latent.content, model.template(latent.content), model.render(latent), theta))
    content, templates, x_hat, theta = (torch.cat(column) for column in zip(*pieces, strict=True))
    map = model.chart.map(theta)
    table = {factor: column.numpy() for factor, column in model.chart.summary(map).items()}
    arrays = (content.numpy(), templates.numpy(), x_hat.numpy())
    return Embedding(*arrays, map, theta.numpy(), table, len(x) / max(seconds, 1e-9))


@dataclass(frozen=True)
class Report:
    """Scores by name, and for each score that could not be had what it misses."""

    scores: Mapping[str, float]
    missing: Mapping[str, str] = field(default_factory=dict)


def evaluate(model: Model, dataset: Dataset, reference: Dataset | None = None, only: tuple[str, ...] = ()) -> Report:
    """Score a model on held-out samples.

    Args:
        model: A trained model.
        dataset: Held-out observations, with labels, ids and true maps as far as known.
        reference: Observations on which neighbours, probes and clusters are fitted (training data, never scored).
        only: Names of the scores to compute; empty for all.
    """
    facts = known(dataset, embed(model, dataset.x)) | moved(model, dataset.x)
    if reference is not None:
        facts |= {f"train_{k}": v for k, v in known(reference, embed(model, reference.x)).items()}
    return score(facts, only)


def known(dataset: Dataset, embedding: Embedding) -> dict[str, Any]:
    """The arrays that scores ask for by name, as far as the data set has them."""
    facts: dict[str, Any] = {
        "x": dataset.x.numpy(),
        "x_hat": embedding.x_hat,
        "codes": embedding.codes,
        "templates": embedding.templates,
        "map": embedding.map if embedding.table else None,
        "true_map": dataset.maps,
        "labels": dataset.labels,
        "ids": dataset.ids,
        "size": tuple(dataset.x.shape[2:]),
        "theta": embedding.theta,
        "table": embedding.table or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


@torch.no_grad()
def moved(model: Model, x: Tensor, spread: float = 0.3, seed: int = 0) -> dict[str, Any]:
    """A known deformation of every sample, and the maps found for the deformed samples."""
    if not model.warp.factors:
        return {}
    move = model.warp.sample(len(x), torch.Generator().manual_seed(seed), spread).undoable()
    copies = move(x, padding=model.padding)
    maps = [model.chart.theta(model.embed(part).map) for part in torch.split(copies, 1000)]
    return {"move": move, "moved_map": model.chart.map(torch.cat(maps))}


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
    kept = data.subset(np.arange(min(len(data), most)))
    if kept.draw is None:
        return kept
    return replace(kept, x=kept.draw(kept.x, torch.Generator().manual_seed(seed)), draw=None)
