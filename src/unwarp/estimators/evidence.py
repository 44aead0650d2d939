"""Measures of trained models on held-out series, without labels.

`unwarp.estimators.selection` compares these measures between models with and without a warp, to
decide how much to warp the series. Held-out series are series that a model was not trained on.
Pictures are compared by their description length alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import mean

import torch
from sklearn.cluster import KMeans
from torch import Tensor

from unwarp.distances import ValuesAndSlopes
from unwarp.distances.values_and_slopes import mean_and_nearest, shorten
from unwarp.estimators.strangers import DEVIATION_OF_MAD
from unwarp.missing import fill_missing
from unwarp.models import Model, rates
from unwarp.models.families.ae import laplacian_pyramid
from unwarp.models.lags.search import LagSearch
from unwarp.warps import Map, TimeAffine, TimeShift, Warp, align, interpolate_missing

MAX_COUNTED_TIME_STEPS = 128
"""Greatest number of time steps that count in the description length of a series.

In longer series neighbouring values are nearly equal, so more values add no information.
"""

MAX_COUNTED_VALUES_OF_PICTURE = 128
"""Greatest number of values that count in the description length of a picture, for that reason."""

MAX_COMPARED_SERIES = 128
"""Greatest number of series between which elastic distances are computed."""

MAX_COMPARED_CHANNELS = 8
"""Greatest number of channels, or of their principal components, in an elastic distance."""

MAX_SERIES_FOR_TEMPO = 24
"""Greatest number of training series whose tempos are searched."""

N_MEANS = 4
"""Number of means of aligned series that held-out series are compared with."""

MIN_COVERAGE = 0.999
"""Share of a time step that lies inside a series from which it counts as observed."""

MIN_EXPLAINED_IN_NOISE = 0.1
"""Share of the variance that lags must explain, so that noise does not count as unexplained."""

ERROR_OF_NOISE = 4.0
"""Relative error that an estimate of the variance of noise may have, times the root of the number
of values: about two standard errors."""

SMALLEST_VARIANCE = 1e-12
"""Lower bound of variances and squared distances, so that ratios and logarithms are finite."""


@torch.no_grad()
def description_length(model: Model, x: Tensor) -> float:
    """Mean description length of samples under a model, in nats.

    This is the length of a message that describes a sample with the model: its residual
    (observation minus reconstruction), its content code and its deformation. By the two-part code
    of Rissanen (1978, Modeling by shortest data description) the length is

        n / 2 log(mean squared error) + KL(content) + KL(deformation)

    plus a constant that is the same for all models. Here n is the mean number of observed values
    of a sample, of which at most 128 count in each channel of series, or in a picture. The mean
    squared error is that of all samples in `x`. KL is the KL divergence of the model's posterior
    from its prior. A model without a posterior, such as an autoencoder, states each of its latents
    to the precision that n values allow, in log(n) / 2 nats (Schwarz 1978, Estimating the dimension
    of a model). Lengths of models with and without a posterior are not comparable.

    Args:
        model: A trained model, in evaluation mode.
        x: Held-out series (N, C, T) or pictures (N, C, H, W), scaled for the model; NaN marks
            missing values.

    Returns:
        Nats per sample. A lower value is better; negative values are possible.
    """
    posterior = model.encode(x)
    x_hat = model.decode_warped(posterior.content_mean, posterior.map)
    is_observed = torch.isfinite(x)
    error = (x_hat - fill_missing(x, x_hat)).square().sum() / is_observed.sum()
    n = _counted_values(x.shape[1:]) * float(is_observed.float().mean())
    residual = n / 2 * math.log(max(float(error), SMALLEST_VARIANCE))
    if posterior.content_log_sd is None:
        return residual + (model.n_content + len(model.warp.factors)) / 2 * math.log(n)
    # `rates` are the KL divergences of content and deformation, one per series
    return residual + sum(float(rate.mean()) for rate in rates(posterior, model).values())


def _counted_values(shape: Sequence[int]) -> int:
    """Number of values that count in the description length of a sample of a shape (C, ...)."""
    if len(shape) > 2:
        return min(math.prod(shape), MAX_COUNTED_VALUES_OF_PICTURE)
    return shape[0] * min(shape[1], MAX_COUNTED_TIME_STEPS)


@torch.no_grad()
def unexplained(model: Model, x: Tensor, levels: int = 4) -> float:
    """Share of the variance of series that reconstructions leave unexplained.

    A Laplacian pyramid splits series and errors into bands of frequencies, from fast to slow. The
    share is computed for each band and averaged over bands, so that small ripples count as much as
    slow changes. The share of a band is at most 1, the value for a constant reconstruction.

    Args:
        model: A trained model, in evaluation mode.
        x: Held-out series (N, C, T), scaled for the model; NaN marks missing values.
        levels: Number of bands.

    Returns:
        The mean share over bands, from 0 (perfect reconstruction) to 1.
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

    Let d(x) be the Euclidean distance of a held-out series x to the nearest training series. The
    gain is log(mean d(x)^2 before alignment / mean d(x)^2 after alignment). The model aligns the
    training series as well as the held-out series. Missing values are interpolated.

    Args:
        model: A trained model, in evaluation mode.
        training: The series (N, C, T) that it was trained on; NaN marks missing values.
        held_out: Held-out series (M, C, T).

    Returns:
        The gain: 0 if alignment changes no distance, negative if it increases distances.
    """
    before = _nearest_square(interpolate_missing(training), interpolate_missing(held_out))
    after = _nearest_square(
        *(
            interpolate_missing(align(x, model.pose(x), padding=model.padding))
            for x in (training, held_out)
        )
    )
    return math.log(max(before, SMALLEST_VARIANCE) / max(after, SMALLEST_VARIANCE))


@torch.no_grad()
def nearest_ratio(model: Model, x: Tensor) -> float:
    """Elastic distance to the nearest other series, aligned over observed.

    The distance is `ValuesAndSlopes` in the units of the observed series. It forgives small
    differences in timing, so that a warp that finds no common timing leaves it as it is. It grows
    if a model deforms series until they lose their shape. Of more than 8 channels, their leading
    principal components are compared: the noise of many channels would hide what they share.

    Args:
        model: A trained model, in evaluation mode.
        x: Series (N, C, T) in random order, at most 128 of which are compared; NaN marks missing
            values.

    Returns:
        The ratio of the means; below 1 if alignment brings series nearer to each other.
    """
    x = x[:MAX_COMPARED_SERIES]
    aligned = align(x, model.pose(x), padding=model.padding)
    parts = [x, aligned]
    if x.shape[1] > MAX_COMPARED_CHANNELS:
        parts = [torch.einsum("nct,ck->nkt", part, _leading_axes(x)) for part in parts]
    distance = ValuesAndSlopes.of(parts[0])
    observed, after = (mean_and_nearest(distance(series, series))[1] for series in parts)
    return after / max(observed, SMALLEST_VARIANCE)


def _leading_axes(x: Tensor) -> Tensor:
    """Axes (C, K) of principal components of the channels of series (N, C, T), at most 8.

    Components with more than the mean variance are kept (Kaiser 1960, The application of electronic
    computers to factor analysis); the others are mostly noise.
    """
    values = interpolate_missing(x).transpose(0, 1).flatten(1)
    variances, axes = torch.linalg.eigh(torch.cov(values))
    n_kept = max(1, min(MAX_COMPARED_CHANNELS, int((variances > variances.mean()).sum())))
    leading: Tensor = axes[:, -n_kept:]
    return leading


@torch.no_grad()
def lag_ratio(training: Tensor, held_out: Tensor, seed: int = 0, warp: Warp | None = None) -> float:
    """Unexplained variance of held-out series without lags, over that with lags.

    Lags are found by search against K templates of the training series. Series as they are and
    series with their lags undone are then each compared with K means of their training series (by
    k-means): the unexplained variance is the mean squared error of the nearest mean, as a share of
    the variance. White noise, which no alignment explains, is subtracted from both, if lags explain
    a tenth of the variance.

    Args:
        training: Training series (N, C, T), scaled for a model; NaN marks missing values.
        held_out: Held-out series (M, C, T).
        seed: Seed of k-means.
        warp: `TimeShift`, the default, or `TimeAffine` for lags and tempos.

    Returns:
        About 1 if lags explain nothing, more the better they explain how series differ.
    """
    n_steps = training.shape[-1]
    family = replace(warp or TimeShift(), size=(n_steps,))
    search = LagSearch((training.shape[1], n_steps), family)
    search.fit(training)
    n_means = max(1, int((search.counts.sum((1, 2)) > 0).sum()))
    raw, aligned = (training, held_out), [_undo(x, search(x)) for x in (training, held_out)]
    without, with_lags = (
        _unexplained_by_means(part, rest, n_means, seed) for part, rest in (raw, aligned)
    )
    noise, error = 0.0, 0.0
    if without - with_lags > MIN_EXPLAINED_IN_NOISE:
        noise, error = _noise_share(held_out)
    return max(without - noise, 0.0) / max(with_lags - noise, error, SMALLEST_VARIANCE)


def _noise_share(x: Tensor) -> tuple[float, float]:
    """Share of the variance of series (N, C, T) that is white noise, and its error.

    It is estimated by the median size of second differences, which smooth series hardly have
    (Gasser, Sroka and Jennen-Steinmetz 1986, Residual variance and residual pattern). NaN marks
    missing values.
    """
    values, seconds = (part[~part.isnan()] for part in (x, x.diff(n=2, dim=-1)))
    if not len(seconds):
        return 0.0, 0.0
    deviation = DEVIATION_OF_MAD * float(seconds.abs().median()) / math.sqrt(6)
    share = deviation**2 / max(float(values.var()), SMALLEST_VARIANCE)
    return share, share * ERROR_OF_NOISE / math.sqrt(len(seconds))


@torch.no_grad()
def lag_and_tempo_ratio(training: Tensor, held_out: Tensor, seed: int = 0) -> tuple[float, float]:
    """The `lag_ratio` of lags, and of lags with tempos.

    Few, shortened series are compared.

    Args:
        training: Training series (N, C, T), scaled for a model; NaN marks missing values.
        held_out: Held-out series (M, C, T).
        seed: Seed of k-means.
    """
    n = MAX_SERIES_FOR_TEMPO
    few = shorten(training[:n]), shorten(held_out[: n // 2])
    of_lags, of_both = (lag_ratio(*few, seed, warp) for warp in (TimeShift(), TimeAffine()))
    return of_lags, of_both


@torch.no_grad()
def unexplained_by_means(model: Model, training: Tensor, held_out: Tensor, seed: int = 0) -> float:
    """Share of the held-out variance that means of aligned series leave.

    Of more than 8 channels, their leading principal components are compared.

    Args:
        model: A trained model, in evaluation mode.
        training: The series (N, C, T) that it was trained on; NaN marks missing values.
        held_out: Held-out series (M, C, T).
        seed: Seed of k-means.
    """
    aligned = [_undo(x, model.pose(x)) for x in (training, held_out)]
    if training.shape[1] > MAX_COMPARED_CHANNELS:
        axes = _leading_axes(training)
        aligned = [torch.einsum("nct,ck->nkt", x, axes) for x in aligned]
    return _unexplained_by_means(aligned[0], aligned[1], N_MEANS, seed)


def _undo(x: Tensor, map: Map) -> Tensor:
    """Series (N, C, T) with their deformations undone; NaN beyond their ends."""
    is_inside = align(torch.ones_like(x), map, padding="zeros") > MIN_COVERAGE
    return torch.where(is_inside, align(x, map, padding="border"), torch.nan)


def _unexplained_by_means(training: Tensor, held_out: Tensor, n_means: int, seed: int) -> float:
    """Share of the variance of held-out series that the nearest of some means leaves.

    The means are over the observed values of the clusters of k-means.

    Args:
        training: Training series (N, C, T); NaN marks missing values.
        held_out: Held-out series (M, C, T).
        n_means: Number of means.
        seed: Seed of k-means.
    """
    kmeans = KMeans(min(n_means, len(training)), n_init=4, random_state=seed)
    labels = torch.from_numpy(kmeans.fit_predict(interpolate_missing(training).flatten(1).numpy()))
    means = torch.stack([training[labels == k].nanmean(0) for k in range(int(labels.max()) + 1)])
    squares = (held_out[:, None] - means).square().flatten(2)
    error = squares.nanmean(2).nan_to_num(torch.inf).amin(1).mean()
    return float(error / held_out[~held_out.isnan()].var().clamp_min(SMALLEST_VARIANCE))


def _nearest_square(training: Tensor, held_out: Tensor) -> float:
    """Mean squared distance of held-out series to their nearest training series."""
    distances = torch.cdist(held_out.flatten(1), training.flatten(1))
    return float(distances.amin(1).square().mean())
