"""Periods of series, and lags on a circle."""

from __future__ import annotations

import pytest
import torch

from tests.models.lags.recordings import delayed, periodic
from unwarp.models.lags.matching import Observations
from unwarp.models.lags.periods import circular_mean, find_period, fold, self_errors, vertex


@pytest.mark.parametrize("period", [30.0, 24.3, 55.0])
def test_periods_are_exact(period: float) -> None:
    """A period is found to a twentieth of a step, whole or not."""
    x = Observations.of(periodic(period=period)[0]).standardise()
    assert abs(find_period(x, 0.01) - period) < 0.05


def test_other_series_have_no_period() -> None:
    """A recording without repetitions has no period."""
    assert find_period(Observations.of(delayed()[0]).standardise(), 0.01) == 0


def test_self_errors_skip_gaps() -> None:
    """Gaps have no influence on the error of a series against itself."""
    x = torch.arange(12.0).reshape(1, 1, 12)
    x[..., 5] = torch.nan
    torch.testing.assert_close(
        self_errors(Observations.of(x)), torch.arange(7.0).square() / 2, atol=1e-4, rtol=1e-4
    )


def test_lags_fold_into_half_a_period() -> None:
    """Folding removes whole periods, and the mean is that of the circle."""
    lags = torch.tensor([9.0, -1.0, 11.0, 1.0])
    assert fold(lags, 10.0).tolist() == [-1.0, -1.0, 1.0, 1.0]
    assert abs(circular_mean(lags, 10.0)) < 1e-6


def test_vertex_is_that_of_a_parabola() -> None:
    """Place and value of the minimum are exact for a parabola; slopes have none."""
    place = vertex([(i - 2.2) ** 2 + 1 for i in range(5)], 2)
    assert place is not None and place == pytest.approx((2.2, 1.0))
    assert vertex([0.0, 1.0, 2.0], 1) is None
