"""Schedules: end points, monotony, levels."""

from __future__ import annotations

import pytest

from unwarp.models.schedules import ramp, warm_cosine


@pytest.mark.parametrize(("start", "stop"), [(0.0, 4.0), (1.0, 0.1)])
def test_a_ramp_is_a_line_then_level(start: float, stop: float) -> None:
    value = ramp(start, stop, 100)
    assert value(0) == start
    assert value(25) == pytest.approx(start + (stop - start) / 4)
    assert value(100) == value(101) == value(10**6) == pytest.approx(stop)


def test_a_ramp_over_no_steps_has_arrived_after_the_first() -> None:
    assert ramp(0.0, 1.0, 0)(1) == 1.0


def test_warm_cosine_rises_falls_and_stays_at_its_floor() -> None:
    value = warm_cosine(10, 110, 0.02)
    assert [value(step) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert value(10) == 1.0
    assert value(60) == pytest.approx((1 + 0.02) / 2)
    assert value(110) == value(10**6) == pytest.approx(0.02)
    fall = [value(step) for step in range(10, 111)]
    assert fall == sorted(fall, reverse=True)


@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (5, 5), (1, 1), (0, 0)])
def test_warm_cosine_is_a_share_for_every_length(warmup: int, steps: int) -> None:
    value = warm_cosine(warmup, steps, 0.1)
    assert all(0.1 <= value(step) <= 1 for step in range(warmup, 20))
    assert all(0 < value(step) <= 1 for step in range(warmup))
