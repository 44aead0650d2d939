"""The side of `benchmarks.speed` that measures one version of the library.

It reads names of cases and answers with a JSON line each: seconds of steps, and samples in one.
It runs with this version and with an earlier one, whose modules have other names.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

Case = tuple[Callable[[], Any], int]
"""A function to time, and the number of samples that it handles."""


def first(*places: str) -> Any:
    """The object of the first `module:name` that exists."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"none of {places} exists")


PRESETS = ("unwarp.planning.presets", "unwarp.recipes")
TRAIN = first("unwarp.training.loop:train", "unwarp.training:train")
CALLBACK = first("unwarp.training.callbacks:Callback", "unwarp.training:Quiet")
DATASET = first("unwarp.data.dataset:Dataset", "unwarp.datasets.base:Dataset")


def preset(name: str) -> Any:
    """A tuned recipe by its name."""
    return first(*(f"{place}:{name}" for place in PRESETS))


class Steps(CALLBACK):  # type: ignore[misc]
    """Notes the processor time after each step, and counts the operations of the second one."""

    operations = 0
    """Products and sums of the matrix products of a step, of the last training."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.counter = FlopCounterMode(display=False)

    def on_step(self, state: Any, terms: Any) -> None:
        """Note the time."""
        self.times.append(time.process_time())
        if len(self.times) == 1:
            self.counter.__enter__()
        if len(self.times) == 2:
            self.counter.__exit__(None, None, None)
            Steps.operations = self.counter.get_total_flops()


def training(recipe: Any, data: Any, batch_size: int, steps: int) -> Callable[[], list[float]]:
    """A function that trains and returns the seconds of each step but the first three."""

    def run() -> list[float]:
        model, notes = recipe.build(tuple(data.shape), seed=0), Steps()
        TRAIN(
            model,
            recipe.players(model),
            data,
            steps=steps,
            batch_size=batch_size,
            device="cpu",
            callbacks=[notes],
        )
        return np.diff(notes.times[2:]).tolist()

    return run


def pictures(*shape: int) -> torch.Tensor:
    """Smooth random pictures or series."""
    x = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
    return x.cumsum(-1) / x.shape[-1] if x.ndim == 3 else x


def fitted(warp: str, *shape: int) -> tuple[Any, np.ndarray]:
    """An estimator after a short training with one published code, and samples."""
    from unwarp import Unwarper

    x = pictures(*shape).numpy()
    options = {"max_steps": 3, "n_clusters": 3, "device": "cpu"}
    if "content" in Unwarper().get_params():
        options |= {"content": "joint", "refine": "none"}
    return Unwarper(warp, **options).fit(x), x


def timed(work: Callable[[], Any]) -> Callable[[], list[float]]:
    """A function that returns the processor time of another one."""

    def run() -> list[float]:
        started = time.process_time()
        work()
        return [time.process_time() - started]

    return run


def demo_batch_size() -> int:
    """Digits in a training step of the demo of this version."""
    return 128 if importlib.util.find_spec("unwarp.planning") else 64


def digits(batch_size: int | None = None) -> tuple[Callable[[], list[float]], int]:
    """Training of the recipe of the demo on Affine MNIST; None takes those of its demo."""
    from unwarp.datasets import affine_mnist

    data = affine_mnist.load("train")
    size = batch_size or demo_batch_size()
    return training(preset("DIGITS"), data, size, 40), size


def plain(name: str, batch_size: int, *shape: int) -> tuple[Callable[[], list[float]], int]:
    """Training of a recipe on random samples."""
    recipe = preset(name) if name else first("unwarp.planning.presets:PICTURES", "unwarp:AE")
    recipe = recipe() if isinstance(recipe, type) else recipe
    steps = 6 if shape[-1] > 100 and len(shape) == 4 else 30
    return training(replace(recipe), DATASET(pictures(*shape)), batch_size, steps), batch_size


def inference(warp: str, method: str, *shape: int) -> tuple[Callable[[], list[float]], int]:
    """A method of a trained estimator on samples."""
    estimator, x = fitted(warp, *shape)
    sample = x[: shape[0]]
    return timed(lambda: getattr(estimator, method)(sample)), len(sample)


def latency(warp: str, *shape: int) -> tuple[Callable[[], list[float]], int]:
    """Codes of one sample."""
    estimator, x = fitted(warp, *shape)
    return timed(lambda: [estimator.transform(x[:1]) for _ in range(20)]), 20


def whole_fit() -> tuple[Callable[[], list[float]], int]:
    """A whole fit of Trace by the default call, with the choice how much to warp."""
    from unwarp import Unwarper
    from unwarp.datasets import trace

    x = trace.load("train").x.numpy()[:, 0]
    options = {"n_clusters": 4, "device": "cpu"}
    if "content" in Unwarper().get_params():  # what the earlier version did: no settled codes
        options |= {"content": "joint", "refine": "none", "working_size": None}
    return timed(lambda: Unwarper(**options).fit(x)), 1


CASES: dict[str, Callable[[], tuple[Callable[[], list[float]], int]]] = {
    "train-digits-64": lambda: digits(64),
    "train-digits": digits,
    "train-default-28": lambda: plain("", 64, 512, 1, 28, 28),
    "train-series-128": lambda: plain("SERIES", 64, 256, 1, 128),
    "train-rgb-128": lambda: plain("", 16, 64, 3, 128, 128),
    "embed-pictures-28": lambda: inference("affine", "transform", 1024, 1, 28, 28),
    "align-pictures-28": lambda: inference("affine", "align", 1024, 1, 28, 28),
    "embed-series-128": lambda: inference("time", "transform", 2048, 1, 128),
    "align-series-128": lambda: inference("time", "align", 2048, 1, 128),
    "latency-picture": lambda: latency("affine", 64, 1, 28, 28),
    "latency-series": lambda: latency("time", 64, 1, 128),
    "fit-trace": whole_fit,
}
"""All cases by name."""


def main() -> None:
    torch.set_num_threads(1)
    ready: dict[str, Any] = {}
    for line in sys.stdin:
        name = line.strip()
        if name not in ready:
            ready = {name: CASES[name]()}  # one at a time, so that memory stays small
        run, n = ready[name]
        answer = {"seconds": run(), "samples": n, "operations": Steps.operations}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
