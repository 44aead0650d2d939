"""Maps of time: strictly increasing, piecewise linear, with exact inverses and products.

Convention:
    Time is a point of one axis: the first sample stands at 0, the last one at 1. `pull` is the gamma of the literature:
    observed time to the template time that it shows; a map whose `pull(t)` is below `t` shows events later than the
    template has them. Beyond the knots a map has slope 1, so that it is a bijection of the whole line.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.warps.maps import Map


@dataclass(frozen=True)
class TimeMap(Map):
    """N increasing maps of time, linear between K knots: at observed time `observed_times` the template's time `template_times`.

    The inverse swaps the two, and a product has the knots of both: neither is ever approximated.

    Attributes:
        seen: Observed times of the knots, (N, K), increasing along each row.
        shown: The template times that they show, (N, K), increasing along each row.

    >>> import torch
    >>> gamma = TimeMap(torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0.0, 0.25, 1.0]]))
    >>> gamma.pull(torch.tensor([[0.25], [0.5]])).flatten().tolist()
    [0.125, 0.25]
    >>> gamma.push(torch.tensor([[0.25]])).item()
    0.5
    """

    observed_times: Tensor
    template_times: Tensor

    def __len__(self) -> int:
        return len(self.template_times)

    @property
    def reference(self) -> Tensor:
        return self.template_times

    def __getitem__(self, rows: Tensor | slice) -> TimeMap:
        return TimeMap(self.observed_times[rows], self.template_times[rows])

    def pull(self, points: Tensor) -> Tensor:
        return interpolate(points[..., 0], self.observed_times, self.template_times)[..., None]

    def push(self, points: Tensor) -> Tensor:
        return interpolate(points[..., 0], self.template_times, self.observed_times)[..., None]

    def invert(self) -> TimeMap:
        return TimeMap(self.template_times, self.observed_times)

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        if not isinstance(inner, TimeMap):
            return None
        n = max(len(self), len(inner))
        observed_times = (
            self.observed_times,
            interpolate(inner.observed_times, self.template_times, self.observed_times),
        )
        template_times = (
            interpolate(self.template_times, inner.observed_times, inner.template_times),
            inner.template_times,
        )
        joined = (
            torch.cat([part.expand(n, -1) for part in parts], -1).sort(-1).values
            for parts in (observed_times, template_times)
        )
        return (TimeMap(*joined),)


def interpolate(at: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Rows of increasing functions, linear between knots and of slope 1 beyond them.

    Args:
        at: Where, (P,) for all rows or (N, P).
        knots: Places of the knots (N, K), or one row for all.
        values: Values there (N, K), or one row for all.

    Returns:
        Values (N, P).
    """
    at = at[None] if at.dim() == 1 else at
    n = max(len(at), len(knots), len(values))
    at, knots, values = (part.expand(n, -1) for part in (at, knots, values))
    inside = at.clamp(knots[:, :1], knots[:, -1:])
    cell = torch.searchsorted(knots.detach().contiguous(), inside.detach().contiguous(), right=True)
    cell = cell.clamp(1, knots.shape[1] - 1) - 1
    slope = values.diff() / knots.diff().clamp_min(torch.finfo(knots.dtype).eps)
    return (
        values.gather(1, cell)
        + slope.gather(1, cell) * (inside - knots.gather(1, cell))
        + (at - inside)
    )
