"""Dynamic time warping by dtaidistance (C) and tslearn, to compare with aligned series.

`dtw` gives the accuracy of a nearest neighbour by dynamic time warping, its window learned by
leaving one out on the training part, as the UCR archive does. `speed` aligns 10,000 series to one
template: ours by a network, theirs by a path of dynamic time warping each. `distances` compares all
pairs of series, in a band of 10 %. All of a comparison runs in one process, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.versus_pythae import ROOT, prepare
from unwarp.core import Array
from unwarp.data.dataset import Dataset

PEERS = ("dtaidistance==2.5.1", "tslearn==0.10.0")
WINDOWS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
"""Candidate windows in percent of the length; 0 is the Euclidean distance."""
SERIES, FEW, ROUNDS = 10_000, 500, 3
COMPARED = 200
"""Series of which all pairs are compared."""


@cache
def _environment() -> tempfile.TemporaryDirectory[str]:
    """A folder that lives as long as the process."""
    return tempfile.TemporaryDirectory(prefix="series-peers-")


@cache
def _interpreter() -> Path:
    """Interpreter with the peers installed: `$UNWARP_PEERS`, or a new environment."""
    given = os.environ.get("UNWARP_PEERS")
    return Path(given) if given else prepare(Path(_environment().name), *PEERS)


def asked(*words: Any) -> dict[str, float]:
    """What this module prints last in the scratch environment, run with `words`."""
    alone = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "OMP_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
    }
    command = [str(word) for word in (_interpreter(), "-m", "benchmarks.series_peers", *words)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | alone, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def dtw(known: Dataset, held: Dataset) -> dict[str, float]:
    """1-NN by DTW with a learned window, full DTW, and the seconds of both."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        labels = {
            "train_labels": np.asarray(known.labels, str),
            "test_labels": np.asarray(held.labels, str),
        }
        np.savez(path, train=known.x.numpy(), test=held.x.numpy(), **labels)
        return asked("dtw", path)


def speed(length: int) -> dict[str, float]:
    """Seconds of each library to align 10,000 series, and ratios to ours, by round."""
    return asked("speed", length)


def distances(length: int) -> dict[str, float]:
    """Pairs a second of each library by elastic distances, and the ratio of ours to theirs."""
    return asked("distances", length)


def _distances(x: Array, y: Array, window: int, most: float = np.inf) -> Array:
    """DTW distances (N, M) of series `x` (N, C, T) and `y` (M, C, T), within a window."""
    from dtaidistance import dtw as one
    from dtaidistance import dtw_ndim as many

    both = np.concatenate([x, y]).astype(np.float64)
    if both.shape[1] == 1:
        series, module = list(np.ascontiguousarray(both[:, 0])), one
    else:
        series, module = list(np.ascontiguousarray(both.transpose(0, 2, 1))), many
    block = ((0, len(x)), (len(x), len(both)))
    found = module.distance_matrix_fast(series, window=window + 1, block=block, parallel=False)
    return np.asarray(found)[: len(x), len(x) :]


def _reach(percent: int, length: int) -> int:
    return int(np.ceil(percent / 100 * length))


def _learned_window(train: Array, labels: Array) -> int:
    """The window, in percent, with the best accuracy leaving one out; the narrowest of equals."""
    scores = []
    for percent in WINDOWS:
        distances = _distances(train, train, _reach(percent, train.shape[-1]))
        np.fill_diagonal(distances, np.inf)
        scores.append(float((labels[distances.argmin(1)] == labels).mean()))
    return WINDOWS[int(np.argmax(scores))]


def work_dtw(path: Path) -> dict[str, float]:
    """Read the arrays of a file, classify its test part."""
    with np.load(path, allow_pickle=False) as arrays:
        train, test, own, true = (
            arrays[n] for n in ("train", "test", "train_labels", "test_labels")
        )
    started = time.perf_counter()
    percent, scores = _learned_window(train, own), {}
    for name, share in (("dtw_1nn", percent), ("full_dtw_1nn", 100)):
        nearest = _distances(test, train, _reach(share, train.shape[-1])).argmin(1)
        scores[name] = round(float((own[nearest] == true).mean()), 5)
    return scores | {
        "window_percent": percent,
        "dtw_seconds": round(time.perf_counter() - started, 1),
    }


def contenders(x: Array) -> dict[str, tuple[Callable[[], Any], float]]:
    """Who aligns series `x` (N, T), and what share of them; none is asked to do another's work."""
    from dtaidistance import dtw_barycenter
    from tslearn.metrics import dtw_path

    from unwarp import Unwarper
    from unwarp.planning.presets import SERIES as RECIPE

    model = Unwarper(
        RECIPE.warp, RECIPE, domain="series", max_steps=20, batch_size=20, device="cpu"
    ).fit(x[:200])
    series, template = list(x.astype(np.float64)), x[0].astype(np.float64)
    window, few = x.shape[1] // 10, [row[:, None] for row in series[:FEW]]
    dtw_path(few[0], few[1])  # compiled at its first call

    def by_path(**choices: Any) -> Callable[[], Any]:
        return lambda: dtw_barycenter.dba(series, template, use_c=True, **choices)

    return {
        "unwarp": (lambda: model.align(x), 1.0),
        "dtaidistance": (by_path(), 1.0),
        "dtaidistance_window": (by_path(window=window), 1.0),
        "tslearn": (lambda: [dtw_path(template[:, None], row) for row in few], FEW / len(x)),
    }


def work_speed(length: int) -> dict[str, float]:
    """Rounds in which everybody has one turn."""
    import torch

    from unwarp.datasets import bumps

    torch.set_num_threads(1)
    x = bumps.load("train", n_per_class=SERIES // 4, length=length).x[:, 0].numpy()
    times: dict[str, list[float]] = {}
    who = contenders(x)
    for _ in range(ROUNDS):
        for name, (align, share) in who.items():
            started = time.perf_counter()
            align()
            times.setdefault(name, []).append((time.perf_counter() - started) / share)
    ours = times["unwarp"]
    found = {f"{name}_seconds": round(median(all), 4) for name, all in times.items()}
    rivals = {name: all for name, all in times.items() if name != "unwarp"}
    return found | {
        f"{name}_ratio": round(median(a / b for a, b in zip(all, ours, strict=True)), 3)
        for name, all in rivals.items()
    }


def work_distances(length: int) -> dict[str, float]:
    """Rounds in which both compare all pairs in a band of 10 %: ADTW, and DTW in C."""
    import torch
    from dtaidistance import dtw as one

    from unwarp.datasets import bumps
    from unwarp.distances import ADTW

    torch.set_num_threads(1)
    x = bumps.load("train", n_per_class=COMPARED // 4, length=length).x
    series, window = list(x[:, 0].numpy().astype(np.float64)), length // 10
    ours, distance = list[float](), ADTW(band=0.1)
    theirs, n_pairs = list[float](), COMPARED * (COMPARED - 1) // 2
    for _ in range(ROUNDS):
        started = time.perf_counter()
        distance(x, x)  # both halves of the matrix
        ours.append(COMPARED**2 / (time.perf_counter() - started))
        started = time.perf_counter()
        one.distance_matrix_fast(series, window=window + 1, parallel=False)
        theirs.append(n_pairs / (time.perf_counter() - started))
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return {
        "adtw_pairs": round(median(ours)),
        "dtaidistance_pairs": round(median(theirs)),
        "ratio": round(ratio, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("dtw", "speed", "distances"))
    parser.add_argument(
        "given", help="an .npz file with train and test, or the length of the series"
    )
    words = parser.parse_args()
    work = {"speed": work_speed, "distances": work_distances}
    if words.what == "dtw":
        scores = work_dtw(Path(words.given))
    else:
        scores = work[words.what](int(words.given))
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
