"""Series whose clock must be kept: how far known events are from where they belong.

`benchmarks.door` runs this as the cells `clock/SEED`.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import cells
from benchmarks.cases.series import SeriesCase, days_of_meters, growth, prefixes
from unwarp import Unwarper

HOUR, PEAK = 3600.0, 19.0
"""Seconds of an hour, and the hour of the peak of each day."""


def measure_clock(seed: int, quick: bool = False) -> cells.Result:
    """Errors of the times of events, without a warp and with the default call.

    Args:
        seed: Seed of the series.
        quick: Whether to train for a few steps.
    """
    started, steps = time.process_time(), 5 if quick else None
    children = growth(seed)
    kept = Unwarper("identity", max_steps=5).fit(children.x, times=children.times)
    ages = kept.transform_events(children.x, [12.0], times=children.times)
    stopped = prefixes(seed)
    model = Unwarper(max_steps=steps).fit(stopped.x)
    moved = np.asarray(model.transform_events(stopped.x, stopped.events[:, None]))
    scores = {
        "age_12_deviation": round(float(np.std(ages)), 4),
        "step_80_error": round(float(np.nanmax(np.abs(moved - 80))), 4),
        "peak_of_days_error_hours": round(_error_of_days(seed), 4),
        "spurt_deviation_before": round(float(np.std(children.events)), 3),
        "spurt_deviation": round(_deviation_of_spurts(children, steps), 3),
    }
    return {"scores": {**scores, "cpu_seconds": round(time.process_time() - started, 1)}}


def _error_of_days(seed: int) -> float:
    """Largest difference in hours of the peak of a day from its hour by the local clock."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "days.csv"
        path.write_text(days_of_meters(seed))
        model = Unwarper("identity", max_steps=5).fit(path)
        days = np.reshape(model.align(path), (-1, len(model.times_)))
    smooth = [np.convolve(np.nan_to_num(day), np.ones(9), "same") for day in days]
    hours = model.times_[np.argmax(smooth, 1)] / HOUR
    return float(np.abs(hours - PEAK).max())


def _deviation_of_spurts(children: SeriesCase, steps: int | None) -> float:
    """Standard deviation of the age of the spurt after alignment by the default call."""
    model = Unwarper(max_steps=steps).fit(children.x, times=children.times)
    aligned = model.transform_events(children.x, children.events[:, None], times=children.times)
    return float(np.std(aligned))
