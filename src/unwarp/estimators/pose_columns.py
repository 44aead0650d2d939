"""Deformations as columns of features, for timing that carries a class."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unwarp.core import Domain
from unwarp.warps import Map, Warp

N_TIMES = 32
"""Number of even parts of the template in which the speed of a warp of time is measured."""

MIN_DURATION = 1e-2
"""Least observed duration of a part over its duration in the template, so that logs are bounded."""


@torch.no_grad()
def pose_columns(map: Map, chart: Warp, domain: Domain) -> Tensor:
    """Columns of features that describe deformations.

    Series: for each of 32 even parts of the template, the log of its observed duration over its
    duration in the template; and the mean lag as a share of the length. Other samples: theta with
    each column divided by its half-range; a periodic column becomes its cosine and its sine, so
    that both ends of its range are the same.

    Args:
        map: N centred deformations.
        chart: The warp that converts them to theta.
        domain: Domain of the samples.

    Returns:
        Columns (N, P); none for a model without a warp.

    >>> from unwarp.core import SERIES
    >>> from unwarp.warps import TimeShift
    >>> warp = TimeShift(size=(50,))
    >>> columns = pose_columns(warp.map(torch.tensor([[0.1], [0.0]])), warp, SERIES)
    >>> columns.shape, round(float(columns[0, 32]), 3)
    (torch.Size([2, 33]), 0.1)
    """
    if not chart.factors:
        return torch.zeros(len(map), 0)
    if domain.has_times:
        times = torch.linspace(0, 1, N_TIMES + 1).to(map.reference)[:, None]
        observed = map.invertible_part().point_map.push(times)[..., 0].double()
        durations = observed.diff(dim=1) * N_TIMES
        lag = observed.mean(1, keepdim=True) - 0.5
        return torch.cat([durations.clamp_min(MIN_DURATION).log(), lag], 1).float().cpu()
    theta, columns = chart.theta(map).float().cpu(), []
    for factor, column in zip(chart.factors, theta.unbind(1), strict=True):
        if factor.periodic:
            angle = column * (math.pi / factor.half_range)
            columns += [angle.cos(), angle.sin()]
        else:
            columns.append(column / factor.half_range)
    return torch.stack(columns, 1)


def pose_names(chart: Warp, domain: Domain) -> list[str]:
    """Names of the columns of `pose_columns`.

    Args:
        chart: The warp that converts deformations to theta.
        domain: Domain of the samples.

    >>> from unwarp.core import IMAGES
    >>> from unwarp.warps import Affine2d
    >>> pose_names(Affine2d(), IMAGES)[:2]
    ['rotation', 'log_scale_x']
    """
    if not chart.factors:
        return []
    if domain.has_times:
        return [*(f"log_duration_{i}" for i in range(N_TIMES)), "lag"]
    names = []
    for factor in chart.factors:
        endings = ("_cos", "_sin") if factor.periodic else ("",)
        names += [factor.name + ending for ending in endings]
    return names
