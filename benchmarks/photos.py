"""Pictures as people take them, with known maps: poses by the network and after the refinement.

    python -m benchmarks.photos                 cells without a result file, then the page
    python -m benchmarks.photos --cell gain/0   one cell
    python -m benchmarks.photos --quick         a few steps of one cell, written nowhere
    python -m benchmarks.photos --table         the page alone, from the result files

Cells: `CASE/SEED` is the distance of landmarks from their mean place, in pixels, for each call of
`CALLS`; of particles it is the agreement of kinds and the error of angles. `pairs/SEED` is the
error of the map between two views of a digit, turned by up to 45 degrees, by `align(X, to=)`, and
`pairs-circle/SEED` of digits turned by any angle; there 0, 1 and 8 may be half a turn off. The peer
is pystackreg, where it is installed. A new row for another call of `Unwarper` is an entry of
`CALLS`.
"""

from __future__ import annotations

import json
import time
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from sklearn.metrics import adjusted_rand_score

from benchmarks import cells, provenance
from benchmarks.cases.images import (
    CASES,
    Case,
    angle_error,
    angle_errors_of_kinds,
    mirrors_right,
    scatter,
)
from unwarp import Unwarper
from unwarp.core import Array
from unwarp.warps import Rigid2d

FOLDER, PAGE = "photos", "docs/guide/images.md"
SEEDS = (0, 1, 2)
LIGHTS = ("plain", "gain", "dark", "hot", "noise", "few", "scale-4x")
CALLS: dict[str, dict[str, Any]] = {"auto": {}, "rigid": {"warp": "rigid"}}
"""Calls of `Unwarper` by name: its arguments."""

PARTICLES = ("particles", "particles-noisy", "particles-mirrored")
CALLS_OF_PARTICLES: dict[str, dict[str, Any]] = {
    "auto": {},
    "search": {"warp": Rigid2d(rotation=180), "start": "search"},
}
"""The calls for particles: the default, and the search on the full circle by name."""

CALLS_OF_SCALES = {"auto": CALLS["auto"], "similarity": {"warp": "similarity"}}
"""The calls for cells of many sizes."""

N_PAIRS = 200
"""Number of digits with two views."""

PAIRS: dict[str, tuple[float, int]] = {"pairs": (45.0, 1000), "pairs-circle": (180.0, 4000)}
"""Greatest angle in degrees, and number of digits to train on, of cells of pairs."""

LOOK_ALIKE_TURNED = (0, 1, 8)
"""Digits that look the same, or nearly so, after half a turn."""

NAMES = tuple(f"{kind}/{seed}" for kind in (*LIGHTS, *PARTICLES, *PAIRS) for seed in SEEDS)


def measure_case(kind: str, case: Case, steps: int | None) -> cells.Result:
    """Scatter and angle by the network and after the refinement, for each call."""
    scores = {"recorded": round(scatter(np.tile(np.eye(3), (len(case.x), 1, 1)), case)[0], 3)}
    for name, arguments in (CALLS_OF_SCALES if kind == "scale-4x" else CALLS).items():
        started = time.process_time()
        model = Unwarper(**arguments, max_steps=steps, device="cpu").fit(case.x)
        scores[f"{name}_cpu_seconds"] = round(time.process_time() - started, 1)
        scores |= {f"{name}_{key}": value for key, value in _errors(model, case).items()}
    if find_spec("pystackreg"):
        scores["peer"] = round(scatter(peer_matrices(case.x), case)[1], 4)
    return {"scores": scores}


def measure_particles(kind: str, case: Case, steps: int | None) -> cells.Result:
    """Kinds, angles and mirrors of particles, for each call."""
    scores: dict[str, float] = {}
    for name, arguments in CALLS_OF_PARTICLES.items():
        if kind == "particles-mirrored":
            arguments = {**arguments, "warp": Rigid2d(rotation=180, mirror=True)}
        started = time.process_time()
        model = Unwarper(**arguments, max_steps=steps, device="cpu").fit(case.x)
        matrices = model.to_matrix(case.x)
        errors = angle_errors_of_kinds(matrices, case)
        scores |= {
            f"{name}_cpu_seconds": round(time.process_time() - started, 1),
            f"{name}_ari": round(float(adjusted_rand_score(case.kinds, model.labels_)), 4),
            f"{name}_angle": round(float(np.median(errors)), 3),
            f"{name}_angle_90": round(float(np.quantile(errors, 0.9)), 3),
            f"{name}_mirrors": round(mirrors_right(matrices, case), 4),
        }
    return {"scores": scores}


def _errors(model: Unwarper, case: Case) -> dict[str, float]:
    """Scatter and median angle of refined poses, and of learned ones."""
    scores = {"is_refined": float(model.refinement_ is not None)}
    for name in ("refined", "learned"):
        matrices = model.to_matrix(case.x)
        scores[name] = round(scatter(matrices, case)[1], 4)
        scores[f"{name}_angle"] = round(angle_error(matrices, case), 3)
        model.refinement_ = None
    return scores


def peer_matrices(x: Array) -> Array:
    """Maps (N, 3, 3) by pystackreg: rigid registration onto the mean, which is then improved.

    Args:
        x: Images (N, H, W).
    """
    from pystackreg import StackReg

    register = StackReg(StackReg.RIGID_BODY)
    maps = register.register_stack(np.asarray(x, float), reference="mean")
    moved = register.transform_stack(np.asarray(x, float), tmats=maps)
    return np.stack([register.register(moved.mean(0), image) for image in np.asarray(x, float)])


def measure_pairs(kind: str, seed: int, steps: int | None) -> cells.Result:
    """Errors of maps between two views of test digits.

    Args:
        kind: A name of `PAIRS`.
        seed: Seed of the maps.
        steps: Greatest number of training steps; None for the default.
    """
    from unwarp.datasets import load
    from unwarp.warps import deform, to_matrix

    rotation, n_train = PAIRS[kind]
    warp = Rigid2d(rotation, shift=0.15).bind((28, 28))
    generator = torch.Generator().manual_seed(seed)
    train, digits = load("digits", "train").x[:n_train], load("digits", "test")
    test, moving = digits.x[:N_PAIRS], deform(train, warp.sample(len(train), generator)).numpy()
    maps = [warp.sample(len(test), generator) for _ in range(2)]
    first, second = (deform(test, map).numpy() for map in maps)
    truth = to_matrix(maps[1].compose(maps[0].invert()), (28, 28), "pixel").numpy()
    may_turn = (rotation == 180) & np.isin(digits.labels[:N_PAIRS], LOOK_ALIKE_TURNED)
    model = Unwarper(Rigid2d(rotation), max_steps=steps, device="cpu").fit(moving)
    scores: dict[str, float] = {}
    for name, refine in (("registered", "auto"), ("product", "none")):
        model.set_params(refine=refine)
        started = time.process_time()
        errors = _errors_of_pairs(between(model, first, second), truth, may_turn)
        scores[f"{name}_ms"] = round(1e3 * (time.process_time() - started) / len(test), 2)
        scores |= {f"{name}_{key}": value for key, value in errors.items()}
    return {"scores": scores}


def between(model: Unwarper, first: Array, second: Array) -> Array:
    """Maps (N, 3, 3) from the pixels of pictures to those of others, by `align(X, to=)`.

    The coordinates of the pixels are aligned like the picture that they belong to.

    Args:
        model: A trained model.
        first: Pictures (N, 1, H, W).
        second: As many pictures that are aligned to them.
    """
    size = first.shape[2:]
    pixels = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in size[::-1])))
    inner = (slice(None), *(slice(n // 4, -(n // 4)) for n in size))
    design = np.concatenate([pixels[inner].reshape(2, -1), np.ones((1, pixels[inner][0].size))]).T
    result = np.tile(np.eye(3), (len(first), 1, 1))
    for row, (goal, picture) in enumerate(zip(first, second, strict=True)):
        places = model.align(picture[None], other=pixels[None], to=goal)[0][inner].reshape(2, -1)
        result[row, :2] = np.linalg.lstsq(design, places.T, rcond=None)[0].T
    return result


def _errors_of_pairs(matrices: Array, truth: Array, may_turn: Array) -> dict[str, float]:
    """Median errors of angles (degrees) and of the centre (pixels), and the share of lost maps.

    Args:
        matrices: Maps (N, 3, 3).
        truth: True maps (N, 3, 3).
        may_turn: Whether half a turn is no error, for each pair.
    """
    maps = (matrices, truth)
    turns = [np.arctan2(m[:, 0, 1] - m[:, 1, 0], m[:, 0, 0] + m[:, 1, 1]) for m in maps]
    angles = np.abs(np.rad2deg(np.angle(np.exp(1j * np.subtract(*turns)))))
    angles = np.where(may_turn, np.minimum(angles, 180 - angles), angles)
    centre = np.array([13.5, 13.5, 1.0])
    shifts = np.linalg.norm(((matrices - truth) @ centre)[:, :2], axis=1)
    return {
        "angle": round(float(np.median(angles)), 4),
        "angle_90": round(float(np.quantile(angles, 0.9)), 4),
        "shift": round(float(np.median(shifts)), 4),
        "lost": round(float(np.mean(angles > 10)), 4),
    }


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps.
    """
    torch.set_num_threads(1)
    (kind, seed), steps = name.split("/"), 5 if quick else None
    if kind in PAIRS:
        return measure_pairs(kind, int(seed), steps)
    if kind in PARTICLES:
        return measure_particles(kind, CASES[kind](seed=int(seed)), steps)
    return measure_case(kind, CASES[kind](seed=int(seed)), steps)


def _scores(kind: str) -> dict[str, float]:
    """Medians over the seeds of a kind; empty before it is measured."""
    return cells.medians(_results(kind))


def _results(kind: str) -> list[cells.Result]:
    """Results of the seeds of a kind."""
    paths = [cells.RESULTS / FOLDER / f"{kind}/{seed}.json" for seed in SEEDS]
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def table() -> None:
    """Rebuild the table of the page from the result files."""
    lines = [
        "| pictures | as recorded | network | refined | network, named warp | refined | seeds |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for kind in LIGHTS:
        if s := _scores(kind):
            named = "similarity" if kind == "scale-4x" else "rigid"
            keys = (f"{call}_{key}" for call in ("auto", named) for key in ("learned", "refined"))
            n_seeds = len(list((cells.RESULTS / FOLDER / kind).glob("*.json")))
            words = " | ".join(f"{s[key]:.3f}" for key in keys)
            mark = provenance.mark(_results(kind))
            lines.append(f"| {kind}, {named}{mark} | {s['recorded']:.2f} | {words} | {n_seeds} |")
    lines += _table_of_particles()
    lines += [line for kind in PAIRS if _scores(kind) for line in ("", _sentence_of_pairs(kind))]
    cells.quote("photos", "\n".join(lines), PAGE)


def _sentence_of_pairs(kind: str) -> str:
    """The sentence on maps between two views."""
    s, angle = _scores(kind), PAIRS[kind][0]
    rows = " -> ".join(
        f"{s[f'{name}_angle']:.2f} degrees, {s[f'{name}_shift']:.3f} px, "
        f"{s[f'{name}_lost']:.1%} lost by over 10 degrees"
        for name in ("product", "registered")
    )
    return (
        f"The map between two views of a digit, turned by up to {angle:.0f} degrees, by "
        f"`align(X, to=)`: {rows} (without and with registration; medians)."
    )


def _table_of_particles() -> list[str]:
    """Lines of the table of particles."""
    lines = [
        "",
        "| pictures, call | ARI of kinds | angle, median / 90 % (degrees) | mirrors | seeds |",
        "|---|---|---|---|---|",
    ]
    for kind in PARTICLES:
        s, n_seeds = _scores(kind), len(list((cells.RESULTS / FOLDER / kind).glob("*.json")))
        lines += [
            f"| {kind}, {call} | {s[f'{call}_ari']:.2f} | {s[f'{call}_angle']:.1f} / "
            f"{s[f'{call}_angle_90']:.1f} | {s[f'{call}_mirrors']:.0%} | {n_seeds} |"
            for call in CALLS_OF_PARTICLES
            if s
        ]
    return lines if len(lines) > 3 else []


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("plain/0",))


if __name__ == "__main__":
    main()
