"""Features of series that labels choose: a mode that uses the labels of the training part.

    python -m benchmarks.labels                    cells without a result file, then the page
    python -m benchmarks.labels --cell ucr/Trace/0 one cell
    python -m benchmarks.labels --quick            a few steps of one cell, written nowhere
    python -m benchmarks.labels --table            the page alone, from the result files

A cell `ucr/SET/SEED` is `Unwarper(labels="choose")` on the training part of a set with its labels,
and scored once on its test part: 1-NN of series as they are, of content codes (without labels), and
of the features that the labels chose. The rule was set on the sets of `TUNED`, a random half. The
test accuracies of all sets had been seen by then, so the other half is not untouched.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks import cells
from benchmarks.series_sets import OTHER, TUNED, UCR
from unwarp import Unwarper
from unwarp.analysis.embedding import encode
from unwarp.core import Array
from unwarp.datasets import ucr
from unwarp.metrics.neighbours import neighbours

FOLDER, PAGE = "labels", "docs/results/series.md"
SMALL_FIRST = (
    *("Chinatown", "SonyAIBORobotSurface1", "SmoothSubspace", "ItalyPowerDemand", "ECG200"),
    *("BME", "ECGFiveDays", "CBF", "ArrowHead", "FaceFour", "Coffee", "ToeSegmentation1"),
    *("GunPoint", "Wine", "Beef", "OliveOil", "ShapeletSim", "Meat", "PickupGestureWiimoteZ"),
    *("DistalPhalanxTW", "SyntheticControl", "Trace", "PowerCons", "GunPointAgeSpan"),
    *("GesturePebbleZ1", "OSULeaf", "MedicalImages", "GestureMidAirD1", "CricketX"),
)
NAMES = tuple(f"ucr/{name}/0" for name in SMALL_FIRST)

METHODS = {"raw_1nn": "raw", "codes_1nn": "codes, without labels", "chosen_1nn": "chosen by labels"}


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps.
    """
    torch.set_num_threads(1)
    _, where, seed = name.split("/")
    train, test = ucr.load("train", where), ucr.load("test", where)
    labels, truth = np.asarray(train.labels), np.asarray(test.labels)
    started = time.process_time()
    model = Unwarper(
        labels="choose", random_state=int(seed), device="cpu", max_steps=5 if quick else None
    ).fit(train)
    seconds = time.process_time() - started

    def nearest(gallery: Array, queries: Array) -> float:
        flat = (part.reshape(len(part), -1) for part in (gallery, queries))
        gallery, queries = flat
        return float(neighbours(gallery, labels, queries, truth, k=1))

    codes = [encode(model.model_, model.prepare(part))[0].numpy() for part in (train, test)]
    scores = {
        "raw_1nn": nearest(train.x.numpy(), test.x.numpy()),
        "codes_1nn": nearest(*codes),
        "chosen_1nn": nearest(model.transform(train), model.transform(test)),
    }
    choice = model.labels_choice_
    assert choice is not None
    return {
        "cpu_seconds": round(seconds, 1),
        "warp": model.selection_.choice if model.selection_ else "",
        "choice": choice.choice,
        "n_test": len(test),
        "leave_one_out": {key: round(value, 4) for key, value in choice.accuracies.items()},
        "scores": {key: round(value, 4) for key, value in scores.items()},
    }


def results() -> dict[str, dict[str, Any]]:
    """Results of the sets that have a result file, by the name of the set."""
    paths = {name: cells.RESULTS / FOLDER / f"ucr/{name}/0.json" for name in UCR}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}


def half(words: str, names: Sequence[str], measured: dict[str, dict[str, Any]]) -> list[str]:
    """A line with the means of a half of the sets; nothing if none of them was measured.

    Args:
        words: The half in words.
        names: Its sets.
        measured: Results by the name of the set.
    """
    scores = [measured[name]["scores"] for name in names if name in measured]
    if not scores:
        return []
    means = [f"{mean(score[method] for score in scores):.3f}" for method in METHODS]
    return [f"| **{words}** ({len(scores)} of {len(names)}) | | | {' | '.join(means)} |"]


def table() -> None:
    """Rebuild the table of the page from the result files."""
    measured = results()
    lines = [f"| set | warp | features | {' | '.join(METHODS.values())} |", "|---" * 6 + "|"]
    for name, result in measured.items():
        scores = [f"{result['scores'][method]:.3f}" for method in METHODS]
        star = "" if name in OTHER else " (tuned)"
        lines.append(
            f"| {name}{star} | {result['warp']} | {result['choice']} | {' | '.join(scores)} |"
        )
    for words, names in (("tuned half", TUNED), ("other half", OTHER), ("all", UCR)):
        lines += half(words, names, measured)
    cells.quote(FOLDER, "\n".join(lines), PAGE)


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("ucr/Chinatown/0",))


if __name__ == "__main__":
    main()
