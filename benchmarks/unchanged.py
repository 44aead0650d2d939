"""Whether a change of the code left the numbers as they were: scores, and digests of all weights.

    python -m benchmarks.unchanged --out before.json      50 steps of every job
    python -m benchmarks.unchanged --against before.json  the same, compared with before.json
    python -m benchmarks.unchanged --full --out before.json      whole trainings, a few minutes

Run both on one machine: sums over other numbers of threads differ in their last bits, so one thread
is used. Jobs: both demos, one cell each of bumps, Trace, affine digits and sprites, and 20 steps of
each family; seeds are those of the jobs. Weights are compared in the order in which a model makes
them, whatever their names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import cells, pictures, series, thesis
from unwarp import Affine2d, Model, models, train
from unwarp.app.cli.main import app
from unwarp.datasets import digits

SHORT_STEPS, FAMILY_STEPS = 50, 20
SERIES_CELLS, THESIS_CELLS = (
    ("bumps/smooth/0", "ucr/Trace/auto/0"),
    (
        "affine/beta-vae/warp/0",
        "dsprites/beta-vae/warp/0",
    ),
)
Result = dict[str, Any]


def digest(tensors: Sequence[torch.Tensor]) -> str:
    """A short digest of the bytes of tensors, in their order."""
    state = hashlib.sha256()
    for tensor in tensors:
        state.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return state.hexdigest()[:16]


@contextmanager
def recorded(digests: list[str]) -> Iterator[None]:
    """Record the digest of the weights whenever a training ends by centring a model."""
    centre = Model.centre

    def record(model: Model, x: torch.Tensor) -> None:
        centre(model, x)
        digests.append(digest([*model.parameters(), model.anchor_theta]))

    Model.centre = record  # type: ignore[method-assign]
    try:
        yield
    finally:
        Model.centre = centre  # type: ignore[method-assign]


def demo(*words: str) -> Result:
    """Scores of both models of a demo."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        app(
            ["demo", "--out", str(out), "--quiet", "--device", "cpu", *words], standalone_mode=False
        )
        record = json.loads((out / "metrics.json").read_text())
    return {name: record[name]["scores"] for name in ("warped", "baseline")}


def family(name: str) -> Result:
    """The last logged losses of a family on digits, with an affine warp."""
    recipe = replace(models.recipe_named(name), warp=Affine2d(), n_content=6)
    data = digits.load("train").subset(np.arange(200))
    model = recipe.build(data.shape, seed=1)
    options: Result = {"steps": FAMILY_STEPS, "batch_size": 32, "seed": 1, "device": "cpu"}
    history = train(model, recipe.players(model), data, **options)
    return {key: value for key, value in history.rows[-1].items() if key != "seconds"}


def jobs(steps: int | None) -> dict[str, Callable[[], Result]]:
    """All jobs by name, with trainings of `steps` steps; None for whole ones."""
    words = () if steps is None else ("--steps", str(steps))
    cases: dict[str, Callable[[], Result]] = {
        f"family/{name}": lambda n=name: family(n) for name in models.families()
    }
    for module, names in ((series, SERIES_CELLS), (thesis, THESIS_CELLS)):
        for name in names:
            cases[name] = lambda m=module, n=name: m.cell(n, quick=steps is not None)["scores"]
    return cases | {"demo": lambda: demo(*words), "demo --series": lambda: demo("--series", *words)}


def measure(steps: int | None) -> Result:
    """Scores, digests and seconds of every job."""
    results: Result = {}
    # Figures of the committed result files stay as they are.
    pictures.save = lambda *arguments: None  # type: ignore[assignment]
    for name, job in jobs(steps).items():
        torch.manual_seed(0)
        digests: list[str] = []
        started = time.perf_counter()
        with recorded(digests):
            scores = job()
        results[name] = {"scores": scores, "weights": digests}
        print(
            f"{name}: {len(digests)} training(s), {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
        )
    return results


def differences(before: Result, after: Result) -> list[str]:
    """Names of jobs whose scores or weights differ, or that only one side has."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="whole trainings")
    parser.add_argument("--out", type=Path, help="where to write the numbers")
    parser.add_argument("--against", type=Path, help="numbers of before, to compare with")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    results = json.loads(json.dumps(measure(None if asked.full else SHORT_STEPS)))
    if asked.out:
        cells.write(asked.out, results)
    if asked.against:
        changed = differences(json.loads(asked.against.read_text()), results)
        names = f": {', '.join(changed)}" if changed else ""
        print(f"{len(changed)} of {len(results)} jobs differ{names}")
        sys.exit(bool(changed))


if __name__ == "__main__":
    main()
