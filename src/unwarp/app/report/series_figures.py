"""Figures that reports of series have."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.embedding import Embedding, align_in_chunks
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    MAX_EXAMPLES,
    held_out_samples,
    nearest_clusters,
    nearest_to_mean,
    overview_embedding,
    overview_samples,
    overview_words,
)
from unwarp.app.report.figures import SAMPLES_IN_WALK, gallery, gallery_caption
from unwarp.app.report.illustrations import Plot, always
from unwarp.core import Array
from unwarp.estimators.unwarper import Unwarper
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.plots.timelines import largest_clusters
from unwarp.warps import Window, interpolate_missing

MAX_SERIES_EXAMPLES = MAX_EXAMPLES // 2
"""Series that stand side by side as examples: they are drawn wider than images."""

MAX_CLUSTERS_OVERLAID = 6
"""Clusters whose series are overlaid, the largest."""

INTERVALS_OF_TIME_MAP = 64
"""Intervals of the series' length at whose ends time maps are drawn."""

MAX_CLUSTERS_AVERAGED = 4
"""Clusters whose averages are compared, the largest."""

MAX_SERIES_AVERAGED = 10
"""Series of one cluster whose average is taken."""

MAX_TIMES_AVERAGED = 300
"""Samples to which series are thinned before averages are taken."""

MAX_DIRECTIONS = 3
"""Directions in the space of deformations that are shown."""

MIN_SHARE_OF_DIRECTION = 0.01
"""Share of the variance below which a direction is not shown."""


def series_gallery(outcome: Outcome) -> Figure:
    """Held-out examples, also with their warps undone."""
    x, unwarper = held_out_samples(outcome), outcome.warped.unwarper
    aligned = align_in_chunks(x, outcome.warped.embedding.map, unwarper.model_.padding)
    return gallery(outcome, MAX_SERIES_EXAMPLES, {"aligned": aligned})


def alignment(outcome: Outcome) -> Figure:
    """The series of each cluster overlaid, as observed and aligned."""
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    embedding, undo = overview_embedding(outcome.warped, outcome), unwarper.schema_.scaler.undo
    aligned = align_in_chunks(x, embedding.map, unwarper.model_.padding)
    return plots.series(
        undo(x.numpy()),
        undo(aligned.numpy()),
        unwarper.cluster_templates_,
        nearest_clusters(embedding.codes, unwarper.cluster_centers_),
        sampling_rate=clock_rate(unwarper.model_),
        max_clusters=MAX_CLUSTERS_OVERLAID,
    )


def alignment_caption(outcome: Outcome) -> str:
    """The traces, lines and bands of the overlaid series in words."""
    return (
        f"{overview_words(outcome, 'series').capitalize()}, overlaid cluster by cluster. Left: as "
        "observed, with their mean. Right: with their warps undone, and the cluster's template, "
        "which is its centre in content, decoded. Bands: root mean square distance from that "
        "line. Clusters are found without labels, as many as there are classes where these are "
        f"known; at most {MAX_CLUSTERS_OVERLAID} are shown, the largest."
    )


def time_maps(outcome: Outcome) -> Figure | None:
    """Warps of time as curves, coloured by cluster, where there are any."""
    embedding = overview_embedding(outcome.warped, outcome)
    if not embedding.table:
        return None
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    lattice = Window.frame((INTERVALS_OF_TIME_MAP + 1,)).lattice(x)
    gamma = embedding.map.pull(lattice)[..., 0].numpy()
    clusters = nearest_clusters(embedding.codes, unwarper.cluster_centers_)
    names = np.array([f"cluster {cluster}" for cluster in clusters])
    rate = clock_rate(unwarper.model_)
    return plots.warps(gamma, x.shape[2], sampling_rate=rate, labels=names)


def deformations(outcome: Outcome) -> Figure | None:
    """Histograms of the estimated deformations, where there are any."""
    table = overview_embedding(outcome.warped, outcome).table
    return plots.histograms(table, bounds=False) if table else None


def clock_rate(model: Model) -> float | None:
    """Samples a second of a model of series, where known."""
    rates = (getattr(part, "sampling_rate", None) for part in model.warp.parts)
    return next((float(rate) for rate in rates if rate is not None), None)


def averages(outcome: Outcome) -> Figure | None:
    """Templates of the largest clusters beside averages by other methods.

    The others are DBA (Petitjean et al. 2011) and soft-DTW barycenters (Cuturi and Blondel 2017).
    Only the first channel is averaged. `tslearn`, which has both, knows no gaps, so that averages
    are taken over series with gaps filled. Templates are moved by the mean warp of their series,
    as barycenters stand where these do.

    Returns:
        The figure; None without `tslearn`.
    """
    if find_spec("tslearn") is None:
        return None
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    embedding = overview_embedding(outcome.warped, outcome)
    clusters = nearest_clusters(embedding.codes, unwarper.cluster_centers_)
    names = largest_clusters(clusters, MAX_CLUSTERS_AVERAGED)
    members = [_thinned(np.flatnonzero(clusters == name)) for name in names]
    step = -(-x.shape[2] // MAX_TIMES_AVERAGED)
    groups = [x[rows, 0, ::step].numpy() for rows in members]
    templates = _moved_templates(unwarper, names, [embedding.theta[rows] for rows in members])
    curves = {
        "template": templates[:, 0, ::step],
        **_barycenters([interpolate_missing(torch.from_numpy(group)).numpy() for group in groups]),
        "mean": np.stack([group.mean(0) for group in groups]),
    }
    traces = dict(zip((f"cluster {name}" for name in names), groups, strict=True))
    return plots.averages(traces, curves, sampling_rate=clock_rate(unwarper.model_), step=step)


def _thinned(rows: Array) -> Array:
    """At most `MAX_SERIES_AVERAGED` of `rows` (N,), evenly spread."""
    n = min(len(rows), MAX_SERIES_AVERAGED)
    return np.asarray(rows[np.linspace(0, len(rows) - 1, n).astype(int)])


def _moved_templates(unwarper: Unwarper, clusters: Array, thetas: Sequence[Array]) -> Array:
    """Templates of clusters under the mean warp of their series.

    Args:
        unwarper: The model with the warp.
        clusters: Clusters (K,).
        thetas: Columns of the warps (N_k, P) of the series of each cluster.

    Returns:
        Series (K, C, T).
    """
    model = unwarper.model_
    centres = torch.from_numpy(unwarper.cluster_centers_[clusters])
    theta = torch.from_numpy(np.stack([columns.mean(0) for columns in thetas]))
    return _rendered(model, centres, theta).numpy()


@torch.no_grad()
def _rendered(model: Model, content: Tensor, theta: Tensor) -> Tensor:
    """Codes decoded and deformed, (N, C, T).

    Args:
        model: The model with the warp.
        content: Content codes (N, D).
        theta: Columns of its chart (N, P).
    """
    return model.reconstruct(Latent(content, model.chart.map(theta)))


def _barycenters(groups: Sequence[Array]) -> dict[str, Array]:
    """DBA and soft-DTW barycenters (K, T) of groups (N_k, T)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        methods = import_module("tslearn.barycenters")
        columns = [group[..., None] for group in groups]
        dba = [methods.dtw_barycenter_averaging(x, max_iter=10) for x in columns]
        soft = [methods.softdtw_barycenter(x, gamma=1.0, max_iter=15) for x in columns]
    return {"DBA": np.stack(dba)[..., 0], "soft-DTW": np.stack(soft)[..., 0]}


def deformation(outcome: Outcome) -> Figure | None:
    """A typical series along the main directions of the deformations."""
    model = outcome.warped.unwarper.model_
    if not model.warp.factors:
        return None
    return directions(model, overview_embedding(outcome.warped, outcome))


def directions(model: Model, embedding: Embedding, n: int = SAMPLES_IN_WALK) -> Figure:
    """The most typical series, deformed along principal components of the warps.

    Single columns of a warp of time mean nothing to people; principal components of all of them,
    each over its half-range, do.

    Args:
        model: The model with the warp.
        embedding: Its embedding of many series.
        n: Samples in a row.
    """
    half_ranges = np.array([factor.half_range for factor in model.chart.factors])
    theta = embedding.theta / half_ranges
    _, sizes, axes = np.linalg.svd(theta - theta.mean(0), full_matrices=False)
    shares = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-12)
    count = max(1, int((shares[:MAX_DIRECTIONS] > MIN_SHARE_OF_DIRECTION).sum()))
    steps, deviations = np.linspace(-2, 2, n), axes * sizes[:, None] / len(theta) ** 0.5
    paths = [(theta.mean(0) + steps[:, None] * axis) * half_ranges for axis in deviations[:count]]
    moved = torch.from_numpy(np.concatenate(paths))
    typical = [nearest_to_mean(embedding.codes)] * len(moved)
    content = torch.from_numpy(embedding.codes[typical])
    x = _rendered(model, content, moved.to(content)).numpy()
    labels = [f"direction {i + 1}\n{shares[i]:.0%}" for i in range(count)]
    values = np.tile(steps, (count, 1))
    return plots.traversal(labels, values, x.reshape(count, n, *x.shape[1:]), "sd")


GALLERY = Plot(
    "gallery",
    series_gallery,
    partial(gallery_caption, noun="series", undone="the same with their warps undone; "),
)
ALIGNMENT = Plot("alignment", alignment, alignment_caption)
TIME_MAPS = Plot(
    "warps",
    time_maps,
    always(
        "Warps of time, coloured by cluster. Left: the moment of the template that is seen at each "
        "moment; on the dotted line nothing is moved, and below it things are seen later than in "
        "the template. Right: local speed; at 2 the observation runs through its template twice "
        "as fast."
    ),
)
DEFORMATIONS = Plot(
    "deformations",
    deformations,
    always(
        "Lag is the mean of observed minus template time (positive: seen later); speed and "
        "acceleration are the extremes of a series."
    ),
)
AVERAGES = Plot(
    "averages",
    averages,
    always(
        "Averages of a few series of the largest clusters (grey, standardised): the cluster's "
        "template under the mean warp of these series, beside their DBA and soft-DTW barycenters "
        "and their plain mean. A template also aligns new series in one pass."
    ),
)
DEFORMATION = Plot(
    "deformation",
    deformation,
    always(
        "The template of a typical series under the deformations that were found, along the "
        "directions in which these vary most, with their share of the variance; sd: standard "
        "deviation along a direction."
    ),
)
