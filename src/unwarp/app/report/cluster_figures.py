"""Clusters of pictures: means before and after alignment, and templates."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.analysis.embedding import align_in_chunks
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    describe_overview,
    overview_clusters,
    overview_embedding,
    overview_samples,
)
from unwarp.app.report.illustrations import Plot
from unwarp.app.report.notes import symmetry_names
from unwarp.core import Array
from unwarp.models import Model
from unwarp.plots.timelines import largest_clusters

MAX_CLUSTERS_OF_PICTURES = 10
"""Greatest number of clusters of pictures that are shown; the largest clusters are shown."""


def clusters(outcome: Outcome) -> Figure:
    """Mean pictures of clusters before and after alignment, and their templates.

    Returns:
        A figure with three rows of at most `MAX_CLUSTERS_OF_PICTURES` pictures. The captions
        state the number of pictures and the symmetry of the template, if it has one.
    """
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    embedding, members = overview_embedding(outcome.warped, outcome), overview_clusters(outcome)
    aligned = align_in_chunks(x, embedding.map, unwarper.model_.padding)
    numbers = largest_clusters(members, MAX_CLUSTERS_OF_PICTURES)
    symmetries = symmetry_names(outcome)
    captions = [
        "\n".join(filter(None, (f"cluster {k}", f"{(members == k).sum():,}", symmetries[k])))
        for k in numbers
    ]
    rows = {
        "mean before": _means(x.numpy(), members, numbers),
        "mean after": _means(aligned.numpy(), members, numbers),
        "template": decode_centres(unwarper.model_, unwarper.cluster_centers_[numbers]),
    }
    return plots.gallery(rows, captions={"template": captions})


@torch.no_grad()
def decode_centres(model: Model, centres: Array) -> Array:
    """Templates (K, *shape) of content codes, scaled as for the model.

    Args:
        model: A trained model.
        centres: Content codes (K, D).
    """
    return model.template(torch.from_numpy(centres)).numpy()


def _means(x: Array, members: Array, numbers: Array) -> Array:
    """Mean pictures (K, C, H, W) of clusters.

    Args:
        x: Pictures (N, C, H, W).
        members: Cluster of each picture (N,).
        numbers: Numbers of the K clusters (K,).
    """
    return np.stack([x[members == number].mean(0) for number in numbers])


def clusters_caption(outcome: Outcome) -> str:
    """The caption of the figure of clusters."""
    return (
        "The kinds that were found without labels, in "
        f"{describe_overview(outcome, 'images')}. Top: the mean of the images as observed. Middle: "
        "the mean of the same images aligned; the sharper it is, the better they fit. Bottom: the "
        "template of the cluster, decoded from its centre. The number is that of the images; "
        "'2-fold' and so on say how often a template looks alike within a full turn. At most "
        f"{MAX_CLUSTERS_OF_PICTURES} clusters are shown, the largest ones."
    )


CLUSTERS = Plot("clusters", clusters, clusters_caption)
