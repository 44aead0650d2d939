"""Models learn large images at a smaller size, which is found from the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from unwarp.core import IMAGES, SERIES
from unwarp.data.working_size import find_working_size, resize_smoothly
from unwarp.errors import ConfigError

Y, X = np.mgrid[:96, :96] / 96


def stripes(cycles: float) -> np.ndarray:
    """Stripes (9, 1, 96, 96) with some cycles over the width."""
    phases = np.arange(9)[:, None, None, None]
    return np.sin(2 * np.pi * cycles * X + phases) + 0 * Y


def test_size_follows_the_detail() -> None:
    """Fine stripes need more pixels than coarse ones; small images keep their size."""
    sides = [find_working_size(stripes(cycles), IMAGES)[0] for cycles in (1, 8, 30)]
    assert sides == sorted(sides) and sides[0] == 24 and sides[-1] == 48
    assert find_working_size(np.zeros((4, 1, 48, 30)), IMAGES) == (48, 30)


@pytest.mark.parametrize(
    ("choice", "size"), [(32, (32, 16)), ((20, 30), (20, 30)), (None, (128, 64))]
)
def test_size_follows_the_user(choice: Any, size: tuple[int, int]) -> None:
    """A side keeps the proportions, (H, W) is taken as it is, None is the full size."""
    assert find_working_size(np.zeros((2, 1, 128, 64)), IMAGES, choice) == size


@pytest.mark.parametrize("choice", [200, (200, 10), (10, 65)])
def test_larger_sizes_are_refused(choice: Any) -> None:
    """A size above that of the images is refused with both."""
    with pytest.raises(ConfigError, match="does not fit images of 128 x 64 pixels"):
        find_working_size(np.zeros((2, 1, 128, 64)), IMAGES, choice)


def test_some_domains_have_no_size() -> None:
    """A domain without a working size refuses one."""
    domain = replace(SERIES, max_working_side=None)
    assert find_working_size(np.zeros((2, 1, 9000)), domain) == (9000,)
    with pytest.raises(ConfigError, match="is not for series"):
        find_working_size(np.zeros((2, 1, 128)), domain, 32)


@pytest.mark.parametrize(("width", "length"), [(200.0, 512), (12.0, 1024), (3.0, 2048)])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_length_follows_peaks(width: float, length: int, noise: float) -> None:
    """Narrow peaks need more steps than wide ones, whatever the noise of single steps."""
    rng, steps = np.random.default_rng(0), np.arange(8000)
    centres = np.arange(0, 8000, 6 * width)[:, None]
    peaks = np.exp(-0.5 * ((steps - centres) / width) ** 2).sum(0)
    x = peaks + noise * rng.normal(size=(40, 1, 8000))
    assert find_working_size(x, SERIES) == (length,)


def test_shorter_series_keep_their_length() -> None:
    """Series of a few hundred steps are learned as they are, and a number of steps is obeyed."""
    assert find_working_size(np.zeros((4, 1, 768)), SERIES) == (768,)
    assert find_working_size(np.zeros((4, 2, 9000)), SERIES, 300) == (300,)
    assert find_working_size(np.zeros((4, 2, 9000)), SERIES, None) == (9000,)
    with pytest.raises(ConfigError, match=r"does not fit series of 40 time steps; give a number"):
        find_working_size(np.zeros((4, 2, 40)), SERIES, 50)


def test_resize_keeps_the_frame() -> None:
    """A ramp from edge to edge stays the same ramp at any size."""
    ramps = [((torch.arange(n) + 0.5) / n).expand(1, 1, n, n) for n in (12, 24, 60)]
    for x in ramps:
        for other in ramps:
            inner = slice(2, -2)
            moved = resize_smoothly(x, other.shape[2:])[..., inner, inner]
            torch.testing.assert_close(moved, other[..., inner, inner], atol=0.02, rtol=0)


def test_one_axis_shrinks_by_averages() -> None:
    """Stripes of one pixel vanish along the axis that shrinks, also if the other one grows."""
    stripes_of_one = (torch.arange(48) % 2).float().expand(1, 1, 16, 48)
    small = resize_smoothly(stripes_of_one, (20, 16))[..., 2:-2]
    torch.testing.assert_close(small, torch.full_like(small, 0.5), atol=0.1, rtol=0)
