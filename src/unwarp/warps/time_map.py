"""Maps of time: increasing, piecewise linear, with exact inverses and products.

Convention:
    Time is a point on one axis: 0 is the first time step, 1 the last. `pull` is the gamma of the
    literature: from observed time to template time. `pull(t)` below `t` means that the
    observation shows events later than the template. Outside its knots a map has slope 1, so that
    it maps the whole line onto itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.warps.maps import Map


@dataclass(frozen=True)
class TimeMap(Map):
    """N increasing maps of time, linear between K knots.

    The inverse swaps observed and template times, and a product has the knots of both maps, so
    that inverses and products are exact. All channels of a series share one map.

    Attributes:
        observed_times: Observed times of the knots, (N, K), increasing along each row.
        template_times: Template times of the knots, (N, K), increasing along each row.

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
        """The template times, with the dtype and the device of the map."""
        return self.template_times

    def __getitem__(self, rows: Tensor | slice) -> TimeMap:
        return TimeMap(self.observed_times[rows], self.template_times[rows])

    def pull(self, points: Tensor) -> Tensor:
        """Template times that are visible at observed times.

        Args:
            points: Observed times (P, 1) for all rows, or (N, P, 1).

        Returns:
            Template times (N, P, 1), strictly increasing in `points`.
        """
        return interpolate(points[..., 0], self.observed_times, self.template_times)[..., None]

    def push(self, points: Tensor) -> Tensor:
        """Observed times of template times, such as those of events.

        Args:
            points: Template times (P, 1) for all rows, or (N, P, 1).

        Returns:
            Observed times (N, P, 1).
        """
        return interpolate(points[..., 0], self.template_times, self.observed_times)[..., None]

    is_invertible = True

    def invert(self) -> TimeMap:
        """The map with observed and template times swapped."""
        return TimeMap(self.template_times, self.observed_times)

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """The product with an inner map of time.

        Args:
            inner: The map that acts first. One of the two maps may have one row, used for all.

        Returns:
            One map with K + K' knots, or None if `inner` is not a `TimeMap`.
        """
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
        # gamma is increasing: sorted separately, the times of a knot get the same position
        knots = (
            torch.cat([part.expand(n, -1) for part in parts], -1).sort(-1).values
            for parts in (observed_times, template_times)
        )
        return (TimeMap(*knots),)


def interpolate(points: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Evaluate increasing, piecewise-linear functions, one for each row.

    They have slope 1 outside their knots. Knots may coincide: the slope of the segment between them
    is limited, so that gradients are finite.

    Args:
        points: Arguments of the functions, (P,) for all rows or (N, P).
        knots: Knots (N, K), increasing along each row; (1, K) for all rows.
        values: Values at the knots (N, K); (1, K) for all rows.

    Returns:
        Values (N, P) at the points, differentiable in all three arguments.
    """
    points = points[None] if points.dim() == 1 else points
    n = max(len(points), len(knots), len(values))
    points, knots, values = (part.expand(n, -1) for part in (points, knots, values))
    # a point outside the knots is clamped to the nearest knot; the distance is added at the end
    inside = points.clamp(knots[:, :1], knots[:, -1:])
    cell = torch.searchsorted(knots.detach().contiguous(), inside.detach().contiguous(), right=True)
    cell = cell.clamp(1, knots.shape[1] - 1) - 1
    slope = values.diff() / knots.diff().clamp_min(torch.finfo(knots.dtype).eps)
    return (
        values.gather(1, cell)
        + slope.gather(1, cell) * (inside - knots.gather(1, cell))
        + (points - inside)
    )
