"""Figures of series: examples, alignment of clusters, averages."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.analysis.embedding import align_in_chunks
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    MAX_EXAMPLES,
    describe_overview,
    held_out_samples,
    overview_clusters,
    overview_embedding,
    overview_samples,
)
from unwarp.app.report.figures import gallery, gallery_caption
from unwarp.app.report.illustrations import Plot, fixed_caption
from unwarp.app.report.series_deformations import render_series, sampling_rate_of
from unwarp.core import Array
from unwarp.estimators.unwarper import Unwarper
from unwarp.plots.timelines import largest_clusters, observed_mean
from unwarp.warps import interpolate_missing

MAX_SERIES_EXAMPLES = MAX_EXAMPLES // 2
"""Greatest number of series that are shown as examples; they are drawn wider than images."""

MAX_CLUSTERS_OVERLAID = 6
"""Greatest number of clusters with overlaid series; the largest clusters are shown."""

MAX_CLUSTERS_AVERAGED = 4
"""Greatest number of clusters with averages by several methods; the largest are shown."""

MAX_SERIES_AVERAGED = 10
"""Greatest number of series of a cluster that are averaged; more take long to compute."""

MAX_TIMES_AVERAGED = 300
"""Greatest number of time steps of series that are averaged; longer series are thinned out."""

MAX_SHARE_INTERPOLATED = 0.1
"""Largest share of missing values of a cluster that barycenters of tslearn may interpolate."""


def series_gallery(outcome: Outcome) -> Figure:
    """Held-out series, observed and aligned, with templates and reconstructions.

    Returns:
        A figure with five rows of at most `MAX_SERIES_EXAMPLES` series, at the same scale.
    """
    x, unwarper = held_out_samples(outcome), outcome.warped.unwarper
    aligned = align_in_chunks(x, outcome.warped.embedding.map, unwarper.model_.padding)
    return gallery(outcome, MAX_SERIES_EXAMPLES, {"aligned": aligned})


def alignment(outcome: Outcome) -> Figure:
    """Series of each cluster overlaid, observed and aligned.

    Values are in the units of the data. Clusters are those of `Unwarper.predict`.

    Returns:
        A figure with a row for each of at most `MAX_CLUSTERS_OVERLAID` clusters; see
        `unwarp.plots.series`.
    """
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    embedding, undo = overview_embedding(outcome.warped, outcome), unwarper.schema_.scaler.undo
    aligned = align_in_chunks(x, embedding.map, unwarper.model_.padding)
    return plots.series(
        undo(x.numpy()),
        undo(aligned.numpy()),
        unwarper.cluster_templates_,
        overview_clusters(outcome),
        sampling_rate=sampling_rate_of(unwarper.model_),
        start=unwarper.schema_.clock.start,
        max_clusters=MAX_CLUSTERS_OVERLAID,
    )


def alignment_caption(outcome: Outcome) -> str:
    """The caption of the figure of overlaid series."""
    return (
        f"{describe_overview(outcome, 'series').capitalize()}, overlaid by cluster. Left: series "
        "as observed, with their mean. Right: the same series aligned, with the template of the "
        "cluster, which is decoded from its centre. Bands: root mean square distance from the "
        "line. Clusters are formed without labels; only their number is that of the classes, if "
        f"labels are known. At most {MAX_CLUSTERS_OVERLAID} clusters are shown, the largest ones."
    )


def averages(outcome: Outcome) -> Figure | None:
    """Templates of the largest clusters, beside averages by other methods.

    The other methods are DBA (dynamic time warping barycenter averaging, Petitjean et al. 2011),
    soft-DTW barycenters (Cuturi and Blondel 2017), and the plain mean. `tslearn` computes the
    barycenters; it accepts no missing values, so they are interpolated first, or left out if a
    cluster lacks more than `MAX_SHARE_INTERPOLATED` of its values. A barycenter has the
    mean timing of its series, so each template is shown under the mean warp of the same series.

    Returns:
        A figure of the first channel, scaled as for the model; None if `tslearn` is not installed.
    """
    if find_spec("tslearn") is None:
        return None
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    embedding = overview_embedding(outcome.warped, outcome)
    clusters = overview_clusters(outcome)
    names = largest_clusters(clusters, MAX_CLUSTERS_AVERAGED)
    members = [_thin_out(np.flatnonzero(clusters == name)) for name in names]
    step = -(-x.shape[2] // MAX_TIMES_AVERAGED)
    groups = [x[rows, 0, ::step].numpy() for rows in members]
    templates = _warp_templates(unwarper, names, [embedding.theta[rows] for rows in members])
    curves = {
        "template": templates[:, 0, ::step],
        **_barycenters(groups),
        "mean": np.stack([observed_mean(group) for group in groups]),
    }
    traces = dict(zip((f"cluster {name}" for name in names), groups, strict=True))
    rate, start = sampling_rate_of(unwarper.model_), unwarper.schema_.clock.start
    return plots.averages(traces, curves, sampling_rate=rate, start=start, step=step)


def _thin_out(rows: Array) -> Array:
    """At most `MAX_SERIES_AVERAGED` of `rows` (N,), evenly chosen."""
    n = min(len(rows), MAX_SERIES_AVERAGED)
    return np.asarray(rows[np.linspace(0, len(rows) - 1, n).astype(int)])


def _warp_templates(unwarper: Unwarper, clusters: Array, thetas: Sequence[Array]) -> Array:
    """The templates of clusters under the mean warp of their series.

    Args:
        unwarper: The model with the warp.
        clusters: Numbers of K clusters (K,).
        thetas: Parameters of the warps (N_k, P) of the series of each cluster.

    Returns:
        Series (K, C, T), scaled as for the model.
    """
    centres = torch.from_numpy(unwarper.cluster_centers_[clusters])
    theta = torch.from_numpy(np.stack([columns.mean(0) for columns in thetas]))
    return render_series(unwarper.model_, centres, theta).numpy()


def _barycenters(groups: Sequence[Array]) -> dict[str, Array]:
    """DBA and soft-DTW barycenters (K, T) of K groups of series (N_k, T); none of many gaps."""
    if max(np.isnan(group).mean() for group in groups) > MAX_SHARE_INTERPOLATED:
        return {}
    groups = [interpolate_missing(torch.from_numpy(group)).numpy() for group in groups]
    with warnings.catch_warnings():
        # tslearn warns about optional packages, which does not concern readers of the report
        warnings.simplefilter("ignore")
        methods = import_module("tslearn.barycenters")
        columns = [group[..., None] for group in groups]
        dba = [methods.dtw_barycenter_averaging(x, max_iter=10) for x in columns]
        soft = [methods.softdtw_barycenter(x, gamma=1.0, max_iter=15) for x in columns]
    return {"DBA": np.stack(dba)[..., 0], "soft-DTW": np.stack(soft)[..., 0]}


GALLERY = Plot(
    "gallery",
    series_gallery,
    partial(gallery_caption, noun="series", aligned="the same series with their warps undone; "),
)
ALIGNMENT = Plot("alignment", alignment, alignment_caption)
AVERAGES = Plot(
    "averages",
    averages,
    fixed_caption(
        "Averages of a few series (grey, scaled as for the model) of the largest clusters: the "
        "template under the mean warp of these series, their DBA and soft-DTW barycenters, and "
        "their mean. Unlike a barycenter, the model also aligns new series in one pass."
    ),
)
