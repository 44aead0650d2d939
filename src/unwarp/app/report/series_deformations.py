"""Figures of the warps of series: time maps, histograms, recovery, main directions.

A time map is an increasing function from observed time to template time. A main direction is a
principal component of the parameters theta of all deformations.
"""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.embedding import Embedding
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    nearest_to_mean,
    overview_clusters,
    overview_embedding,
    overview_samples,
)
from unwarp.app.report.illustrations import Plot, fixed_caption
from unwarp.app.report.latent_figures import SAMPLES_PER_PATH
from unwarp.app.report.notes import varying
from unwarp.core import Factor
from unwarp.metrics.recovery import relative_displacements
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.warps import Window

INTERVALS_PER_TIME_MAP = 64
"""Number of equal intervals that a series is divided into; time maps are drawn at their ends."""

TIMES_PER_PAIR = 9
"""Number of times, evenly spaced, at which estimated and true displacements are compared."""

MAX_DIRECTIONS = 3
"""Greatest number of main directions that are shown."""

MIN_SHARE_OF_DIRECTION = 0.01
"""Least share of the variance of a direction that is shown; the first is always shown."""

MAX_DEVIATIONS = 2.0
"""Distance from the mean deformation to either end of a row, in standard deviations."""


def sampling_rate_of(model: Model) -> float | None:
    """The sampling rate (samples per second) of a model; None if unknown.

    The rate is that of the first part of the warp that has one. A warp of time gets it from the
    data or from the user.
    """
    rates = (getattr(part, "sampling_rate", None) for part in model.warp.parts)
    return next((float(rate) for rate in rates if rate is not None), None)


@torch.no_grad()
def render_series(model: Model, content: Tensor, theta: Tensor) -> Tensor:
    """Series decoded from content codes and deformed.

    Args:
        model: The model with the warp.
        content: Content codes (N, D).
        theta: Parameters of the deformations (N, P), in the columns of `model.chart`.

    Returns:
        Series (N, C, T), scaled as for the model.
    """
    return model.reconstruct(Latent(content, model.chart.map(theta)))


def time_maps(outcome: Outcome) -> Figure | None:
    """Time maps of the series in the overview, coloured by cluster.

    Returns:
        A figure with the time maps at the left and their slopes, the local speeds, at the right;
        see `unwarp.plots.warps`. None if the model has no warp.
    """
    embedding = overview_embedding(outcome.warped, outcome)
    if not embedding.table:
        return None
    unwarper, x = outcome.warped.unwarper, overview_samples(outcome)
    lattice = Window.frame((INTERVALS_PER_TIME_MAP + 1,)).lattice(x)
    gamma = embedding.map.pull(lattice)[..., 0].numpy()
    clusters = overview_clusters(outcome)
    names = np.array([f"cluster {cluster}" for cluster in clusters])
    rate, start = sampling_rate_of(unwarper.model_), unwarper.schema_.clock.start
    return plots.warps(gamma, x.shape[2], sampling_rate=rate, start=start, labels=names)


def recovery(outcome: Outcome) -> Figure | None:
    """Estimated against true displacements in time.

    Data sets with true warps contain two observations of each original. A displacement leads from
    the second observation to the first (see `unwarp.metrics.recovery`).

    Returns:
        A figure with a point for each pair and each of several times, in seconds or time steps.
        None if the true warps are unknown.
    """
    test, unwarper = outcome.test, outcome.warped.unwarper
    if test.maps is None or test.ids is None:
        return None
    n_times = TIMES_PER_PAIR + 2  # smooth warps of time leave both ends where they are
    values = relative_displacements(outcome.warped.embedding.map, test.maps, test.ids, n_times)
    rate, length = sampling_rate_of(unwarper.model_), float(test.x.shape[2] - 1)
    unit, extent = ("samples", length) if rate is None else ("s", length / rate)
    factor = Factor(f"displacement_{unit}", unit, -extent, extent)
    estimates, true_values = (extent * part[:, 1:-1].flatten().numpy() for part in values)
    return plots.recovery({factor: (estimates, true_values)})


def deformations(outcome: Outcome) -> Figure | None:
    """Histograms of the estimated deformations of series; None without a warp.

    Columns that are constant are left out; `notes.constant_note` states them. Panels span the
    values, not the ranges of the factors, which are often far wider.
    """
    table = varying(overview_embedding(outcome.warped, outcome).table)
    return plots.histograms(table, bounds=False) if table else None


def deformation(outcome: Outcome) -> Figure | None:
    """A typical template under deformations; None without a warp. See `directions`."""
    model = outcome.warped.unwarper.model_
    if not model.warp.factors:
        return None
    return directions(model, overview_embedding(outcome.warped, outcome))


def directions(model: Model, embedding: Embedding, n: int = SAMPLES_PER_PATH) -> Figure:
    """A typical template, deformed along the main directions of deformation.

    A single parameter of a warp of time means little to readers. The principal components of all
    parameters show how series differ in timing. Each parameter is first divided by its half-range
    (half of the width between its bounds). The template is that of the code nearest to the mean.

    Args:
        model: The model with the warp.
        embedding: Codes and deformations of many series, by the model.
        n: Samples per row, from -2 to 2 standard deviations around the mean deformation.

    Returns:
        A figure with at most `MAX_DIRECTIONS` rows. Their names state their share of the variance.
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
    """The template of the code nearest to the mean code, under several deformations.

    Args:
        model: The model with the warp.
        embedding: Codes of many series.
        theta: Parameters of the deformations (N, P).

    Returns:
        Series (N, C, T), scaled as for the model.
    """
    rows = [nearest_to_mean(embedding.codes)] * len(theta)
    content = torch.from_numpy(embedding.codes[rows])
    return render_series(model, content, theta.to(content))


TIME_MAPS = Plot(
    "warps",
    time_maps,
    fixed_caption(
        "Estimated warps of time, one curve per series, coloured by cluster. Left: template time "
        "over observed time. The dotted line is the identity (no warp). Where a curve is below it, "
        "features of the observation occur later than in the template. Right: local speed, which "
        "is the slope of the curves at the left. At a speed of 2, the observation runs twice as "
        "fast as its template."
    ),
)
DEFORMATIONS = Plot(
    "deformations",
    deformations,
    fixed_caption(
        "Histograms of the estimated warps. Lag is the mean of observed time minus template time; "
        "a positive lag means that the observation is later than its template. Speeds are the "
        "least and the greatest local speed of a series. Acceleration is the greatest change of "
        "its speed."
    ),
)
RECOVERY = Plot(
    "recovery",
    recovery,
    fixed_caption(
        "Estimated against true displacement in time between two observations of one original, at "
        "nine times of each pair. Points of perfect estimates are on the line. Crosses at the "
        "border stand for points outside the panel."
    ),
)
DEFORMATION = Plot(
    "deformation",
    deformation,
    fixed_caption(
        "The template of a typical series under typical deformations. In each row the deformation "
        "varies along one principal component of the estimated warps. The percentage is the share "
        "of the variance of the warps; the numbers below are standard deviations (sd) from the "
        "mean warp."
    ),
)
