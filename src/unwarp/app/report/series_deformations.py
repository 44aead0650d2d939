"""Figures of the warps of series: time maps, histograms, main directions."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.embedding import Embedding
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    nearest_clusters,
    nearest_to_mean,
    overview_embedding,
    overview_samples,
)
from unwarp.app.report.illustrations import Plot, fixed_caption
from unwarp.app.report.latent_figures import SAMPLES_PER_PATH
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.warps import Window

INTERVALS_PER_TIME_MAP = 64
"""Equal intervals of the length of a series, at the ends of which time maps are evaluated."""

MAX_DIRECTIONS = 3
"""Directions in the space of deformations that are shown."""

MIN_SHARE_OF_DIRECTION = 0.01
"""Share of the variance below which a direction is not shown, unless it is the first."""

MAX_DEVIATIONS = 2.0
"""Standard deviations to either side of the mean deformation."""


def sampling_rate_of(model: Model) -> float | None:
    """The sampling rate (samples per second) of a model; None if unknown.

    A warp of time knows it from the data or the user; a chain has that of its first such part.
    """
    rates = (getattr(part, "sampling_rate", None) for part in model.warp.parts)
    return next((float(rate) for rate in rates if rate is not None), None)


@torch.no_grad()
def render_series(model: Model, content: Tensor, theta: Tensor) -> Tensor:
    """Series decoded from content codes and deformed.

    Args:
        model: The model with the warp.
        content: Content codes (N, D).
        theta: Parameters of the deformations (N, P), the columns of the model's chart.

    Returns:
        Series (N, C, T) in the units of the model.
    """
    return model.reconstruct(Latent(content, model.chart.map(theta)))


def time_maps(outcome: Outcome) -> Figure | None:
    """Warps of time as curves, coloured by cluster; None without a warp.

    Returns:
        A figure with the time maps at the left and their local speeds at the right, at
        `INTERVALS_PER_TIME_MAP` + 1 times; see `unwarp.plots.warps`.
    """
    embedding = overview_embedding(outcome.warped, outcome)
    if not embedding.table:
        return None
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    lattice = Window.frame((INTERVALS_PER_TIME_MAP + 1,)).lattice(x)
    gamma = embedding.map.pull(lattice)[..., 0].numpy()
    clusters = nearest_clusters(embedding.codes, unwarper.cluster_centers_)
    names = np.array([f"cluster {cluster}" for cluster in clusters])
    rate = sampling_rate_of(unwarper.model_)
    return plots.warps(gamma, x.shape[2], sampling_rate=rate, labels=names)


def deformations(outcome: Outcome) -> Figure | None:
    """Histograms of the estimated deformations of series; None without a warp.

    Panels span the values, since the ranges of warps of time are often far wider.
    """
    table = overview_embedding(outcome.warped, outcome).table
    return plots.histograms(table, bounds=False) if table else None


def deformation(outcome: Outcome) -> Figure | None:
    """A typical series along main directions of deformation; None without warp."""
    model = outcome.warped.unwarper.model_
    if not model.warp.factors:
        return None
    return directions(model, overview_embedding(outcome.warped, outcome))


def directions(model: Model, embedding: Embedding, n: int = SAMPLES_PER_PATH) -> Figure:
    """The most typical template, deformed along the principal components of the warps.

    Single parameters of a warp of time have no meaning for readers; principal components of all
    parameters, each divided by its half-range, show how series differ in timing.

    Args:
        model: The model with the warp.
        embedding: Its embedding of many series.
        n: Samples per row, from -2 to 2 standard deviations around the mean deformation.

    Returns:
        A figure with at most `MAX_DIRECTIONS` rows, named with their share of the variance.
    """
    half_ranges = np.array([factor.half_range for factor in model.chart.factors])
    theta = embedding.theta / half_ranges
    _, sizes, axes = np.linalg.svd(theta - theta.mean(0), full_matrices=False)
    shares = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-12)
    count = max(1, int((shares[:MAX_DIRECTIONS] > MIN_SHARE_OF_DIRECTION).sum()))
    steps = np.linspace(-MAX_DEVIATIONS, MAX_DEVIATIONS, n)
    deviations = axes * sizes[:, None] / len(theta) ** 0.5
    paths = [(theta.mean(0) + steps[:, None] * axis) * half_ranges for axis in deviations[:count]]
    x = _render_typical(model, embedding, torch.from_numpy(np.concatenate(paths))).numpy()
    labels = [f"direction {i + 1}\n{shares[i]:.0%}" for i in range(count)]
    values = np.tile(steps, (count, 1))
    return plots.traversal(labels, values, x.reshape(count, n, *x.shape[1:]), "sd")


def _render_typical(model: Model, embedding: Embedding, theta: Tensor) -> Tensor:
    """The template nearest to the mean code under deformations (N, P), as series (N, C, T)."""
    rows = [nearest_to_mean(embedding.codes)] * len(theta)
    content = torch.from_numpy(embedding.codes[rows])
    return render_series(model, content, theta.to(content))


TIME_MAPS = Plot(
    "warps",
    time_maps,
    fixed_caption(
        "Estimated warps of time, one curve per series, coloured by cluster. Left: template time "
        "over observed time. On the dotted line there is no warp; below it, features occur later "
        "than in the template. Right: local speed, the slope of the curves at the left. At 2, the "
        "observation runs through its template twice as fast."
    ),
)
DEFORMATIONS = Plot(
    "deformations",
    deformations,
    fixed_caption(
        "Histograms of the estimated warps. Lag is the mean of observed time minus template time; "
        "positive means later than the template. Speeds are the least and the greatest local "
        "speed of a series, acceleration is the greatest change of its speed."
    ),
)
DEFORMATION = Plot(
    "deformation",
    deformation,
    fixed_caption(
        "The template of a typical series under typical deformations: one principal component of "
        "the estimated warps per row, with its share of their variance, in standard deviations "
        "(sd) from the mean warp."
    ),
)
