"""Figures of a report that series alone have."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.analysis.embedding import Embedding, align_in_chunks
from unwarp.app.outcome import Outcome
from unwarp.app.report.shown import FEW, _clusters, _embedding, _shown, _typical
from unwarp.core import Array
from unwarp.estimators.unwarper import Unwarper
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.plots.timelines import largest
from unwarp.warps import Window, interpolate_missing

AVERAGED = 10


LENGTH = 300


CELLS = 64


CLUSTERS = 6


def _of_series(outcome: Outcome) -> dict[str, Figure]:
    """What series alone are shown by: clusters raw and aligned, warps over time, averages by other methods."""
    unwarper, found = outcome.warped.unwarper, _embedding(outcome.warped, outcome)
    x, undo, sampling_rate = _shown(outcome), unwarper.schema_.scaler.undo, clock_rate(unwarper.model_)
    aligned = align_in_chunks(x, found.map, unwarper.model_.padding).numpy()
    clusters, templates = _clusters(unwarper, found.codes), unwarper.cluster_templates_
    drawn = {
        "alignment": plots.series(
            undo(x.numpy()), undo(aligned), templates, clusters, sampling_rate=sampling_rate, most=CLUSTERS
        )
    }
    if found.table:
        gamma = found.map.pull(Window.frame((CELLS + 1,)).lattice(x))[..., 0].numpy()
        names = np.array([f"cluster {name}" for name in clusters])
        drawn["warps"] = plots.warps(gamma, x.shape[2], sampling_rate=sampling_rate, labels=names)
        drawn["deformations"] = plots.columns(found.table, bounds=False)
    return drawn | _averages(unwarper, x.numpy(), found, clusters)


def clock_rate(model: Model) -> float | None:
    """Samples a second, where the warp of a model of series knows them."""
    rates = (getattr(part, "sampling_rate", None) for part in model.warp.parts)
    return next((float(sampling_rate) for sampling_rate in rates if sampling_rate is not None), None)


def _averages(unwarper: Unwarper, x: Array, embedding: Embedding, clusters: Array) -> dict[str, Figure]:
    """Templates of the largest clusters beside DBA (Petitjean et al. 2011) and soft-DTW barycenters (Cuturi and Blondel 2017).

    Nothing without `tslearn`, which has both; it knows no gaps, so that averages are taken over series with gaps filled. A few series of each cluster, thinned to at most `LENGTH` samples, and the
    first channel alone. Templates are moved by the mean warp of their series, as barycenters stand where these do.
    """
    if find_spec("tslearn") is None:
        return {}
    step = -(-x.shape[2] // LENGTH)
    names = largest(clusters, 4)
    members = [np.flatnonzero(clusters == name) for name in names]
    some = [mine[np.linspace(0, len(mine) - 1, min(len(mine), AVERAGED)).astype(int)] for mine in members]
    groups = [x[rows, 0, ::step] for rows in some]
    theta = torch.from_numpy(np.stack([embedding.theta[rows].mean(0) for rows in some]))
    centres = torch.from_numpy(unwarper.cluster_centers_[names])
    with torch.no_grad():
        moved = unwarper.model_.reconstruct(Latent(centres, unwarper.model_.chart.map(theta))).numpy()
    whole = [interpolate_missing(torch.from_numpy(group)).numpy() for group in groups]
    curves = {
        "template": moved[:, 0, ::step],
        **_barycenters(whole),
        "mean": np.stack([group.mean(0) for group in whole]),
    }
    sampling_rate = clock_rate(unwarper.model_)
    titles = [f"cluster {name}" for name in names]
    return {
        "averages": plots.averages(
            dict(zip(titles, groups, strict=True)), curves, sampling_rate=sampling_rate, step=step
        )
    }


def _barycenters(groups: Sequence[Array]) -> dict[str, Array]:
    """DBA and soft-DTW barycenters (K, T) of K groups of series (N_k, T), by method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = import_module("tslearn.barycenters")
        dba = [found.dtw_barycenter_averaging(group[..., None], max_iter=10) for group in groups]
        soft = [found.softdtw_barycenter(group[..., None], gamma=1.0, max_iter=15) for group in groups]
    return {name: np.stack(curves)[..., 0] for name, curves in (("DBA", dba), ("soft-DTW", soft))}


def _ways(model: Model, found: Embedding, n: int = 9) -> Figure:
    """The most typical sample under the deformations that were found, along the directions in which these vary most.

    Single columns of a warp of time mean nothing to people; principal components of all of them, over their half-ranges,
    do.
    """
    half = np.array([factor.half_range for factor in model.chart.factors])
    theta = found.theta / half
    _, sizes, directions = np.linalg.svd(theta - theta.mean(0), full_matrices=False)
    shares = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-12)
    steps, kept = np.linspace(-2, 2, n), range(max(1, int((shares[:FEW] > 0.01).sum())))
    spread = [directions[i] * sizes[i] / len(theta) ** 0.5 for i in kept]
    moved = np.concatenate([(theta.mean(0) + steps[:, None] * way) * half for way in spread])
    content = torch.from_numpy(found.codes[[_typical(found.codes)] * len(moved)])
    with torch.no_grad():
        x = model.reconstruct(Latent(content, model.chart.map(torch.from_numpy(moved).to(content)))).numpy()
    labels = [f"direction {i + 1}\n{shares[i]:.0%}" for i in kept]
    return plots.traversal(labels, np.tile(steps, (len(labels), 1)), x.reshape(len(labels), n, *x.shape[1:]), "sd")
