"""Deviation of known events after the default call, for `benchmarks.recordings`."""

from __future__ import annotations

import time

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks import cells
from benchmarks.cases.series import SeriesCase
from unwarp import Unwarper
from unwarp.core import Array


def deviation(aligned: Array, observed: Array) -> float:
    """Standard deviation of events over series, the mean over events.

    An event without an aligned time counts where it was observed, and an alignment that shrinks
    time gains nothing: deviations are divided by the mean change of the distance of the first from
    the last event.

    Args:
        aligned: Times after alignment (N, K).
        observed: Observed times (N, K).
    """
    times = np.where(np.isnan(aligned), observed, aligned)
    scale = 1.0
    if times.shape[1] > 1:
        scale = float(np.mean((times[:, -1] - times[:, 0]) / (observed[:, -1] - observed[:, 0])))
    return float(np.nanmean(np.nanstd(times, 0)) / scale)


def measure_events(case: SeriesCase, max_steps: int | None) -> cells.Result:
    """Deviation of events by the default call, and what a case tells besides.

    Args:
        case: Series with events.
        max_steps: Steps of training; None for the default.
    """
    started, observed = time.process_time(), case.events.reshape(len(case.x), -1)
    model = Unwarper(domain="series", max_steps=max_steps).fit(case.x, times=case.times)
    aligned = np.asarray(model.transform_events(case.x, observed, times=case.times))
    kinds = np.zeros(len(case.x), int) if case.kinds is None else case.kinds
    scores = {"cpu_seconds": round(time.process_time() - started, 1)}
    for name, times in (("recorded", observed), ("aligned", aligned)):
        parts = [deviation(times[kinds == k], observed[kinds == k]) for k in _with_events(kinds)]
        scores[name] = round(float(np.mean(parts)), 3)
    scores["largest_move"] = round(float(np.nanmax(np.abs(aligned - observed))), 3)
    if case.kinds is not None and 0 in kinds and kinds.min() == 0:
        blanks = np.abs(aligned - observed)[kinds == 0]
        scores["largest_move_of_blank"] = round(float(blanks.max()), 3)
    if kinds.min() < 0:
        rows = kinds >= 0
        ari = adjusted_rand_score(kinds[rows], model.predict(case.x)[rows])
        scores["ari"] = round(float(ari), 3)
    return {"scores": scores, "warp": model.recipe_.warp.name, "shape": model.schema_.shape}


def _with_events(kinds: Array) -> list[int]:
    """Kinds of series that share their events: not the strangers, -1, nor blanks among others."""
    numbers = sorted(set(kinds.tolist()) - {-1})
    return [1] if numbers == [0, 1] else numbers
