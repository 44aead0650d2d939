"""Scores of a model on a data set, and their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp import metrics
from unwarp.analysis.embedding import Embedding, align_in_chunks, embed, encode
from unwarp.analysis.latents import check_model
from unwarp.core import Array, Domain
from unwarp.data.dataset import Dataset
from unwarp.data.numbers import real_numbers
from unwarp.errors import ConfigError, DataError
from unwarp.metrics import ScoreInputs
from unwarp.missing import fill_missing
from unwarp.models import Model, log_weights
from unwarp.range_kinds import Choice, Instance, Whole
from unwarp.ranges import check_value
from unwarp.values import brief
from unwarp.warps import interpolate_missing


@dataclass(frozen=True)
class Report:
    """Scores by name, and the missing inputs of the other scores.

    `evaluate` and `score` return one.

    Attributes:
        scores: Numbers by name; a score may return several.
        missing: For each score that was not computed, by its name, the missing inputs, separated by
            commas.

    >>> inputs = ScoreInputs(x=np.eye(4), x_hat=np.eye(4))
    >>> report = score(inputs, only=("explained", "linear"))
    >>> report.scores
    {'explained': 1.0}
    >>> report.missing
    {'linear': 'train_codes, train_labels, codes, labels'}
    """

    scores: Mapping[str, float]
    missing: Mapping[str, str] = field(default_factory=dict)


def evaluate(
    model: Model,
    dataset: Dataset,
    reference: Dataset | None = None,
    only: tuple[str, ...] = (),
    device: str = "cpu",
    draws: int = 0,
    cluster_centers: Array | None = None,
) -> Report:
    """Score a model on held-out samples.

    Every registered score is computed if its inputs are available. Labels, ids, true maps and
    factors of the data set are used only here, never by training.

    Args:
        model: A trained model.
        dataset: Held-out observations, with labels, ids and true maps as far as they are known.
        reference: Observations to which nearest neighbours, probes (linear classifiers) and
            clusters are fitted, such as the training data; they are not scored. None leaves out the
            scores that need them.
        only: Names of the scores to compute; empty for all.
        device: Device that encodes: `auto`, `cpu`, `cuda` or `mps`.
        draws: Number of draws from the posterior of each sample, for log p(x) by importance
            sampling; 0 leaves out the scores that need them.
        cluster_centers: Content codes of the cluster centres (K, D), such as
            `Unwarper.cluster_centers_`; only the score `variance_left` uses them.

    Returns:
        The scores, and the missing inputs of each score that was not computed.

    Raises:
        ConfigError: An argument has another type or is out of range, or `draws` is positive and the
            model's deformation has no density.
        DataError: The observations do not fit the model.
    """
    check_value("dataset", dataset, Instance(Dataset, "a Dataset"))
    check_value("reference", reference, Instance(Dataset, "a Dataset", is_optional=True))
    check_value("draws", draws, Whole(0, 1_000_000))
    _check_names(only)
    if cluster_centers is not None:
        cluster_centers = real_numbers("cluster_centers", cluster_centers, finite=True)
        check_model(model)
        if cluster_centers.ndim != 2 or cluster_centers.shape[1] != model.n_content:
            raise DataError(
                f"cluster_centers has shape {cluster_centers.shape}; give codes "
                f"(K, {model.n_content})"
            )
    inputs = score_inputs(dataset, embed(model, dataset.x, device=device), model)
    inputs |= probe_inputs(model, dataset.x) | posterior_inputs(model, dataset.x, draws)
    inputs |= ScoreInputs(cluster_centers=cluster_centers)
    if reference is not None:
        embedding = embed(model, reference.x, device=device)
        inputs = replace(inputs, reference=score_inputs(reference, embedding, model))
    return score(inputs, only)


def dataset_inputs(dataset: Dataset) -> ScoreInputs:
    """Score inputs of a data set alone, without a model.

    Scores of baselines need no others.

    Args:
        dataset: N observations, scaled as a model takes them.

    Returns:
        Observations, series, labels, ids, true maps and factors, as far as they are known. Labels
        of a single class are left out, as are factors if fewer than two vary.
    """
    values, labels = dataset.factor_values, dataset.labels
    is_series = dataset.domain is not None and dataset.domain.has_times
    return ScoreInputs(
        x=dataset.x.numpy(),
        series=interpolate_missing(dataset.x).numpy() if is_series else None,
        labels=None if labels is None or len(np.unique(labels)) < 2 else labels,
        ids=dataset.ids,
        true_map=dataset.maps,
        orders=dataset.orders,
        factors=dataset.factors or None,
        factor_values=values if _count_varying(values) >= 2 else None,
        size=tuple(dataset.x.shape[2:]),
    )


def score_inputs(dataset: Dataset, embedding: Embedding, model: Model) -> ScoreInputs:
    """Score inputs of a data set and of its embedding.

    Missing values are filled from the reconstruction, so that they add no error. For images, the
    input `table` has the summary columns (degrees, factors, pixels). For series it has the columns
    of theta, because only these have bounds.

    Args:
        dataset: N observations, scaled as the model takes them.
        embedding: Embedding of the observations by the model.
        model: The model.

    Returns:
        The inputs of `dataset_inputs`, and codes, templates, reconstructions and deformations. A
        model without a warp has no `map`, `table` or `aligned`.
    """
    inputs, x = dataset_inputs(dataset), fill_missing(dataset.x, torch.from_numpy(embedding.x_hat))
    table, map, aligned = embedding.table, embedding.map if embedding.table else None, None
    if inputs.series is not None:
        table = dict(zip(model.chart.factors, embedding.theta.T, strict=True))
        aligned = None if map is None else align_in_chunks(x, map, model.padding).numpy()
    return inputs | ScoreInputs(
        x=x.numpy(),
        x_hat=embedding.x_hat,
        aligned=aligned,
        codes=embedding.codes,
        templates=embedding.templates,
        theta=embedding.theta,
        latents=np.concatenate([embedding.codes, embedding.theta], 1),
        map=map,
        table=table or None,
    )


def _count_varying(values: Array | None) -> int:
    """Number of factors with more than one value."""
    return 0 if values is None else sum(len(np.unique(column)) > 1 for column in values.T)


@torch.no_grad()
def posterior_inputs(
    model: Model, x: Tensor, draws: int = 0, seed: int = 0, chunk_size: int = 1000
) -> ScoreInputs:
    """Score inputs from the posterior over the content.

    Args:
        model: The model.
        x: Observations (N, *shape).
        draws: Number of importance weights of each sample; 0 for none.
        seed: Seed of the draws.
        chunk_size: Samples in a chunk.

    Returns:
        `content_mean` and `content_log_sd`; also `log_weights` if `draws` is positive. Nothing for
        a deterministic encoder, which has no posterior.

    Raises:
        ConfigError: `draws` is positive and the model's deformation has no density.
    """
    posteriors = [model.eval().encode(part) for part in torch.split(x, chunk_size)]
    log_sds = [q.content_log_sd for q in posteriors if q.content_log_sd is not None]
    if not log_sds:
        return ScoreInputs()
    means = torch.cat([q.content_mean for q in posteriors])
    inputs = ScoreInputs(content_mean=means.numpy(), content_log_sd=torch.cat(log_sds).numpy())
    if not draws:
        return inputs
    noise = torch.Generator().manual_seed(seed)
    return replace(inputs, log_weights=log_weights(model, x, draws, noise, chunk_size).numpy())


@torch.no_grad()
def probe_inputs(model: Model, x: Tensor, spread: float = 0.3, seed: int = 0) -> ScoreInputs:
    """Known deformations of images, and the estimated maps of the deformed images.

    A probe is a random deformation that is applied to an image on top of its own. The score
    `ambiguous` tests whether the estimated pose changes accordingly.

    Args:
        model: The model.
        x: Observations (N, *shape).
        spread: Central share of each parameter's range, 0 to 1 (`fraction` of `Warp.sample`).
        seed: Seed of the deformations.

    Returns:
        `probe` and `probed_map`; nothing for series, or for a model without a warp.
    """
    domain = Domain.of_axes(x.ndim - 2)
    if not model.warp.factors or domain is None or len(domain.axes) != 2:
        return ScoreInputs()
    generator = torch.Generator().manual_seed(seed)
    # probes are from the model's family: its pose cannot follow any other deformation
    probe = model.warp.sample(len(x), generator, spread).invertible_part()
    copies = align_in_chunks(x, probe.invert(), model.padding)
    return ScoreInputs(probe=probe, probed_map=model.chart.map(encode(model, copies)[1]))


def score(inputs: ScoreInputs, only: tuple[str, ...] = ()) -> Report:
    """Compute all scores with available inputs.

    Args:
        inputs: Inputs by name.
        only: Names of the scores to compute; empty for all.

    Returns:
        The scores, and the missing inputs of each score that was not computed.

    Raises:
        ConfigError: Two scores return a number of the same name.
    """
    check_value("inputs", inputs, Instance(ScoreInputs, "ScoreInputs"))
    _check_names(only)
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name, function in metrics.scores().items():
        if only and name not in only:
            continue
        arguments = {need: inputs.value(need) for need in metrics.needs(function)}
        missing_inputs = [need for need, value in arguments.items() if value is None]
        if missing_inputs:
            missing[name] = ", ".join(missing_inputs)
            continue
        result = function(**arguments)
        numbers = result if isinstance(result, Mapping) else {name: float(result)}
        if duplicates := sorted(values.keys() & numbers.keys()):
            raise ConfigError(
                f"score {name!r} returns {', '.join(duplicates)}, which another score also "
                "returns; rename the numbers that it returns"
            )
        values |= numbers
    return Report(values, missing)


def _check_names(only: Any) -> None:
    """Refuse anything but names of registered scores."""
    names = tuple(metrics.scores())
    if not isinstance(only, tuple | list) or not all(map(Choice(names).allows, only)):
        raise ConfigError(
            f"only={brief(only)} is not allowed; give a tuple of names of scores, such as "
            f"('{names[0]}',): {', '.join(names)}"
        )
