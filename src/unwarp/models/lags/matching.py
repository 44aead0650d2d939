"""Squared errors of series against templates at all lags, and averages.

A template stands on a canvas that is longer than a series, with a count of the series that cover
each time step. Nothing is padded: time steps that a series or a template lacks do not count. The
errors at all lags together are correlations, which FFT computes in O(T log T).

Convention:
    A lag counts time steps of the template, and is positive if the series is later. Time step t
    of a series, from the middle of the series, shows the time step `t exp(log_tempo) - lag` of
    its template, from the middle of the canvas.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

MIN_OVERLAP = 0.5
"""Least share of the observed values of a series that a template must cover."""

UNCOVERED_COST = 0.5
"""Squared error, in variances of a series, for each observed value that no template covers.

Without it, a lag at which only a flat piece of a series is compared would often be the best.
"""

MAX_NUMBERS_PER_CHUNK = 2**23
"""Greatest number of errors that are computed at once, to bound the memory."""

SPIKE_DEVIATIONS, MAX_SPIKE_SHARE = 5.0, 0.02
"""Residual of a spike in robust standard deviations, and greatest share of spikes in a series."""

NORMAL_DEVIATIONS = 1.4826
"""Standard deviation of normal numbers, divided by the median of their absolute values."""

MIN_SPREAD = 1e-6
"""Least standard deviation by which a series is divided."""


@dataclass(frozen=True)
class Observations:
    """Series with marks of their observed values.

    Attributes:
        values: Values (N, C, T), 0 in gaps.
        mask: 1 for observed values (N, C, T), 0 in gaps.

    >>> Observations.of(torch.tensor([[[2.0, torch.nan]]])).mask.tolist()
    [[[1.0, 0.0]]]
    """

    values: Tensor
    mask: Tensor
    _spectra: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, x: Tensor) -> Observations:
        """The observations of series (N, C, T) with NaN in gaps."""
        return cls(x.nan_to_num(), torch.isfinite(x).to(x))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Tensor | slice) -> Observations:
        return Observations(self.values[rows], self.mask[rows])

    def standardise(self) -> Observations:
        """The series with mean 0 in each channel, and variance 1."""
        count = self.mask.sum(2, keepdim=True)
        offset = self.values.sum(2, keepdim=True) / count.clamp_min(1)
        square = ((self.values - offset) * self.mask).square().sum((1, 2), keepdim=True)
        gain = (square / count.sum(1, keepdim=True).clamp_min(1)).sqrt()
        return self.without_levels(gain.clamp_min(MIN_SPREAD), offset)

    def without_levels(self, gain: Tensor, offset: Tensor) -> Observations:
        """The series without gains and offsets.

        Args:
            gain: Gains (N, 1, 1), above 0.
            offset: Offsets (N, C, 1).
        """
        return Observations((self.values - offset) / gain * self.mask, self.mask)

    def spectra(self, size: int) -> Tensor:
        """Conjugate spectra of squares, of values times -2, and of marks.

        They are computed once, since templates change much more often than series.

        Args:
            size: Number of time steps of the Fourier transform.

        Returns:
            Complex numbers (N, 3 C, size // 2 + 1).
        """
        if size not in self._spectra:
            parts = torch.cat([self.values.square(), self.values * -2, self.mask], 1)
            self._spectra[size] = torch.fft.rfft(parts, size).conj().resolve_conj()
        return self._spectra[size]


@dataclass(frozen=True)
class Templates:
    """Templates on a canvas.

    Attributes:
        values: Values (K, C, S).
        counts: Number of series that cover each value (K, C, S).

    >>> Templates(torch.zeros(1, 1, 8), torch.ones(1, 1, 8)).reach(4)
    2
    """

    values: Tensor
    counts: Tensor

    @property
    def weights(self) -> Tensor:
        """Weights of values (K, C, S); 0 where one series alone stands.

        There a series would be compared with itself.
        """
        return ((self.counts - 1) / self.counts.clamp_min(1)).clamp_min(0)

    def reach(self, length: int) -> int:
        """Greatest lag at which the canvas holds a whole series."""
        return (self.values.shape[-1] - length) // 2

    def at_tempos(self, log_tempos: Tensor) -> Templates:
        """The templates at G tempos, those of a template together."""
        if not log_tempos.any():
            return Templates(*(part.repeat_interleave(len(log_tempos), 0) for part in self._parts))
        points = centred(self.values) * log_tempos.exp()[:, None] + middle(self.values)
        values, counts = (part.repeat_interleave(len(log_tempos), 0) for part in self._parts)
        return Templates(*interpolate(values, counts, points.repeat(len(self.values), 1)))

    @property
    def _parts(self) -> tuple[Tensor, Tensor]:
        """The two arrays."""
        return self.values, self.counts

    def crop(self, size: int) -> Templates:
        """The middle part of the templates, of an even difference in size."""
        start = (self.values.shape[-1] - size) // 2
        return Templates(*(part[..., start : start + size] for part in (self.values, self.counts)))

    def pad(self, size: int) -> Templates:
        """The templates in the middle of a larger, empty canvas."""
        margin = (size - self.values.shape[-1]) // 2
        return Templates(*(F.pad(part, (margin, margin)) for part in (self.values, self.counts)))


@dataclass(frozen=True)
class Poses:
    """The template, the lag and the tempo of each series.

    Attributes:
        template: Numbers of the templates (N,).
        lag: Lags (N,) in time steps of the template.
        log_tempo: Logarithms of the tempos (N,).
        error: Mean squared errors (N,) of observed values; infinite if no lag has enough overlap.

    >>> Poses.unmoved(2).lag.tolist()
    [0.0, 0.0]
    """

    template: Tensor
    lag: Tensor
    log_tempo: Tensor
    error: Tensor

    @classmethod
    def unmoved(cls, n: int) -> Poses:
        """Poses of N series that have no lag."""
        zero = torch.zeros(n)
        return cls(torch.zeros(n, dtype=torch.long), zero, zero, zero)

    def move(self, scale: Tensor, shift: Tensor) -> Poses:
        """The poses after templates move by `u -> scale u - shift`.

        Args:
            scale: Factor of the time of each template (K,), above 0.
            shift: Shift of each template (K,), in its new time steps.
        """
        factor = scale[self.template]
        lag = self.lag * factor + shift[self.template]
        return replace(self, lag=lag, log_tempo=self.log_tempo + factor.log())

    @classmethod
    def join(cls, parts: list[Poses]) -> Poses:
        """The poses of several batches as one."""
        names = ("template", "lag", "log_tempo", "error")
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def middle(values: Tensor) -> float:
    """Number of the middle time step of series or templates (..., T)."""
    return (values.shape[-1] - 1) / 2


def centred(values: Tensor) -> Tensor:
    """Time steps (T,) from the middle of series or templates (..., T)."""
    steps = torch.arange(values.shape[-1], device=values.device, dtype=values.dtype)
    return steps - middle(values)


def interpolate(values: Tensor, weights: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted linear interpolation; what has no weight has no influence.

    Args:
        values: Arrays (N, C, S).
        weights: Their weights (N, C, S).
        points: Time steps of the arrays (N, P).

    Returns:
        Values (N, C, P) and their weights; 0 outside the arrays.
    """
    last = values.shape[-1] - 1
    left = points.floor()
    share = (points - left)[:, None]
    is_inside = ((points >= 0) & (points <= last))[:, None]
    index = left.long()[:, None].expand(-1, values.shape[1], -1)
    ends = [(index + k).clamp(0, last) for k in (0, 1)]
    parts = [
        weights.gather(-1, end) * factor * is_inside
        for end, factor in zip(ends, (1 - share, share), strict=True)
    ]
    total = parts[0] + parts[1]
    product = values.gather(-1, ends[0]) * parts[0] + values.gather(-1, ends[1]) * parts[1]
    return product / torch.where(total > 0, total, 1.0), total


def errors_at_lags(x: Observations, templates: Templates, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared errors of series against templates at all lags.

    Args:
        x: N series of length T.
        templates: K templates on a canvas of length S.
        weights: Weights of their values (K, C, S).

    Returns:
        Errors (N, K, S - T + 1), at the lags from the reach downwards in steps of 1; infinite where
        the overlap is too small. And the costs (N, K, S - T + 1) of values that are not covered.
    """
    n_lags = templates.values.shape[-1] - x.values.shape[-1] + 1
    size, n_channels = next_fast_len(templates.values.shape[-1], real=True), x.values.shape[1]
    weighted = weights * templates.values
    parts = torch.cat([weights, weighted, weighted * templates.values], 1)
    of_series, of_templates = x.spectra(size), torch.fft.rfft(parts, size)

    def correlate(of_series: Tensor, of_templates: Tensor) -> Tensor:
        total = torch.einsum("ncs,kcs->nks", of_series, of_templates)
        return torch.as_tensor(torch.fft.irfft(total, size)[..., :n_lags])

    squares = correlate(of_series, of_templates)
    overlap = correlate(of_series[:, -n_channels:], of_templates[:, :n_channels])
    full = x.mask.sum((1, 2)).clamp_min(1)[:, None, None] * weights.max().clamp_min(1e-6)
    is_short = overlap < MIN_OVERLAP * full - 1e-3
    errors = (squares / overlap.clamp_min(1e-6)).clamp_min(0)
    return errors.masked_fill(is_short, torch.inf), UNCOVERED_COST * (1 - overlap / full)


def match(
    x: Observations, templates: Templates, log_tempos: Tensor, *, is_single: bool = False
) -> Poses:
    """The template, lag and tempo of least squared error.

    Args:
        x: N series of length T.
        templates: K templates.
        log_tempos: Logarithms of the tempos to try (G,).
        is_single: Whether each template is a single series, so that counts of 1 count.

    Returns:
        The poses of N series; still ones for series without enough overlap.
    """
    bank = templates.at_tempos(log_tempos)
    weights = (bank.counts > 0).to(bank.values) if is_single else bank.weights
    n_rows = max(1, MAX_NUMBERS_PER_CHUNK // bank.values[:, 0].numel())
    reach, parts = templates.reach(x.values.shape[-1]), []
    for start in range(0, len(x), n_rows):
        chunk = x if len(x) <= n_rows else x[start : start + n_rows]
        errors, costs = errors_at_lags(chunk, bank, weights)
        index = (errors + costs).flatten(1).argmin(1)
        least = errors.flatten(1).gather(1, index[:, None])[:, 0]
        row, step = index // errors.shape[2], index % errors.shape[2]
        log_tempo = log_tempos[row % len(log_tempos)]
        lag = (reach - step) * log_tempo.exp()
        parts.append(Poses(row // len(log_tempos), lag, log_tempo, least))
    poses = Poses.join(parts)
    is_unmatched = poses.error.isinf()
    return Poses(
        poses.template,
        poses.lag.masked_fill(is_unmatched, 0.0),
        poses.log_tempo.masked_fill(is_unmatched, 0.0),
        poses.error,
    )


def average(x: Observations, poses: Poses, n_templates: int, size: int) -> Templates:
    """The mean series of each template, with lags and tempos undone.

    Args:
        x: N series.
        poses: Their poses.
        n_templates: Number K of templates.
        size: Length S of the canvas.
    """
    canvas = x.values.new_zeros(n_templates, x.values.shape[1], size)
    points = (centred(canvas) + poses.lag[:, None]) * poses.log_tempo.neg().exp()[:, None]
    values, weights = interpolate(x.values, x.mask, points + middle(x.values))
    sums = canvas.index_add(0, poses.template, values * weights)
    counts = canvas.index_add(0, poses.template, weights)
    return Templates(sums / torch.where(counts > 0, counts, 1.0), counts)


def clean(x: Observations, templates: Templates, poses: Poses) -> Observations:
    """The series without gains, offsets and spikes, relative to their templates.

    Gain and offsets are those of least squares: one gain for all channels, from a tenth to ten, and
    an offset for each channel. A spike is a value that is far off the template although most
    values of the series are near it; it becomes a gap.

    Args:
        x: N series.
        templates: The templates.
        poses: The poses of the series.
    """
    points = centred(x.values) * poses.log_tempo.exp()[:, None] - poses.lag[:, None]
    rows = poses.template
    expected, weights = interpolate(
        templates.values[rows], templates.weights[rows], points + middle(templates.values)
    )
    weights = weights * x.mask
    total = weights.sum(2, keepdim=True).clamp_min(1e-6)
    means = [(part * weights).sum(2, keepdim=True) / total for part in (x.values, expected)]
    values, shape = x.values - means[0], expected - means[1]
    product = (values * shape * weights).sum((1, 2), keepdim=True)
    gain = product / (shape.square() * weights).sum((1, 2), keepdim=True).clamp_min(1e-6)
    gain = torch.where(gain > 0, gain, 1.0).clamp(0.1, 10.0)
    levelled = x.without_levels(gain, means[0] - gain * means[1])
    is_spike = _spikes(levelled.values - expected, weights > 0)
    return Observations(levelled.values * ~is_spike, levelled.mask * ~is_spike)


def _spikes(residual: Tensor, is_compared: Tensor) -> Tensor:
    """Marks (N, C, T) of residuals far beyond the others of their series; none if they are many."""
    sizes = residual.abs().masked_fill(~is_compared, torch.nan).flatten(1)
    deviation = NORMAL_DEVIATIONS * sizes.nanmedian(1).values[:, None, None]
    is_spike = is_compared & (residual.abs() > SPIKE_DEVIATIONS * deviation)
    share = is_spike.sum((1, 2), keepdim=True) / is_compared.sum((1, 2), keepdim=True).clamp_min(1)
    return is_spike & (share <= MAX_SPIKE_SHARE)
