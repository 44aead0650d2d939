"""Advice on patterns of pictures that do not move, such as dust."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.registration import blurred, white_noise

MIN_PICTURES, MAX_PICTURES = 8, 400
"""Least number of pictures that are compared, and the greatest."""

BLUR_PX = 1.0
"""Standard deviation of the Gaussian that leaves the detail, in pixels."""

MIN_SHARE_OF_DETAIL, MIN_RATIO, MAX_NOISE_SHARE = 0.25, 0.85, 0.3
"""Least share of the detail that stays, least ratio of this share to that of all variation, and
greatest share of noise in the detail."""

N_AXES_OF_PICTURES, MIN_SIDE_PX = 4, 3
"""Axes of a batch of pictures, and least side of pictures whose noise is measured."""

TINY = 1e-9
"""Least variance, so that ratios are finite."""


def fixed_pattern_hint(x: Tensor) -> str:
    """Advice if fine detail stays at its place in all pictures.

    The median over pictures of objects that move is blurred: of fine detail it keeps a much smaller
    share than of all variation. A pattern of the camera or of the ground stays sharp in it. Medians
    of two halves of the pictures are compared, so that noise does not count.

    Args:
        x: Pictures (N, C, H, W); of samples with other axes nothing is said.

    Returns:
        One line with the share of the detail that stays; an empty string if there is no such
        pattern, if noise hides the detail, or if there are fewer than 8 pictures.

    >>> x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> fixed_pattern_hint(x.expand(9, -1, -1, -1)).partition(" of")[0]
    'pictures: 100 %'
    """
    if len(x) < MIN_PICTURES or x.ndim != N_AXES_OF_PICTURES or min(x.shape[2:]) < MIN_SIDE_PX:
        return ""
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:MAX_PICTURES]
    x = x[rows].float()
    share, share_of_all, noise_share = _shares(x)
    is_pattern = share >= max(MIN_SHARE_OF_DETAIL, MIN_RATIO * share_of_all)
    if not is_pattern or noise_share > MAX_NOISE_SHARE:
        return ""
    return (
        f"pictures: {min(share, 1.0):.0%} of their fine detail stays at its place in all of them. "
        "If it is a pattern of the camera or the ground (dust, a frame, a grid), subtract it "
        "before, as X - numpy.median(X, axis=0), since it holds the poses; if it is the objects, "
        "they hardly move"
    ).replace("%", " %")


def _shares(x: Tensor) -> tuple[float, float, float]:
    """Shares of detail and variation that stay, and of noise.

    Args:
        x: Pictures (N, C, H, W) in random order.
    """
    halves = [part.median(0, keepdim=True).values for part in (x[::2], x[1::2])]
    noise = white_noise(x - x.median(0).values).mean()
    noise_in_detail = noise * _noise_in_detail(x)
    detail = _detail(x).square().mean()
    first, second = (_detail(half) for half in halves)
    share = (first * second).mean() / (detail - noise_in_detail).clamp_min(TINY)
    first, second = (half - half.mean((2, 3), keepdim=True) for half in halves)
    variation = (x - x.mean((2, 3), keepdim=True)).square().mean()
    share_of_all = (first * second).mean() / (variation - noise).clamp_min(TINY)
    return float(share), float(share_of_all), float(noise_in_detail / detail.clamp_min(TINY))


def _detail(x: Tensor) -> Tensor:
    """Pictures without what remains in a blur."""
    return x - blurred(x, BLUR_PX)


def _noise_in_detail(x: Tensor) -> Tensor:
    """Share of the variance of white noise that is detail."""
    noise = torch.randn(1, 1, *x.shape[2:], generator=torch.Generator().manual_seed(0))
    return _detail(noise).square().mean()
