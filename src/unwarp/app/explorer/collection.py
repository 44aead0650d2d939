"""The explored collection: codes, deformations, clusters and errors of all samples."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from unwarp.analysis.tables import tabulate
from unwarp.app.explorer.views import Viewer
from unwarp.core import Array
from unwarp.data.schema import Prepared
from unwarp.data.source import Source
from unwarp.devices import place, resolve_device
from unwarp.estimators.clusters import KMeansClusters, nearest_centre
from unwarp.models.latent import Latent
from unwarp.warps import CosineTime, Map

SECONDS_BETWEEN_MESSAGES = 3.0
"""Time between two lines of progress."""


@dataclass(frozen=True, eq=False)
class Collection:
    """N samples with everything that is computed once.

    Attributes:
        samples: The samples, prepared for the model; None if there are none.
        names: Name or number of each sample (N,).
        labels: Class of each sample (N,); None if unknown.
        content: Content codes (N, D), float32.
        theta: Parameters of the deformations (N, P), float32.
        table: Deformations in units for people, one row per sample; `attrs["units"]` has units.
        error: Root mean square difference of sample and reconstruction (N,), scaled.
        cluster: Cluster of each sample (N,).
    """

    samples: Prepared | None
    names: Array
    labels: Array | None
    content: Array
    theta: Array
    table: pd.DataFrame
    error: Array
    cluster: Array

    def __len__(self) -> int:
        return len(self.content)


def empty_collection(viewer: Viewer) -> Collection:
    """The collection of a model without data.

    Args:
        viewer: The model.
    """
    model = viewer.unwarper.model_
    content = np.zeros((0, model.n_content), np.float32)
    theta = np.zeros((0, len(model.chart.factors)), np.float32)
    nothing = np.zeros(0)
    return Collection(
        None, nothing, None, content, theta, pd.DataFrame(), nothing, nothing.astype(int)
    )


def embed_source(
    viewer: Viewer, source: Source, on_message: Callable[[str], None] = lambda line: None
) -> Collection:
    """The collection of a source.

    Args:
        viewer: The model.
        source: Samples like those of the training.
        on_message: Function that shows a line to people.

    Raises:
        DataError: The samples do not fit the model.
    """
    samples = viewer.unwarper.prepare_samples(source)
    labels = source.labels
    if labels is None and source.dataset is not None:
        labels = source.dataset.labels
    return embed(viewer, samples, source.row_names, labels, on_message)


def embed(
    viewer: Viewer,
    samples: Prepared,
    names: Array,
    labels: Array | None = None,
    on_message: Callable[[str], None] = lambda line: None,
) -> Collection:
    """Codes, deformations, clusters and errors of samples, computed block by block.

    Args:
        viewer: The model.
        samples: N prepared samples.
        names: Their names (N,).
        labels: Their classes (N,); None if unknown.
        on_message: Function that shows a line to people.
    """
    parts, last = [], time.monotonic()
    for rows in samples.chunks():
        parts.append(_embed_block(viewer, samples.subset(rows)))
        if time.monotonic() - last > SECONDS_BETWEEN_MESSAGES:
            on_message(f"embedded {min(rows.stop, len(samples)):,} of {len(samples):,} samples")
            last = time.monotonic()
    content, theta, tables, errors, clusters = zip(*parts, strict=True)
    table = pd.concat(tables, ignore_index=True)
    table.attrs = tables[0].attrs
    return Collection(
        samples,
        names,
        labels,
        np.concatenate(content),
        np.concatenate(theta),
        table,
        np.concatenate(errors),
        np.concatenate(clusters),
    )


@torch.no_grad()
def _embed_block(
    viewer: Viewer, samples: Prepared
) -> tuple[Array, Array, pd.DataFrame, Array, Array]:
    """Content, theta, table, errors and clusters of a block of samples."""
    unwarper, model = viewer.unwarper, viewer.unwarper.model_
    device = resolve_device(unwarper.device)
    place(model, device)
    x = samples[:].to(device)
    latent = model.embed(x)
    map, keeps_family = viewer.refined(x, latent.map), True
    if unwarper.refinement_ is not None:
        keeps_family = unwarper.refinement_.keeps_family
    theta = model.chart.theta(map if keeps_family else latent.map)
    x_hat = model.reconstruct(Latent(latent.content, model.chart.map(theta)))
    errors = (x_hat - x).flatten(1).square().nanmean(1).sqrt()
    table = deformation_table(viewer, map)
    content, parameters, error = (x.cpu().numpy() for x in (latent.content, theta, errors))
    place(model, "cpu")
    return content, parameters, table, error, _clusters(viewer, samples, content)


def _clusters(viewer: Viewer, samples: Prepared, content: Array) -> Array:
    """Clusters of samples; those of k-means follow from the content codes."""
    clusters = viewer.unwarper.clusters_
    if isinstance(clusters, KMeansClusters):
        return nearest_centre(content, clusters.centers)
    return viewer.unwarper.predict(samples)


def deformation_table(viewer: Viewer, map: Map) -> pd.DataFrame:
    """Deformations in units for people, as `Unwarper.transform_params` has them.

    Args:
        viewer: The model.
        map: N deformations, refined.
    """
    unwarper, size = viewer.unwarper, viewer.shape[1:]
    chart = unwarper.model_.chart.with_size(size)
    if not chart.factors and unwarper.refinement_ is not None:
        chart = CosineTime(size=size, sampling_rate=unwarper.schema_.clock.sampling_rate)
    return tabulate(map, chart)
