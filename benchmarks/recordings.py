"""Series as people record them, with what is known of each: lags, phases, events, kinds.

    python -m benchmarks.recordings                cells without a result file, then the page
    python -m benchmarks.recordings --cell lags/0  one cell
    python -m benchmarks.recordings --quick        a few steps of one cell, written nowhere
    python -m benchmarks.recordings --table        the page alone, from the result files

Cells: `lags/SEED` (errors of lags in time steps), `phase/SEED` (errors on the circle, in cycles),
`drift/SEED` (deviation of events after alignment, in time steps) and `ecg/0` (1-NN of the aligned
test series of ECGFiveDays). `prefixes`, `growth`, `stretched`, `steps`, `chromatograms`, `clusters`
and `trials` measure the deviation of events after the default call. The peer cross-correlates each
series with the mean of all, again and again. A new row for another call of `Unwarper` is an entry
of `CALLS`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import cells, provenance
from benchmarks.cases import series
from benchmarks.cases.series import PERIOD, SeriesCase, drift, lags, phase
from benchmarks.events import measure_events
from unwarp import Unwarper
from unwarp.core import Array
from unwarp.datasets import ucr
from unwarp.metrics.neighbours import neighbours
from unwarp.warps import Chain, CosineTime, TimeShift, Warp

FOLDER, PAGE = "recordings", "docs/guide/series.md"
SEEDS = (0, 1, 2)
CALLS: dict[str, str | Warp] = {"time-shift": "time-shift", "auto": "auto"}
"""Calls of `Unwarper` on lags and phases, by name: the argument `warp`."""

WARPS_OF_DRIFT: dict[str, str | Warp] = {
    "shift": "time-shift",
    "smooth": "time",
    "both": Chain(CosineTime(), TimeShift()),
    "auto": "auto",
}
"""Warps for lags with drift, by name."""

EVENTS: dict[str, Callable[[int], SeriesCase]] = {
    "prefixes": series.prefixes,
    "growth": series.growth,
    "stretched": series.stretched,
    "steps": series.steps,
    "clusters": series.clusters,
    "chromatograms": series.chromatograms,
    "trials": series.trials,
}
"""Series with events, by the name of their cells."""

KINDS = ("lags", "phase", "drift", *EVENTS)
NAMES = (*(f"{kind}/{seed}" for kind in KINDS for seed in SEEDS), "ecg/0")
MAX_ROUNDS = 30
"""Greatest number of rounds of the peer."""


def peer_lags(x: Array) -> Array:
    """Whole lags (N,) by cross-correlation with the mean, until they stay.

    Args:
        x: Series (N, T).
    """
    centred = x - x.mean(1, keepdims=True)
    length = x.shape[1]
    spectra, lag = np.fft.rfft(centred, 2 * length), np.zeros(len(x), int)
    template = centred[0]
    for _ in range(MAX_ROUNDS):
        earlier = lag
        products = np.fft.irfft(spectra * np.fft.rfft(template, 2 * length).conj(), 2 * length)
        lag = (products.argmax(1) + length) % (2 * length) - length
        if np.array_equal(lag, earlier):
            break
        rows = zip(centred, lag, strict=True)
        template = np.mean([np.roll(np.pad(row, (0, length)), -k)[:length] for row, k in rows], 0)
    return lag


def deviations(lag: Array, events: Array, period: float | None = None) -> Array:
    """Absolute errors (N,) of relative lags, in the unit of time or, with a period, in cycles.

    Args:
        lag: Lags (N,); the zero of all lags is arbitrary.
        events: Observed times of an event (N,).
        period: Period of the series; None for no period.
    """
    difference = lag - events
    if period is None:
        return np.abs(difference - np.median(difference))
    turns = np.exp(2j * np.pi * difference / period)
    return np.abs(np.angle(turns / turns.mean())) / (2 * np.pi)


def measure_lags(case: SeriesCase, period: float | None, steps: int | None) -> cells.Result:
    """Median and 95 % errors of lags, by each call and by the peer."""
    x, scores = np.stack(case.x), dict[str, float]()
    rows: dict[str, Callable[[], Array]] = {"peer": partial(peer_lags, x)}
    for name, warp in CALLS.items():
        rows[name] = partial(_lags, Unwarper(warp, max_steps=steps), x)
    for name, find in rows.items():
        started = time.process_time()
        errors = deviations(find(), case.events, period)
        scores[f"{name}_median"] = round(float(np.median(errors)), 6)
        scores[f"{name}_95"] = round(float(np.quantile(errors, 0.95)), 6)
        scores[f"{name}_cpu_seconds"] = round(time.process_time() - started, 1)
    return {"scores": scores}


def _lags(model: Unwarper, x: Array) -> Array:
    """Lags (N,) of series in time steps, by a model that is fitted to them."""
    columns = model.fit(x).transform_params(x)
    return np.asarray(columns["lag_samples"])


def measure_drift(case: SeriesCase, steps: int | None) -> cells.Result:
    """Standard deviation of events over series, the mean over events, by each warp.

    An alignment that shrinks time gains nothing: deviations are divided by the mean change of the
    distance of the first from the last event.
    """
    x, observed = np.stack(case.x), case.events
    scores = {"recorded": round(float(observed.std(0).mean()), 3)}
    for name, warp in WARPS_OF_DRIFT.items():
        started = time.process_time()
        model = Unwarper(warp, max_steps=steps).fit(x)
        aligned = np.asarray(model.transform_events(x, observed))
        scale = np.mean((aligned[:, -1] - aligned[:, 0]) / (observed[:, -1] - observed[:, 0]))
        scores[name] = round(float(aligned.std(0).mean() / scale), 3)
        scores[f"{name}_cpu_seconds"] = round(time.process_time() - started, 1)
    return {"scores": scores}


def measure_ecg(steps: int | None) -> cells.Result:
    """1-NN of ECGFiveDays, before and after its lags are undone."""
    train, test = ucr.load("train", "ECGFiveDays"), ucr.load("test", "ECGFiveDays")
    known, asked = (part.x.flatten(1).numpy() for part in (train, test))
    model = Unwarper("time-shift", max_steps=steps).fit(known)
    scores = {
        "recorded": _accuracy(known, train.labels, asked, test.labels),
        "aligned": _accuracy(model.align(known), train.labels, model.align(asked), test.labels),
    }
    return {"scores": scores}


def _accuracy(known: Array, labels: Any, asked: Array, truth: Any) -> float:
    """Accuracy of the nearest neighbour, rounded."""
    return round(float(neighbours(known, labels, asked, truth, k=1)), 4)


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps.
    """
    import torch

    torch.set_num_threads(1)
    (kind, seed), steps = name.split("/"), 5 if quick else None
    if kind == "ecg":
        return measure_ecg(steps)
    if kind == "drift":
        return measure_drift(drift(int(seed)), steps)
    if kind in EVENTS:
        return measure_events(EVENTS[kind](int(seed)), steps)
    make, period = {"lags": (lags, None), "phase": (phase, PERIOD)}[kind]
    return measure_lags(make(int(seed)), period, steps)


def _scores(kind: str) -> dict[str, float]:
    """Medians over the seeds of a kind; empty before it is measured."""
    return cells.medians(_results(kind))


def _results(kind: str) -> list[cells.Result]:
    """Results of the seeds of a kind."""
    paths = [cells.RESULTS / FOLDER / f"{kind}/{seed}.json" for seed in SEEDS]
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def table() -> None:
    """Rebuild the table of the page from the result files."""
    heads = {"peer": "by cross-correlation with the mean", "time-shift": "`time-shift`"}
    heads["auto"] = "default call"
    lines = [f"| series | {' | '.join(heads.values())} |", "|---|---|---|---|"]
    for kind, unit in (("lags", "steps"), ("phase", "cycles")):
        if s := _scores(kind):
            pairs = (
                f"{s[f'{n}_median']:.5f} / {s[f'{n}_95']:.5f}" if f"{n}_median" in s else "-"
                for n in heads
            )
            name = f"{kind}, median / 95 % error in {unit}{provenance.mark(_results(kind))}"
            lines.append(f"| {name} | {' | '.join(pairs)} |")
    if s := _scores("drift"):
        lines += [
            "",
            f"Lags and smooth warps together: events are {s['recorded']:.1f} steps apart (standard "
            f"deviation), {s['shift']:.1f} after `time-shift`, {s['smooth']:.1f} after `time`, and "
            f"{s['both']:.1f} after `Chain(CosineTime(), TimeShift())`, which the default call "
            f"chooses by itself ({s.get('auto', math.nan):.1f}).",
        ]
    lines += _table_of_events()
    if s := _scores("ecg"):
        lines += [
            "",
            f"ECGFiveDays: the nearest neighbour is right for {s['recorded']:.3f} of the test "
            f"series as recorded, and for {s['aligned']:.3f} after `time-shift`.",
        ]
    cells.quote("recordings", "\n".join(lines), PAGE)


def _table_of_events() -> list[str]:
    """Lines of the table of events; none before one is measured."""
    lines = [
        "",
        "| series, default call | events apart, as recorded | aligned | besides | seeds |",
        "|---|---|---|---|---|",
    ]
    for kind in EVENTS:
        if s := _scores(kind):
            words = [f"largest move {s['largest_move']:.2f}"]
            if "largest_move_of_blank" in s:
                words.append(f"of a blank {s['largest_move_of_blank']:.2f}")
            if "ari" in s:
                words.append(f"ARI of clusters {s['ari']:.2f}")
            n_seeds = len(list((cells.RESULTS / FOLDER / kind).glob("*.json")))
            numbers = f"{s['recorded']:.2f} | {s['aligned']:.2f}"
            name = f"{kind}{provenance.mark(_results(kind))}"
            lines.append(f"| {name} | {numbers} | {', '.join(words)} | {n_seeds} |")
    return lines if len(lines) > 3 else []


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("lags/0",))


if __name__ == "__main__":
    main()
