"""Schedules: end points, monotony, levels."""

from __future__ import annotations

import pytest

from unwarp.models.schedules import ramp, warm_cosine


@pytest.mark.parametrize(("start", "stop"), [(0.0, 4.0), (1.0, 0.1)])
def test_ramp_is_linear_then_level(start: float, stop: float) -> None:
    """Rising or falling, the ramp is a straight line and stays at its end."""
    value = ramp(start, stop, 100)
    assert value(0) == start
    assert value(25) == pytest.approx(start + (stop - start) / 4)
    assert value(100) == value(101) == value(10**6) == pytest.approx(stop)


def test_ramp_over_no_steps_is_done_at_one() -> None:
    """A ramp of no steps is at its end after the first step."""
    assert ramp(0.0, 1.0, 0)(1) == 1.0


def test_warm_cosine_rises_then_falls() -> None:
    """A linear rise, half a cosine down, and then the floor."""
    value = warm_cosine(10, 110, 0.02)
    assert [value(step) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert value(10) == 1.0
    assert value(60) == pytest.approx((1 + 0.02) / 2)
    assert value(110) == value(10**6) == pytest.approx(0.02)
    fall = [value(step) for step in range(10, 111)]
    assert fall == sorted(fall, reverse=True)


@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (5, 5), (1, 1), (0, 0)])
def test_warm_cosine_stays_within_one(warmup: int, steps: int) -> None:
    """Values are in (0, 1] for runs of any length, also without a warm-up."""
    value = warm_cosine(warmup, steps, 0.1)
    assert all(0.1 <= value(step) <= 1 for step in range(warmup, 20))
    assert all(0 < value(step) <= 1 for step in range(warmup))
