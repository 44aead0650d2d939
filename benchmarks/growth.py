"""Growth of processor time with the number of samples, their length and the side of pictures.

`benchmarks.scale` runs this as the cell `growth`. An exponent of 1 means that twice the size takes
twice the time; it is the slope of a line through logarithms of time and size.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks import cells

NUMBERS = 1000, 2000, 4000, 8000, 16000
LENGTHS = 64, 128, 256, 512, 1024
SIDES = 28, 40, 48, 56, 64, 96, 128
"""Sizes at which time is measured: pictures, time steps, pixels a side."""

BATCH_SIZE = 32
ROUNDS = 3


def measure_growth(quick: bool = False) -> cells.Result:
    """Exponents of the time of an alignment and of training steps.

    Args:
        quick: Whether to measure two small sizes of each kind, once.
    """
    torch.set_num_threads(1)
    kinds: dict[str, tuple[Sequence[int], Callable[[int], Callable[[], float]]]] = {
        "number": (NUMBERS, _alignment),
        "length": (LENGTHS, _step_of_series),
        "side": (SIDES, _step_of_pictures),
    }
    scores: dict[str, float] = {}
    for kind, (sizes, make) in kinds.items():
        sizes = sizes[:2] if quick else sizes
        works = [make(size) for size in sizes]
        seconds = [median(work() for _ in range(1 if quick else ROUNDS)) for work in works]
        x, y = np.log(sizes), np.log(seconds)
        scores[f"{kind}_exponent"] = round(float(np.polyfit(x, y, 1)[0]), 3)
        scores[f"{kind}_steepest"] = round(float((np.diff(y) / np.diff(x)).max()), 3)
        for size, t in zip(sizes, seconds, strict=True):
            scores[f"{kind}_{size}_ms"] = round(1e3 * t, 3)
    return {"scores": scores, "sizes": {kind: list(sizes) for kind, (sizes, _) in kinds.items()}}


def _alignment(number: int) -> Callable[[], float]:
    """A function that aligns pictures of 28 x 28 and returns the seconds."""
    from unwarp import Unwarper

    x = np.random.default_rng(0).random((number, 28, 28), dtype=np.float32)
    options: dict[str, Any] = {"max_steps": 3, "n_clusters": 3, "device": "cpu", "refine": "none"}
    model = Unwarper("affine", content="joint", **options).fit(x[:64])

    def align() -> float:
        started = time.process_time()
        model.align(x)
        return time.process_time() - started

    return align


def _step_of_series(length: int) -> Callable[[], float]:
    """A function that trains on series of a length and returns the seconds of a step."""
    from unwarp.planning.presets import SERIES

    return _training(SERIES, (1, length))


def _step_of_pictures(side: int) -> Callable[[], float]:
    """A function that trains on square pictures and returns the seconds of a step."""
    from unwarp.planning.presets import PICTURES

    return _training(PICTURES, (1, side, side))


def _training(recipe: Any, shape: tuple[int, ...]) -> Callable[[], float]:
    """A function that trains for some steps and returns the median seconds of a step."""
    from unwarp.data.dataset import Dataset
    from unwarp.training.callbacks import Callback
    from unwarp.training.loop import train

    data = Dataset(torch.rand(64, *shape, generator=torch.Generator().manual_seed(0)))

    class Clock(Callback):
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_step(self, state: object, terms: object) -> None:
            self.times.append(time.process_time())

    def run() -> float:
        model, clock = recipe.build(data.shape, seed=0), Clock()
        players, options = recipe.players(model), {"batch_size": BATCH_SIZE, "device": "cpu"}
        train(model, players, data, steps=8, callbacks=[clock], **options)
        return float(np.median(np.diff(clock.times[1:])))

    return run


def growth_line(scores: dict[str, float]) -> str:
    """A line for people with the exponents and the steepest part of each.

    Args:
        scores: Scores of the cell.
    """
    powers, steepest = (
        [scores[f"{kind}_{name}"] for kind in ("number", "length", "side")]
        for name in ("exponent", "steepest")
    )
    return (
        "* The time of an alignment grows with the number of pictures to the power "
        f"{powers[0]:.2f}; that of a training step with the length of series to the power "
        f"{powers[1]:.2f}, and with the side of pictures to the power {powers[2]:.2f}. From one "
        f"size to the next the power is at most {steepest[0]:.2f}, {steepest[1]:.2f} and "
        f"{steepest[2]:.2f}."
    )
