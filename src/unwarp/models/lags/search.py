"""`LagSearch`: lags of series, by comparison with templates."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from unwarp.models.lags.clustering import NUMBERS_OF_TEMPLATES, pose
from unwarp.models.lags.fitting import LagFit, fit_lags, full_size, tempo_grid, tempo_step
from unwarp.models.lags.matching import Observations, Poses, Templates
from unwarp.models.lags.periods import fold
from unwarp.models.lags.refinement import refine
from unwarp.models.remembered import RememberedEstimates
from unwarp.warps import IdentityMap, Map, TimeAffine, TimeShift, Warp

MAX_TEMPLATE_NUMBERS = 2**22
"""Greatest number of values of all templates; of long series with many channels fewer are kept."""

MAX_SERIES, MIN_SERIES, MAX_FIT_NUMBERS = 512, 32, 2**21
"""Bounds of the number of series to fit, and the number of their values that lowers it."""


class LagSearch(nn.Module):
    """The first estimate of lags and tempos, by least squared error.

    A series is compared with templates at all lags, and for `TimeAffine` also at many tempos. It
    has no trainable parameters. `fit` makes the templates from training series; before, the
    estimate is the identity. The levels and sizes of series do not count, and neither do a few
    spikes. The time is O(K T log T) for a series.

    Args:
        shape: Shape of a series (C, T).
        warp: The family of the estimate, bound to T time steps.
        has_masks: Whether the channels of inputs are followed by as many mask channels.

    Attributes:
        kind: `search`.
        angles: One start angle: series have no rotation.
        has_mirror: False: series have no mirror image.
        values: Templates (K, C, S) on a canvas of about twice the length of a series.
        counts: Numbers of series that cover them (K, C, S).
        reach: Greatest lag of the search in time steps, (); 0 before `fit`.
        period: Period of the series in time steps, (); 0 for none. Lags then lie within half a
            period.
        tempo_reach: Greatest log tempo of the search, ().
        has_fractions: Whether lags are no whole time steps, ().

    >>> search = LagSearch((1, 40), TimeShift(size=(40,)))
    >>> series = torch.arange(40) - torch.tensor([[18.0], [20.0], [23.0], [19.0]])
    >>> search.fit((-series.square() / 8).exp()[:, None])
    ('lags of 4 time steps at most were found by search, with 1 template',)
    >>> map = search((-series.square() / 8).exp()[:, None])
    >>> lags = 39 * search.warp.theta(map)[:, 0]
    >>> (lags - lags[0]).round(decimals=2).abs().tolist()
    [0.0, 2.0, 5.0, 1.0]
    """

    kind = "search"
    angles = (0.0,)
    has_mirror: bool = False
    values: Tensor
    counts: Tensor
    reach: Tensor
    period: Tensor
    tempo_reach: Tensor
    has_fractions: Tensor

    def __init__(self, shape: tuple[int, int], warp: Warp, has_masks: bool = False) -> None:
        super().__init__()
        self.warp, self.has_masks = warp, has_masks
        size = full_size(shape[1])
        n = max(1, min(max(NUMBERS_OF_TEMPLATES), MAX_TEMPLATE_NUMBERS // (shape[0] * size)))
        for name in ("values", "counts"):
            self.register_buffer(name, torch.zeros(n, shape[0], size))
        self._estimates = RememberedEstimates()
        for name in ("reach", "period", "tempo_reach", "has_fractions"):
            self.register_buffer(name, torch.zeros(()))

    @property
    def is_circular(self) -> bool:
        """Whether series are periodic, so that lags lie on a circle."""
        return bool(self.period > 0)

    @torch.no_grad()
    def fit(self, x: Tensor) -> tuple[str, ...]:
        """Make the templates from training series.

        A search that has templates keeps them.

        Args:
            x: Training series (N, C, T), NaN in gaps.

        Returns:
            Lines for people on the lags that were found.
        """
        if self.reach > 0:
            return ()
        n = min(MAX_SERIES, max(MIN_SERIES, MAX_FIT_NUMBERS // x[0].numel()))
        has_tempo = len(self.warp.factors) > 1
        fit = fit_lags(x[:n], len(self.values), has_tempo=has_tempo)
        self._store(fit)
        return self._describe(fit, self._pose(Observations.of(x[:n])))

    def _store(self, fit: LagFit) -> None:
        """Copy a fit into the buffers."""
        rows = slice(len(fit.templates.values))
        self.values[rows], self.counts[rows] = fit.templates.values, fit.templates.counts
        self.reach.fill_(fit.reach)
        self.period.fill_(fit.period)
        self.tempo_reach.fill_(fit.tempo_reach)
        self.has_fractions.fill_(fit.has_fractions)

    def _describe(self, fit: LagFit, poses: Poses) -> tuple[str, ...]:
        """Lines for people on a fit."""
        rate, unit = getattr(self.warp, "sampling_rate", None) or 1.0, "time steps"
        unit = "s" if rate != 1.0 else unit
        n = len(fit.templates.values)
        greatest = float(poses.lag.abs().max()) / rate
        tempo = float(poses.log_tempo.abs().max().exp())
        tempos = f" and tempos up to a factor of {tempo:.2f}" if fit.tempo_reach else ""
        line = (
            f"lags of {greatest:.3g} {unit} at most{tempos} were found by search, with {n} "
            f"template{'s' if n > 1 else ''}"
        )
        if fit.period:
            period = f"{fit.period / rate:.3g} {unit}"
            return line, f"the series repeat every {period}; lags are within half a period"
        return (line,)

    def _pose(self, x: Observations) -> Poses:
        """Poses of series."""
        n_present = max(1, int((self.counts.sum((1, 2)) > 0).sum()))
        length = x.values.shape[-1]
        templates = Templates(self.values[:n_present], self.counts[:n_present])
        templates = templates.crop(length + 2 * int(self.reach))
        log_tempos = tempo_grid(float(self.tempo_reach), length).to(self.values)
        x, poses = pose(x.standardise(), templates, log_tempos)
        if self.has_fractions:
            step = tempo_step(length) if self.tempo_reach > 0 else 0.0
            poses = refine(x, templates, poses, step).poses
        if self.is_circular:
            poses = replace(poses, lag=fold(poses.lag, float(self.period)))
        return poses

    @torch.no_grad()
    def forward(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """First estimates of the poses of series.

        Args:
            x: Series (N, C, T), with mask channels if `has_masks`.
            angles: Ignored, since series have no rotation.

        Returns:
            N maps, without gradients.
        """
        if self.reach == 0 or not len(x):
            return IdentityMap(len(x))
        return self.warp.map(
            self._estimates.of(x, self._theta) if self.training else self._theta(x)
        )

    def train(self, mode: bool = True) -> Self:
        """Begin or end a training, in which estimates are remembered.

        Args:
            mode: Whether to train.
        """
        self._estimates.clear()
        return super().train(mode)

    def _theta(self, x: Tensor) -> Tensor:
        """Theta (N, P) of series (N, C, T), with mask channels if `has_masks`."""
        n_channels, x = self.values.shape[1], x.detach().float()
        is_observed = x[:, n_channels:] > 0.5 if self.has_masks else torch.isfinite(x)
        series = x[:, :n_channels].where(is_observed, torch.nan)
        with torch.autocast(x.device.type, enabled=False):
            poses = self._pose(Observations.of(series))
        lag = poses.lag / max(1, x.shape[-1] - 1)
        return torch.stack([lag, poses.log_tempo], 1)[:, : len(self.warp.factors)]


def lag_family(warp: Warp) -> Warp | None:
    """The part of a warp that `LagSearch` estimates; None for none.

    Args:
        warp: A family, or a chain of families, whose last one may be lags.

    >>> lag_family(TimeShift()) == TimeShift()
    True
    """
    last = warp.parts[-1] if warp.parts else warp
    return last if isinstance(last, TimeShift | TimeAffine) else None
