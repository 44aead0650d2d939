"""Figures of the warps of series have units of time and sorted directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unwarp.app.outcome import Outcome
from unwarp.app.report.series_deformations import (
    TIMES_PER_PAIR,
    directions,
    recovery,
    sampling_rate_of,
    time_maps,
)


def test_time_maps_in_seconds(series_run: Outcome) -> None:
    """If the sampling rate is known, axes of time are in seconds."""
    assert sampling_rate_of(series_run.warped.unwarper.model_) == 10.0
    figure = time_maps(series_run)
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "observed time (s)"
    assert figure.axes[0].get_xlim()[1] == pytest.approx(2.3)


def test_directions_sorted_by_share(series_run: Outcome) -> None:
    """The first direction has the greatest share of the variance; shares sum to 100 % or less."""
    model, embedding = series_run.warped.unwarper.model_, series_run.warped.embedding
    figure = directions(model, embedding)
    names = [axis.get_ylabel().split("\n") for axis in figure.axes]
    assert names[0][0] == "direction 1"
    shares = [float(share.rstrip("%")) for _, share in names]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 101


def test_recovery_of_true_warps(bumps_run: Outcome, series_run: Outcome) -> None:
    """True warps stand on the line, at several times of each pair; without them is no figure."""
    assert recovery(series_run) is None and bumps_run.test.maps is not None
    embedding = replace(bumps_run.warped.embedding, map=bumps_run.test.maps)
    figure = recovery(replace(bumps_run, warped=replace(bumps_run.warped, embedding=embedding)))
    assert figure is not None and figure.axes[0].get_title() == "displacement (samples)"
    points = np.asarray(figure.axes[0].collections[0].get_offsets())
    assert len(points) == TIMES_PER_PAIR * len(bumps_run.test) // 2
    assert np.allclose(points[:, 0], points[:, 1], atol=1e-3) and np.ptp(points) > 1
