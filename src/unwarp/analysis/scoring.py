"""`evaluate`: every score whose needs a model and a data set meet; the others are listed with what they miss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp import metrics
from unwarp.analysis.embedding import Embedding, align_in_chunks, embed, encode
from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.models import Model, log_weights
from unwarp.warps import Warp
from unwarp.warps.missing import fill_from


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
        "x": fill_from(dataset.x, torch.from_numpy(embedding.x_hat)).numpy(),
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
    move = model.warp.sample(len(x), torch.Generator().manual_seed(seed), spread).invertible_part()
    copies = align_in_chunks(x, move.invert(), model.padding)
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
