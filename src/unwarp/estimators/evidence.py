"""Measures of held-out series that decide how much to warp, without labels.

All three take a trained model and series that it was not trained on. `unwarp.estimators.selection`
compares them between models.
"""

from __future__ import annotations

import math
from statistics import mean

import torch
from torch import Tensor

from unwarp.models import Model, rates
from unwarp.models.families.ae import laplacian_pyramid
from unwarp.warps import align, interpolate_missing
from unwarp.warps.missing import fill_missing

MAX_COUNTED_TIME_STEPS = 128
"""Time steps of a series that count in its description; neighbours in longer series repeat it."""

SMALLEST_VARIANCE = 1e-12
"""Variance below which a number counts as constant."""


@torch.no_grad()
def description_length(model: Model, x: Tensor) -> float:
    """Mean description length of series by a variational model, in nats.

    The two-part code of Rissanen (1978, Modeling by shortest data description): residuals, plus
    content code and deformation,

        n / 2 log(mean squared error) + KL(content) + KL(deformation),

    up to a constant of the data. The noise is the mean squared error of these series, and n the
    number of observed values of a series of at most 128 time steps.

    Args:
        model: A trained VAE, in evaluation mode.
        x: Held-out series (N, C, T), scaled for the model; NaN marks missing values.

    Returns:
        Nats a series; less is better, and negative values are possible.
    """
    posterior = model.encode(x)
    x_hat = model.decode_warped(posterior.content_mean, posterior.map)
    is_observed = torch.isfinite(x)
    error = (x_hat - fill_missing(x, x_hat)).square().sum() / is_observed.sum()
    n = x.shape[1] * min(x.shape[2], MAX_COUNTED_TIME_STEPS) * float(is_observed.float().mean())
    return n / 2 * math.log(max(float(error), SMALLEST_VARIANCE)) + sum(
        float(rate.mean()) for rate in rates(posterior, model).values()
    )


@torch.no_grad()
def unexplained(model: Model, x: Tensor, levels: int = 4) -> float:
    """Share of the variance of series that reconstructions leave unexplained.

    Series and errors are split into bands of frequencies by a Laplacian pyramid, so that small
    ripples count as much as slow changes. A band counts at most 1: reconstructing nothing would do
    as well.

    Args:
        model: A trained model, in evaluation mode.
        x: Held-out series (N, C, T), scaled for the model; NaN marks missing values.
        levels: Number of bands.

    Returns:
        The mean share over bands, from 0 (perfect) to 1.
    """
    x_hat = model.reconstruct(model.embed(x))
    target = fill_missing(x, x_hat)
    bands = zip(
        laplacian_pyramid(x_hat - target, levels), laplacian_pyramid(target, levels), strict=True
    )
    return mean(
        min(1.0, float(error.square().mean() / band.var().clamp_min(SMALLEST_VARIANCE)))
        for error, band in bands
    )


@torch.no_grad()
def distance_gain(model: Model, training: Tensor, held_out: Tensor) -> float:
    """Log factor by which alignment brings held-out series closer to training series.

    With d(x) the Euclidean distance of a held-out series to its nearest training series, the gain
    is log(mean d(x)^2 before alignment / mean d(x)^2 after alignment of both sets by the model).

    Args:
        model: A trained model, in evaluation mode.
        training: The series (N, C, T) that it was trained on; NaN marks missing values.
        held_out: Held-out series (M, C, T).

    Returns:
        The gain; 0 if alignment changes no distance, negative if it drives series apart.
    """
    before = _nearest_square(interpolate_missing(training), interpolate_missing(held_out))
    after = _nearest_square(
        *(
            interpolate_missing(align(x, model.pose(x), padding=model.padding))
            for x in (training, held_out)
        )
    )
    return math.log(max(before, SMALLEST_VARIANCE) / max(after, SMALLEST_VARIANCE))


def _nearest_square(training: Tensor, held_out: Tensor) -> float:
    """Mean squared distance of held-out series to their nearest training series."""
    distances = torch.cdist(held_out.flatten(1), training.flatten(1))
    return float(distances.amin(1).square().mean())
