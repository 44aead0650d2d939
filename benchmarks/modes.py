"""All poses that explain a picture: how often their sets hold the truth, and their sizes.

    python -m benchmarks.modes                     cells without a result file, then the page
    python -m benchmarks.modes --cell circle/0     one cell
    python -m benchmarks.modes --quick             a few steps of one cell, written nowhere
    python -m benchmarks.modes --table             the page alone, from the result files

Cells: `circle/SEED` (digits turned by any angle), `noise/SEED` (digits turned by up to 45 degrees,
with noise of standard deviation .2) and `particles/SEED` (two views of a particle, as much noise as
signal). The set of a picture are the fewest modes of `pose_modes` with weights that sum to .9.
Pictures are other ones than those of the training. They are seen several times under known maps:
the set of a view holds the truth if it has a mode within 10 degrees of the truth by the best mode
of the first view (`pairs`), or by the angle that most views agree on (`coverage`). The digits have
no angle of their own, and two views of a thing may both be wrong.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks import cells, provenance
from benchmarks.cases.images import particles, repeat_particles
from unwarp import Rigid2d, Unwarper
from unwarp.core import Array

FOLDER, PAGE = "modes", "docs/guide/images.md"
SEEDS = (0, 1, 2)
RANGES = {"circle": 180.0, "noise": 45.0, "particles": 180.0}
"""Largest angles in degrees, by the name of the cells."""

WORDS = {
    "circle": "digits at any angle",
    "noise": "digits, up to 45 degrees, noise .2",
    "particles": "particles at any angle, SNR 1",
}
N_TRAIN, N_TEST, N_VIEWS = 1500, 100, 6
"""Number of digits to train on, of things to test on, and of views of each."""

NOISE, MAX_ERROR_DEG, SHARE_OF_SET = 0.2, 10.0, 0.9
NAMES = (*(f"{kind}/{seed}" for kind in RANGES for seed in SEEDS),)


def digits(kind: str, seed: int) -> tuple[Array, Array, Array]:
    """Digits to train on, and views of others.

    Args:
        kind: `circle` or `noise`.
        seed: Seed of the selection, of the maps and of the noise.

    Returns:
        Pictures to train on, views (V, M, 1, H, W), and their angles in degrees (V, M).
    """
    from unwarp.datasets import load
    from unwarp.warps import deform

    generator = torch.Generator().manual_seed(seed)
    warp = Rigid2d(RANGES[kind], shift=0.15).bind((28, 28))

    def seen(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        map = warp.sample(len(x), generator)
        noise = torch.randn(x.shape, generator=generator) * NOISE * (kind == "noise")
        return deform(x, map) + noise, torch.rad2deg(warp.theta(map)[:, 0])

    train, test = load("digits", "train").x, load("digits", "test").x
    train = train[torch.randperm(len(train), generator=generator)[:N_TRAIN]]
    test = test[torch.randperm(len(test), generator=generator)[:N_TEST]]
    views = [seen(test) for _ in range(N_VIEWS)]
    x, angles = (torch.stack(part).numpy() for part in zip(*views, strict=True))
    return seen(train)[0].numpy(), x, angles


def observed(kind: str, seed: int) -> tuple[Array, Array, Array]:
    """Pictures to train on, views (V, M, ...) of others, and their angles (V, M) in degrees."""
    if kind != "particles":
        return digits(kind, seed)
    x, angles = repeat_particles(seed, N_TEST, N_VIEWS)
    return particles(seed).x, x, angles


def sets(tables: list[pd.DataFrame]) -> list[Array]:
    """Angles in degrees of the fewest modes with weights that sum to .9, the best first."""
    result = []
    for table in tables:
        total = np.cumsum(table["weight"].to_numpy(float))
        n = int((total < SHARE_OF_SET - 1e-6).sum()) + 1
        result.append(table["rotation_deg"].to_numpy(float)[:n])
    return result


def difference(a: Array, b: Array) -> Array:
    """Absolute differences of angles in degrees, 0 to 180."""
    return np.asarray(np.abs((a - b + 180) % 360 - 180))


def common_angle(offsets: Array) -> Array:
    """Angle (M,) near most of V angles of each thing.

    Args:
        offsets: Angles (V, M) in degrees.
    """
    near = difference(offsets[:, None], offsets[None]) <= MAX_ERROR_DEG
    best = near.sum(0).argmax(0)
    centre = np.take_along_axis(offsets, best[None], 0)
    distance = (offsets - centre + 180) % 360 - 180
    is_near = np.abs(distance) <= MAX_ERROR_DEG
    return np.asarray(centre[0] + (distance * is_near).sum(0) / is_near.sum(0))


def measure(kind: str, seed: int, steps: int | None) -> cells.Result:
    """Coverage and size of the sets of modes."""
    train, views, angles = observed(kind, seed)
    started = time.process_time()
    arguments: dict[str, Any] = {"max_steps": steps, "device": "cpu"}
    model = Unwarper(Rigid2d(RANGES[kind]), **arguments).fit(train)
    fitted = time.process_time()
    tables = model.pose_modes(views.reshape(-1, *views.shape[2:]))
    seconds = time.process_time() - fitted
    flat, shape = sets(tables), angles.shape
    offsets = np.array([modes[0] for modes in flat]).reshape(shape) - angles
    truths = {"pairs": angles + offsets[:1], "coverage": angles + common_angle(offsets)}
    scores = {"size": round(float(np.mean([len(modes) for modes in flat])), 3)}
    scores["modes"] = round(float(np.mean([len(table) for table in tables])), 3)
    for name, truth in truths.items():
        pairs = list(zip(flat, truth.flatten(), strict=True))[N_TEST if name == "pairs" else 0 :]
        hits = [difference(modes, goal) <= MAX_ERROR_DEG for modes, goal in pairs]
        scores[name] = round(float(np.mean([hit.any() for hit in hits])), 4)
        scores[f"{name}_best"] = round(float(np.mean([hit[0] for hit in hits])), 4)
    scores["temperature"] = float(f"{model.mode_temperature_:.3g}")
    scores["fit_cpu_seconds"] = round(fitted - started, 1)
    scores["ms_a_picture"] = round(1e3 * seconds / len(flat), 2)
    return {"scores": scores}


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps.
    """
    torch.set_num_threads(1)
    kind, seed = name.split("/")
    return measure(kind, int(seed), 5 if quick else None)


def table() -> None:
    """Rebuild the table of the page from the result files."""
    lines = [
        "| pictures | best mode right | set right | modes in the set | against one other view: "
        "best | set | seeds |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, words in WORDS.items():
        paths = sorted((cells.RESULTS / FOLDER / kind).glob("*.json"))
        if paths:
            results = [json.loads(path.read_text()) for path in paths]
            s, words = cells.medians(results), words + provenance.mark(results)
            keys = ("coverage_best", "coverage", "size", "pairs_best", "pairs")
            numbers = " | ".join(
                f"{s[key]:.2f}" if key == "size" else f"{s[key]:.1%}" for key in keys
            )
            lines.append(f"| {words} | {numbers} | {len(paths)} |")
    cells.quote("modes", "\n".join(lines), PAGE)


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("particles/0",))


if __name__ == "__main__":
    main()
