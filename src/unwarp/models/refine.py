"""Refinement of aligned series: small displacements to a common template.

A learned warp is smooth, and narrow peaks may remain a few time steps apart. A refinement compares
each aligned series with the mean of the training series inside a narrow band, by dynamic
programming, and smooths the path to an increasing map.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.distances.path import displacements
from unwarp.missing import interpolate_missing
from unwarp.models.refinement import Refinement
from unwarp.warps import Map, Padding, TimeMap, align

BAND = 0.04
"""Greatest displacement, as a share of the length of a series."""

PENALTY = 0.5
"""Cost of one step of displacement, in units of the variance of the series."""

MAX_WORKING_STEPS = 2048
"""Greatest number of time steps of a path; longer series are averaged over equal steps."""

MAX_TEMPLATE_SERIES = 400
"""Greatest number of series that a template is the mean of."""

ROUNDS = 3
"""Number of times that series are refined, and the template averaged."""

SHARE_OF_PATH = 0.98
"""Share of a path that is used; the rest of the diagonal keeps time from standing still."""

SMALLEST_UNIT = 1e-6
"""Lower bound of the unit of a channel, for channels that are constant."""


@dataclass(frozen=True, eq=False)
class BandRefinement(Refinement):
    """Small displacements of aligned series to a common template.

    It has no weights that are trained. The template has the timing of the most typical training
    series, the medoid; a series that shares nothing with it stays as it is.

    Attributes:
        template: Mean of the refined training series (1, C, S), in units of `unit`; NaN where none
            has a value. S is the number of working steps, T for series of up to 2,048 steps.
        unit: Standard deviation of each channel of the training series (C,).
        n_steps: Time steps T of a series.
        band: Greatest displacement, as a share of the length.
        why: Reason for the refinement, in words; empty in models of earlier versions.

    >>> time, late = torch.arange(200.0), torch.tensor([-4.0, -2.0, 0.0, 2.0, 4.0])
    >>> x = torch.exp(-(((time - 100 - late[:, None, None]) / 4) ** 2))
    >>> peak = torch.full((5, 1, 1), 100 / 199)
    >>> times = BandRefinement.fit(x).map(x).push(peak).flatten() * 199
    >>> (times - 100).round().tolist()
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """

    name: ClassVar[str] = "band"
    template: Tensor
    unit: Tensor
    n_steps: int
    band: float = BAND
    why: str = ""

    @classmethod
    @torch.no_grad()
    def fit(cls, x: Tensor, band: float = BAND) -> BandRefinement:
        """The refinement of a collection of series.

        Args:
            x: Aligned training series (N, C, T), NaN for missing values; up to 400 are used.
            band: Greatest displacement, as a share of the length.
        """
        x = x[:MAX_TEMPLATE_SERIES]
        unit = torch.stack([channel[~channel.isnan()].std() for channel in x.unbind(1)])
        unit = unit.nan_to_num().clamp_min(SMALLEST_UNIT)
        refinement = cls(x.new_empty(0), unit, x.shape[2], band)
        series = refinement.working(x)
        template = _medoid(series)
        for _ in range(ROUNDS):
            refinement = cls(template, unit, x.shape[2], band)
            refined = shifted(series, refinement.paths(series))
            template = refined.nanmean(0, keepdim=True)
        return cls(template, unit, x.shape[2], band)

    @classmethod
    def of(
        cls, record: Mapping[str, Any], tensors: Mapping[str, Tensor], shape: Sequence[int]
    ) -> BandRefinement:
        """The refinement that `record` and `tensors` describe.

        Args:
            record: Numbers by name.
            tensors: Tensors by name.
            shape: Shape (C, T) of a series.

        Raises:
            ValueError: They do not fit the series; the message names the value.
        """
        numbers = shape[-1], record["band"], str(record.get("why", ""))
        refinement = cls(tensors["template"], tensors["unit"], *numbers)
        n_working = math.ceil(shape[-1] / refinement.stride)
        if refinement.template.shape != (1, shape[0], n_working):
            raise ValueError(f"refinement_template has shape {tuple(refinement.template.shape)}")
        if refinement.unit.shape != (shape[0],) or not (refinement.unit > 0).all():
            raise ValueError("refinement_unit is not positive")
        if not 0 <= refinement.band <= 1:
            raise ValueError(f"refinement.band={refinement.band} is no share")
        return refinement

    def record(self) -> dict[str, Any]:
        """The numbers and the reason of the refinement, for JSON."""
        return {"kind": self.name, "band": self.band, "why": self.why}

    @property
    def movement(self) -> str:
        """How series were moved, as a sentence for people."""
        n_steps = self.radius * self.stride
        return f"Each series was moved by at most {n_steps} time steps to a common template."

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the refinement by name."""
        return {"template": self.template, "unit": self.unit}

    @property
    def stride(self) -> int:
        """Number of time steps in a working step."""
        return math.ceil(self.n_steps / MAX_WORKING_STEPS)

    @property
    def radius(self) -> int:
        """Greatest displacement in working steps; 0 for very short series, which stay."""
        return round(self.band * self.n_steps / self.stride)

    def working(self, x: Tensor) -> Tensor:
        """Series at the working steps, in units of `unit`.

        Args:
            x: Aligned series (N, C, T).

        Returns:
            Series (N, C, S), NaN where no value of a working step is observed.
        """
        scaled = x / self.unit.to(x)[:, None]
        if self.stride == 1:
            return scaled
        rest = -x.shape[2] % self.stride
        padded = F.pad(scaled, (0, rest), value=torch.nan)
        return padded.unfold(2, self.stride, self.stride).nanmean(-1)

    def paths(self, series: Tensor) -> Tensor:
        """Smooth displacements from the template to series.

        Args:
            series: Series at the working steps (N, C, S).

        Returns:
            Displacements (N, S) in working steps. A series shows at t + d what the template shows
            at t; t + d is strictly increasing.
        """
        # values that are missing cost nothing, wherever a path leads
        template = self.template.to(series).masked_fill(series.isnan(), torch.nan)
        penalty = PENALTY * series.shape[1]
        path = displacements(interpolate_missing(series), template, self.radius, penalty)
        return SHARE_OF_PATH * _smooth(path, self.radius // 2)

    def refine(self, x: Tensor, map: Map, padding: Padding = "zeros") -> Map:
        """Deformations that follow the small displacements.

        Args:
            x: Series (N, C, T), NaN for missing values.
            map: Their N learned deformations.
            padding: Values beyond the series.

        Returns:
            N deformations; the small displacements act on the template first.
        """
        return map.compose(self.map(align(x, map, padding=padding)))

    @torch.no_grad()
    def map(self, x: Tensor) -> TimeMap:
        """The maps from the template to aligned series.

        The map of a series does not depend on the others. Compose the learned map with it: it acts
        on the template first.

        Args:
            x: Aligned series (N, C, T), NaN for missing values.

        Returns:
            N strictly increasing maps.
        """
        path = self.paths(self.working(x))
        # a working step stands for the middle of its time steps
        step = torch.arange(path.shape[1], device=x.device) * self.stride
        middle = (step + (step + self.stride).clamp_max(self.n_steps) - 1).to(path) / 2
        scale = 1 / max(self.n_steps - 1, 1)
        observed_times = (middle + self.stride * path) * scale
        return TimeMap(observed_times, (middle * scale).expand_as(path))


def shifted(series: Tensor, path: Tensor) -> Tensor:
    """Series read at displaced steps, with linear interpolation.

    Args:
        series: Series (N, C, S); NaN for missing values.
        path: Displacements (N, S) in steps.

    Returns:
        Series (N, C, S); beyond their ends, their last values.

    >>> shifted(torch.tensor([[[0.0, 1.0, 4.0]]]), torch.full((1, 3), 0.5)).tolist()
    [[[0.5, 2.5, 4.0]]]
    """
    last = series.shape[2] - 1
    position = (torch.arange(last + 1, device=path.device) + path).clamp(0, last)
    left = position.floor().clamp_max(max(last - 1, 0)).long()
    weight = (position - left)[:, None]
    right = (left + 1).clamp_max(last)
    before, after = (series.gather(2, i[:, None].expand_as(series)) for i in (left, right))
    return before + weight * (after - before)


def _smooth(path: Tensor, half_width: int) -> Tensor:
    """Displacements (N, S) averaged over neighbours, with the weights of a Hann window."""
    if half_width < 1:
        return path
    weights = torch.hann_window(2 * half_width + 3, periodic=False, dtype=path.dtype)[1:-1]
    padded = F.pad(path[:, None], (half_width, half_width), mode="replicate")[:, 0]
    windows = padded.unfold(1, len(weights), 1)
    mean: Tensor = (windows * (weights / weights.sum()).to(path.device)).sum(-1)
    return mean


def _medoid(series: Tensor) -> Tensor:
    """The series (1, C, S) with the least sum of distances to all others."""
    flat = interpolate_missing(series).flatten(1)
    return series[torch.cdist(flat, flat).sum(1).argmin()][None]
