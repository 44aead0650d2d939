"""Whether, and how, the alignment of series is refined after training.

A refinement moves each aligned series by a few time steps to a common template. It is used where it
helps series that a template has not seen, which is measured without labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unwarp.core import Domain, RefineName
from unwarp.data.samples import Samples, reference_view
from unwarp.devices import place, resolve_device
from unwarp.errors import ConfigError
from unwarp.models.model import Model
from unwarp.models.refine import BandRefinement, shifted
from unwarp.warps import align

MIN_SERIES = 16
"""Least number of series whose two halves are compared."""

MIN_RADIUS = 2
"""Least number of time steps in a band; the band of shorter series is too coarse."""

MAX_SERIES = 200
"""Greatest number of series that are compared."""

MIN_UNEXPLAINED = 0.6
"""Least share of the variance that a mean leaves where differences in timing prevail."""

MAX_RATIO = 0.58
"""Greatest share of it that may remain after a refinement that helps."""

MAX_REVERSAL_RATIO = 0.8
"""Greatest remainder of real series over that of the same series, reversed in time."""

SERIES_PER_CHUNK = 256
"""Number of series that are aligned at once."""

SMALLEST_VARIANCE = 1e-12
"""Lower bound of a variance, so that ratios are finite."""


@dataclass(frozen=True)
class RefinementEvidence:
    """Unexplained variance of held-out series, without and with a refinement.

    Displacements that fit noise would fit series that run backwards in time as well.

    Attributes:
        mean: Share of the variance that the mean of other series leaves.
        refined: Share that the template of a refinement of other series leaves.
        reversed: Share that it leaves of the series reversed in time.

    >>> str(RefinementEvidence(0.8, 0.4, 0.9))
    'small displacements leave 50% of the variance that a mean leaves; of reversed series 2.2 times'
    """

    mean: float
    refined: float
    reversed: float

    @classmethod
    @torch.no_grad()
    def of(cls, x: Tensor, seed: int = 0) -> RefinementEvidence:
        """The evidence of two halves of series, each compared with the other.

        Args:
            x: Aligned series (N, C, T), NaN for missing values; up to 200 are compared.
            seed: Seed of the halves.
        """
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:MAX_SERIES]
        halves = x[order[::2]], x[order[1::2]]
        shares = torch.stack([_shares(*pair) for pair in (halves, halves[::-1])])
        return cls(*shares.mean(0).tolist())

    @property
    def ratio(self) -> float:
        """Share of the unexplained variance that a refinement leaves."""
        return self.refined / max(self.mean, SMALLEST_VARIANCE)

    @property
    def reversal_ratio(self) -> float:
        """The remainder over that of reversed series."""
        return self.refined / max(self.reversed, SMALLEST_VARIANCE)

    @property
    def supports(self) -> bool:
        """Whether a refinement explains differences in timing rather than noise."""
        return (
            self.mean >= MIN_UNEXPLAINED
            and self.ratio <= MAX_RATIO
            and self.reversal_ratio <= MAX_REVERSAL_RATIO
        )

    def __str__(self) -> str:
        return (
            f"small displacements leave {self.ratio:.0%} of the variance that a mean leaves; of "
            f"reversed series {1 / max(self.reversal_ratio, SMALLEST_VARIANCE):.1f} times"
        )


def _shares(training: Tensor, held_out: Tensor) -> Tensor:
    """Shares of the variance that a mean and a refinement leave, and of reversed series (3,)."""
    refinement = BandRefinement.fit(training)
    other, series = (refinement.working(x) for x in (training, held_out))
    centre = series.nanmean((0, 2), keepdim=True)
    variance = (series - centre).square().nanmean().clamp_min(SMALLEST_VARIANCE)
    directions = (shifted(x, refinement.paths(x)) for x in (series, series.flip(2)))
    errors = [series - other.nanmean(0), *(x - refinement.template for x in directions)]
    return torch.stack([error.square().nanmean() for error in errors]) / variance


def check_refine(refine: RefineName, domain: Domain) -> None:
    """Refuse a refinement of samples of another domain.

    Args:
        refine: The argument `refine`.
        domain: Domain of the samples.

    Raises:
        ConfigError: `band` is for series, `gauss-newton` for images.
    """
    if refine == "gauss-newton" and domain.has_times:
        raise ConfigError(
            f"refine='gauss-newton' moves images in their plane, and the samples are "
            f"{domain.plural}; give refine='auto', or refine='band'"
        )
    if refine == "band" and not domain.has_times:
        raise ConfigError(
            f"refine='band' moves series in time, and the samples are {domain.plural}; give "
            "refine='auto', or refine='gauss-newton'"
        )


@torch.no_grad()
def fit_refinement(
    model: Model,
    data: Samples,
    refine: RefineName,
    *,
    seed: int = 0,
    device: str = "cpu",
    notify: Callable[[str], None] = lambda message: None,
) -> BandRefinement | None:
    """The refinement of the alignment of training series.

    Args:
        model: The trained model.
        data: Training series.
        refine: `none`, `band`, or `auto` for a refinement where it helps held-out series.
        seed: Seed of the halves that are compared.
        device: Device that estimates deformations.
        notify: Function that shows a message to people.

    Returns:
        The refinement; None for none.
    """
    if refine == "none":
        return None
    x = _aligned(model, reference_view(data).x, device)
    if refine == "band":
        return replace(BandRefinement.fit(x), why="refine='band' asked for it")
    if len(x) < MIN_SERIES or BandRefinement(x, x.new_ones(1), x.shape[2]).radius < MIN_RADIUS:
        return None
    evidence = RefinementEvidence.of(x, seed)
    if not evidence.supports:
        return None
    notify(f"refinement: {evidence}")
    return replace(BandRefinement.fit(x), why=str(evidence))


def _aligned(model: Model, x: Tensor, device: str) -> Tensor:
    """Series (N, C, T) with the learned deformations undone."""
    target = resolve_device(device)
    place(model, target)
    chunks = (part.to(target) for part in torch.split(x, SERIES_PER_CHUNK))
    parts = [align(part, model.pose(part), padding=model.padding).cpu() for part in chunks]
    place(model, "cpu")
    return torch.cat(parts)
