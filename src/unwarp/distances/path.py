"""Cheapest paths between two series inside a narrow band, by dynamic programming.

A path says for each time step of a template how many steps later the series shows it. All series of
a batch and all displacements are advanced at once, step by step (Sakoe and Chiba 1978); the choices
are stored, so that the path can be read backwards.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.errors import ConfigError, DataError

MAX_CHOICES = 1 << 26
"""Greatest number of stored choices, of one byte each, which bounds the memory."""


@torch.no_grad()
def displacements(x: Tensor, template: Tensor, radius: int, penalty: float) -> Tensor:
    """Displacements of series in time to a template, of least cost.

    A displacement d brings x(t + d) to the template at t.

    The cost of a path is the sum of squared differences over time steps and channels, plus the
    penalty for each step by which d changes, as in amerced dynamic time warping (Herrmann and Webb
    2023). Neighbouring displacements differ by one step at most, so that time never runs backwards.

    Args:
        x: Series (N, C, T); NaN for missing values, which cost nothing.
        template: Template (1, C, T), or one for each series (N, C, T); NaN where it has no value.
        radius: Greatest displacement in time steps.
        penalty: Cost of a change of d by one step, and of an end of the path off the diagonal.

    Returns:
        Whole numbers (N, T) from `-radius` to `radius`, in the dtype of `x`.

    Raises:
        ConfigError: The radius or the penalty is negative.
        DataError: The series and the template do not fit together.

    >>> x = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]]])
    >>> displacements(x, x.roll(-1), radius=1, penalty=0.1)[0, 2]  # the peak is one step later
    tensor(1.)
    """
    if radius < 0 or penalty < 0:
        raise ConfigError(f"radius={radius}, penalty={penalty} is negative; give 0 or more")
    if x.ndim != 3 or template.shape[1:] != x.shape[1:] or len(template) not in (1, len(x)):
        raise DataError(
            f"x has shape {tuple(x.shape)} and the template {tuple(template.shape)}; give series "
            "(N, C, T) and a template (1, C, T)"
        )
    n = max(1, MAX_CHOICES // max(1, x.shape[2] * (2 * radius + 1)))
    templates = template.expand(len(x), -1, -1)
    parts = zip(torch.split(x, n), torch.split(templates, n), strict=True)
    return torch.cat([_Paths(*part, radius).cheapest(penalty) for part in parts])


class _Paths:
    """The paths of a batch of series.

    Args:
        x: Series (N, C, T).
        template: Templates (N, C, T).
        radius: Greatest displacement.
    """

    def __init__(self, x: Tensor, template: Tensor, radius: int) -> None:
        self.template, self.radius, self.n_steps = template, radius, x.shape[2]
        # views on the values of the series at all displacements, (N, C, T, 2 radius + 1)
        self.values = F.pad(x, (radius, radius)).unfold(2, 2 * radius + 1, 1)
        self.shift = torch.arange(-radius, radius + 1, device=x.device)

    def cheapest(self, penalty: float) -> Tensor:
        """The cheapest displacements (N, T)."""
        off_diagonal = penalty * self.shift.abs()
        costs = self._differences(0) + off_diagonal
        padded = costs.new_full((len(costs), len(self.shift) + 2), torch.inf)
        choices = torch.zeros(self.n_steps, *costs.shape, dtype=torch.int8, device=costs.device)
        for t in range(1, self.n_steps):
            padded[:, 1:-1] = costs
            # the displacement of the step before is the same, one less, or one more
            before = (padded[:, 1:-1], padded[:, :-2] + penalty, padded[:, 2:] + penalty)
            costs, choices[t] = torch.stack(before).min(0)
            costs = costs + self._differences(t)
        return self._backwards(choices, (costs + off_diagonal).argmin(1))

    def _differences(self, t: int) -> Tensor:
        """Squared differences (N, 2 radius + 1) at step t; infinite beyond the series."""
        squares = (self.values[:, :, t] - self.template[:, :, t, None]).square().nansum(1)
        is_outside = (t + self.shift < 0) | (t + self.shift >= self.n_steps)
        return squares.masked_fill(is_outside, torch.inf)

    def _backwards(self, choices: Tensor, last: Tensor) -> Tensor:
        """Displacements (N, T) from the choices of all steps and the last index (N,)."""
        change = torch.tensor([0, -1, 1], device=last.device)
        indices = [last]
        for t in range(self.n_steps - 1, 0, -1):
            choice = choices[t].gather(1, indices[-1][:, None])[:, 0]
            indices.append(indices[-1] + change[choice.long()])
        path = torch.stack(indices[::-1], 1) - self.radius
        return path.to(self.template.dtype)
