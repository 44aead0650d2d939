"""Speed of trainings on a GPU, in at most ten minutes.

    python -m benchmarks.gpu                    cells without a result file, then the table
    python -m benchmarks.gpu --cell digits-256 --again
    python -m benchmarks.gpu --quick            a few steps of one cell, on any device
    python -m benchmarks.gpu --table            the table alone, from the result files

`digits-N` trains the recipe of the demo on Affine MNIST, `rgb-N` the default recipe on colour
pictures of 128 x 128, with batches of N. The share of kernels is the time in which the GPU computes
over that of the steps, by PyTorch's profiler. `mnist-S` trains on all of MNIST, deformed afresh at
each step, for S seconds; accuracy is that of k-means on codes of held-out digits. Result files are
in a folder with the name of the card.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from contextlib import ExitStack
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import cells
from unwarp.analysis.scoring import evaluate
from unwarp.data.dataset import Dataset
from unwarp.data.samples import reference_view
from unwarp.datasets import affine_mnist, mnist
from unwarp.models import Recipe
from unwarp.planning.presets import DIGITS, PICTURES
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train

FOLDER, PAGE = "gpu", "docs/results/speed.md"
CELLS = (
    *(f"{kind}-{n}" for kind in ("digits", "rgb") for n in (256, 1024)),
    *(f"mnist-{seconds}" for seconds in (15, 30, 60)),
)
N_WARM, N_PROFILED, N_TIMED = 20, 20, 100
"""Steps before the first measurement, in the profile, and in the measurement of time."""

MNIST_BATCH, MAX_STEPS, N_REFERENCES = 512, 100_000, 10_000


class Pace(Callback):
    """Measures the time of steps, and the share of it in which the GPU computes."""

    def __init__(self, n_warm: int, n_profiled: int) -> None:
        self.first_profiled, self.first_timed = n_warm, n_warm + n_profiled
        self.seconds = self.profiled_seconds = self.kernel_seconds = 0.0
        self.stack = ExitStack()

    def on_step(self, state: Any, terms: Any) -> None:
        """Begin and end the measurements."""
        done = state.step + 1
        if done == self.first_profiled:
            self.profiled_seconds = -now()
            activities = [ProfilerActivity.CPU, ProfilerActivity.CUDA]
            self.profiler = self.stack.enter_context(profile(activities=activities))
        if done == self.first_timed:
            self.profiled_seconds += now()
            self.stack.close()
            events = self.profiler.key_averages()
            self.kernel_seconds = sum(event.self_device_time_total for event in events) / 1e6
            self.seconds = -now()
        if done == state.steps:
            self.seconds += now()


def now() -> float:
    """Seconds, after the GPU has finished its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def measure_pace(recipe: Recipe, data: Any, batch_size: int, quick: bool) -> dict[str, float]:
    """Images a second of a training, and the share of kernels.

    Args:
        recipe: The recipe.
        data: Training samples.
        batch_size: Samples in a step.
        quick: Whether to run a few steps.
    """
    n_warm, n_profiled, n_timed = (2, 2, 3) if quick else (N_WARM, N_PROFILED, N_TIMED)
    model, pace = recipe.build(tuple(data.shape), seed=0), Pace(n_warm, n_profiled)
    steps = n_warm + n_profiled + n_timed
    players = recipe.players(model)
    train(model, players, data, steps=steps, batch_size=batch_size, callbacks=[pace])
    return {
        "images_per_second": round(batch_size * n_timed / pace.seconds, 1),
        "share_of_kernels": round(pace.kernel_seconds / pace.profiled_seconds, 3),
    }


def measure_accuracy(seconds: float) -> dict[str, float]:
    """Accuracy of clusters of all of MNIST after some seconds of training.

    Args:
        seconds: Time of the training.
    """
    data = affine_mnist.with_random_draws(mnist.load("train"))
    test = affine_mnist.fixed_observations(mnist.load("test"), 2, seed=1)
    model = DIGITS.build(data.shape, seed=0)
    players, options = DIGITS.players(model), {"batch_size": MNIST_BATCH, "seconds": seconds}
    history = train(model, players, data, steps=MAX_STEPS, **options)
    report = evaluate(model, test, reference_view(data, N_REFERENCES), only=("kmeans", "recovery"))
    scores = {name: round(float(value), 4) for name, value in report.scores.items()}
    return scores | {"steps": history.steps, "seconds": round(history.seconds, 1)}


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to run a few steps.
    """
    kind, _, number = name.partition("-")
    if kind == "mnist":
        return {"scores": measure_accuracy(float(number)), "card": card()}
    if kind == "digits":
        return {
            "scores": measure_pace(DIGITS, affine_mnist.load("train"), int(number), quick),
            "card": card(),
        }
    pictures = torch.rand(2048 // (64 if quick else 1), 3, 128, 128)
    return {
        "scores": measure_pace(PICTURES, Dataset(pictures), int(number), quick),
        "card": card(),
    }


def card() -> str:
    """Name of the GPU, or `cpu`."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def table() -> None:
    """Write the lines of all result files."""
    lines = [
        "| card | case | images/s | share of kernels | k-means accuracy |",
        "|---|---|---|---|---|",
    ]
    paths = sorted((cells.RESULTS / FOLDER).glob("*/*.json"))
    for path in paths:
        result = json.loads(path.read_text())
        scores = result["scores"]
        pace = f"{scores['images_per_second']:,.0f}" if "images_per_second" in scores else ""
        share = f"{scores['share_of_kernels']:.0%}" if "share_of_kernels" in scores else ""
        accuracy = f"{scores['acc']:.3f}" if "acc" in scores else ""
        lines.append(f"| {result['card']} | {path.stem} | {pace} | {share} | {accuracy} |")
    cells.quote("gpu", "\n".join(lines) if paths else "Not measured on a GPU yet.", PAGE)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cell", choices=CELLS, action="append")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--table", action="store_true", help="only write the table")
    words = parser.parse_args()
    if words.quick:
        print("digits-256", cell("digits-256", quick=True)["scores"])
        return
    if not words.table:
        if not torch.cuda.is_available():
            parser.error("there is no GPU; --quick runs on any device")
        folder = f"{FOLDER}/{re.sub('[^a-z0-9]+', '-', card().lower()).strip('-')}"
        for name in words.cell or CELLS:
            cells.run(folder, name, lambda name=name: cell(name), again=words.again)
    table()


if __name__ == "__main__":
    main()
