"""Scores and descriptions of saved models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from unwarp import datasets
from unwarp.analysis.scoring import Report, evaluate
from unwarp.app.parts import open_source
from unwarp.data.samples import reference_view
from unwarp.estimators.unwarper import Unwarper

NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})
"""No argument; a model reads samples as it read those that it learned from."""


def evaluate_folder(
    folder: Path,
    source: str,
    device: str = "auto",
    draws: int = 0,
    hints: Mapping[str, Any] = NO_ARGUMENTS,
) -> Report:
    """Scores of a saved model on a data source.

    For a built-in data set, the held-out part is scored, and nearest neighbours and linear probes
    are fitted to its training part. Clusters are those of the model. A file or a folder has no
    training part, so scores that need one are missing.

    Args:
        folder: Folder of a model.
        source: A path, or the name of a built-in data set.
        device: `auto`, `cpu`, `cuda` or `mps`.
        draws: Number of importance samples per sample, to estimate log p(x) of a VAE; 0 leaves
            log p(x) out.
        hints: Arguments of `Unwarper` by which the source is read, instead of those of the model.

    Returns:
        Every score that can be computed, and the missing inputs of all others.

    Raises:
        CheckpointError: `folder` holds no model.
        DataError: The samples cannot be read, or do not fit the model.
    """
    model = Unwarper.load(folder).set_params(**hints)
    test = model.prepare_dataset(open_source(source, estimator=model))
    reference = None
    if source in datasets.names():
        training = model.prepare_dataset(open_source(source, "train"))
        reference = reference_view(training)
    centers = model.cluster_centers_
    return evaluate(
        model.model_, test, reference, device=device, draws=draws, cluster_centers=centers
    )


def describe_model(folder: Path) -> dict[str, Any]:
    """Facts about a saved model, by name.

    Args:
        folder: Folder of a model.

    Returns:
        The folder, the shape and the domain of a sample, the family, the names of the parts of the
        warp joined by `+`, the size of the content code, the number of weights, and the number of
        clusters.

    Raises:
        CheckpointError: `folder` holds no model.
    """
    model = Unwarper.load(folder)
    return {
        "model": str(folder),
        "shape": model.model_.shape,
        "domain": model.schema_.domain.name,
        "family": model.recipe_.family,
        "warp": "+".join(part.name for part in model.recipe_.warp.parts),
        "content": model.model_.n_content,
        "parameters": sum(weights.numel() for weights in model.model_.parameters()),
        "clusters": len(model.cluster_centers_),
    }
