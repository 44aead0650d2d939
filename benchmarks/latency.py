"""Time for one sample: the estimator, the compiled model, and ONNX Runtime on exported functions.

    python -m benchmarks.latency [--cell NAME] [--again] [--table]

All take turns in one process with one thread; each figure is the median over rounds. The estimator
checks and scales a sample. The compiled model takes a scaled one, and has a graph for one sample;
`torch.compile` needs a C++ compiler. Differences are the largest ones from the estimator's results.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks import cells
from benchmarks.speed_worker import fitted
from unwarp import Unwarper
from unwarp.estimators.export import export

FOLDER = "latency"
PAGE = "docs/guide/export.md"
SHAPES = {"affine": (64, 1, 28, 28), "time": (64, 1, 128)}
NAMES = {"affine": "picture of 28 x 28", "time": "series of 128 time steps"}
FUNCTIONS = {"transform": "embed", "align": "align"}
"""Methods of the estimator, and functions of the exported folder."""


def first_output(session: Any, name: str, x: np.ndarray) -> np.ndarray:
    """The output of an exported function for samples."""
    (output,) = session.run([name], {"samples": x})
    return np.asarray(output)


def exported(unwarper: Unwarper, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    """A call of ONNX Runtime for each function, on one sample."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    calls: dict[str, Callable[[], Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        export(unwarper, f"{folder}/out", functions=list(FUNCTIONS.values()))
        for method, name in FUNCTIONS.items():
            session = onnxruntime.InferenceSession(f"{folder}/out/{name}.onnx", options)
            calls[f"onnx_{method}"] = partial(first_output, session, name, x)
    return calls


def compiled(unwarper: Unwarper, x: np.ndarray) -> Callable[[], np.ndarray]:
    """A call of the compiled model for content codes of samples, which are scaled before."""
    encode, scaled = torch.compile(unwarper.model_.encode_content), unwarper.prepare(x)

    def call() -> np.ndarray:
        with torch.no_grad():
            return np.asarray(encode(scaled))

    return call


def milliseconds(call: Callable[[], Any], n: int) -> float:
    """Processor time of one call, of `n` in a row."""
    started = time.process_time()
    for _ in range(n):
        call()
    return 1e3 * (time.process_time() - started) / n


def calls_of(warp: str, compiles: bool) -> dict[str, Callable[[], Any]]:
    """All calls on one sample, by name."""
    unwarper, x = fitted(warp, *SHAPES[warp])
    one = x[:1]
    calls = exported(unwarper, one)
    calls |= {method: partial(getattr(unwarper, method), one) for method in FUNCTIONS}
    if compiles:
        calls["compiled_transform"] = compiled(unwarper, one)
    return calls


def cell(warp: str, quick: bool = False) -> cells.Result:
    """Milliseconds of each call, and differences of results."""
    torch.set_num_threads(1)
    calls = calls_of(warp, compiles=not quick)
    results = {name: np.asarray(call()) for name, call in calls.items()}
    scores: dict[str, float] = {}
    rounds = [
        {name: milliseconds(call, 20) for name, call in calls.items()}
        for _ in range(2 if quick else 21)
    ]
    for name in calls:
        scores[f"{name}_ms"] = round(median(times[name] for times in rounds), 3)
        base = results[name.rpartition("_")[2]]
        if results[name] is not base:
            scores[f"{name}_difference"] = float(f"{np.abs(results[name] - base).max():.2g}")
    return {"scores": scores, "rounds": len(rounds)}


def table() -> None:
    """Write the table of all result files."""
    lines = [
        "| one sample | `transform` | compiled | ONNX Runtime | `align` | ONNX Runtime |",
        "|---|---|---|---|---|---|",
    ]
    columns = ("transform", "compiled_transform", "onnx_transform", "align", "onnx_align")
    for warp, name in NAMES.items():
        path = cells.RESULTS / FOLDER / f"{warp}.json"
        if path.is_file():
            scores = json.loads(path.read_text())["scores"]
            texts = [f"{scores[f'{column}_ms']:.2f} ms" for column in columns]
            lines.append(f"| {name} | {' | '.join(texts)} |")
    cells.quote("latency", "\n".join(lines), PAGE)


if __name__ == "__main__":
    cells.command(__doc__, FOLDER, tuple(SHAPES), cell, table, quick=("time",))
