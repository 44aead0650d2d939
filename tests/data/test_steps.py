"""Averages of many steps stay where the steps were."""

from __future__ import annotations

import pytest
import torch

from unwarp.data.steps import resize_steps

LENGTHS = [(900, 128), (20_000, 512), (1000, 700), (257, 65)]


@pytest.mark.parametrize(("n", "length"), LENGTHS)
def test_ramps_keep_their_times(n: int, length: int) -> None:
    """The value of a ramp is its time: averages have it to a quarter of a step, and back again."""
    ramp = torch.arange(n, dtype=torch.float64).expand(2, 1, n)
    small = resize_steps(ramp, length)
    times = torch.linspace(0, n - 1, length, dtype=torch.float64).expand(2, 1, length)
    torch.testing.assert_close(small, times, atol=0.25, rtol=0)
    torch.testing.assert_close(resize_steps(small, n), ramp, atol=0.3, rtol=0)


@pytest.mark.parametrize(("n", "length"), LENGTHS)
def test_averages_lower_the_noise(n: int, length: int) -> None:
    """The noise of k steps falls with the root of k, at the ends by half as much or more."""
    noise = torch.randn(2000, 1, n, generator=torch.Generator().manual_seed(0))
    deviation = resize_steps(noise, length)[:, 0].std(0) * (n / length) ** 0.5
    assert deviation[1:-1].mean() < 1.05
    assert deviation[[0, -1]].max() < 2.2


def test_gaps_stay_gaps() -> None:
    """A gap of many steps stays one, a missing step is left out, and no other value changes."""
    x = torch.arange(801.0).expand(1, 2, 801).clone()
    whole = resize_steps(x, 101)
    x[0, 0, 200:400], x[0, 1, 603] = torch.nan, torch.nan
    small = resize_steps(x, 101)
    assert small[0, 0, 26:50].isnan().all() and not small[0, 0, :25].isnan().any()
    assert not small[0, 1].isnan().any()
    torch.testing.assert_close(small[0, 0, 52:], whole[0, 0, 52:])
    torch.testing.assert_close(small[0, 1], whole[0, 1], atol=0.6, rtol=0)


def test_more_steps_pass_through_the_series() -> None:
    """Interpolation keeps values at their times, and comes near to a smooth curve between them."""
    times = torch.linspace(0, 1, 361, dtype=torch.float64)
    curve = torch.sin(7 * times).expand(1, 1, 361)
    large = resize_steps(curve[..., ::12], 361)
    torch.testing.assert_close(large[..., ::12], curve[..., ::12])
    torch.testing.assert_close(large, curve, atol=4e-3, rtol=0)
    assert resize_steps(torch.ones(1, 1, 1), 4).tolist() == [[[1.0] * 4]]


def test_same_length_is_same_tensor() -> None:
    """Series of this length are returned as they are."""
    x = torch.zeros(2, 1, 30)
    assert resize_steps(x, 30) is x
