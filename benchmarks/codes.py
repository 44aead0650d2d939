"""Content codes, elastic distances and clusters of series, by the default call.

    python -m benchmarks.codes                    cells without a result file, then the page
    python -m benchmarks.codes --cell ucr/Trace/0 one cell
    python -m benchmarks.codes --quick            a few steps of one cell, written nowhere
    python -m benchmarks.codes --table            the page alone, from the result files

A cell `ucr/SET/SEED` or `uea/SET/SEED` is `Unwarper()` on the training part of a set, without
labels, and scored once on its test part: 1-NN of series as they are, of aligned series, of codes,
and by the elastic distance to the training series; the accuracy of `predict` with the true number
of classes, classes matched to clusters; and the mean correlation of a series with the mean of the
others of its class, as they are and aligned. The distance and the codes were chosen by looking at
the 29 UCR sets.

A cell `fast/SET/0` is `Unwarper(fast=True)`: 1-NN of measured and of predicted codes of the same
model, and microseconds of `transform` for a test series on one thread. A cell `kshape/SET/0` is the
accuracy of k-Shape (`benchmarks.kshape`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks import cells
from benchmarks.kshape import comparison, kshape_cell
from benchmarks.series_sets import OTHER, SETS, TUNED, UCR, UEA
from unwarp import Unwarper
from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.datasets import ucr, uea
from unwarp.metrics.clustering import accuracy
from unwarp.metrics.elastic import values_and_slopes
from unwarp.metrics.neighbours import neighbours
from unwarp.models.distilled import DistilledCode

FOLDER, PAGE = "codes", "docs/results/series.md"
SEEDS = (0, 1, 2)
FAST = ("ucr/CBF", "ucr/FaceFour", "ucr/SyntheticControl", "ucr/Trace")
"""Sets on which predicted codes are compared with measured ones."""

ARCHIVES: dict[str, Callable[..., Dataset]] = {"ucr": ucr.load, "uea": uea.load}
UNEQUAL = ("GestureMidAirD1", "GesturePebbleZ1", "PickupGestureWiimoteZ")
"""Sets of unequal lengths, which published tables of clusters leave out."""

EQUAL = tuple(name for name in UCR if name not in UNEQUAL)
NAMES = (
    *(f"{name}/{seed}" for seed in SEEDS for name in SETS),
    *(f"fast/{name.split('/')[1]}/0" for name in FAST),
    *(f"kshape/{name}/0" for name in EQUAL),
)

METHODS = {
    "raw_1nn": "Euclidean, raw",
    "aligned_1nn": "Euclidean, aligned",
    "codes_1nn": "codes",
    "distance_1nn": "elastic distance",
}
MAX_HARM, MAX_SAMPLES = 0.02, 2
"""A set is harmed if its accuracy falls by more than this, and by more than so many samples."""


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps.
    """
    torch.set_num_threads(1)
    archive, where, seed = name.split("/")
    if archive == "fast":
        return fast_cell(where, quick)
    if archive == "kshape":
        return kshape_cell(where, quick)
    train, test = (ARCHIVES[archive](part, where) for part in ("train", "test"))
    labels, truth = np.asarray(train.labels), np.asarray(test.labels)
    n_classes, started = len(np.unique(labels)), time.process_time()
    model = Unwarper(
        n_clusters=n_classes,
        random_state=int(seed),
        device="cpu",
        max_steps=5 if quick else None,
    ).fit(train)
    seconds = time.process_time() - started
    known, asked = (part.x.numpy() for part in (train, test))

    def nearest(gallery: Array, queries: Array) -> float:
        pair = (part.reshape(len(part), -1) for part in (gallery, queries))
        gallery, queries = pair
        return float(neighbours(gallery, labels, queries, truth, k=1))

    gallery, queries = model.align(train), model.align(test)
    distances = values_and_slopes(asked, known, known[:128])
    scores = {
        "raw_1nn": nearest(known, asked),
        "aligned_1nn": nearest(gallery, queries),
        "codes_1nn": nearest(model.transform(train), model.transform(test)),
        "distance_1nn": float((labels[distances.argmin(1)] == truth).mean()),
        "clusters_acc": float(accuracy(model.predict(test), truth)),
        "raw_correlation": class_correlation(asked, truth),
        "aligned_correlation": class_correlation(queries, truth),
    }
    choice = model.selection_.choice if model.selection_ else ""
    return {
        "cpu_seconds": round(seconds, 1),
        "choice": choice,
        "n_test": len(test),
        "scores": {key: round(value, 4) for key, value in scores.items()},
    }


def class_correlation(x: Array, labels: Array) -> float:
    """Mean correlation of a series with the mean of the others of its class.

    Args:
        x: Series (N, C, T) without gaps.
        labels: Class of each series (N,).
    """
    values = x.reshape(len(x), -1)
    found = []
    for label in np.unique(labels):
        part = values[labels == label]
        others = (part.sum(0) - part) / max(len(part) - 1, 1)
        pairs = zip(part, others, strict=True) if len(part) > 1 else ()
        found += [np.corrcoef(*pair)[0, 1] for pair in pairs if min(map(np.std, pair)) > 0]
    return float(np.mean(found))


def fast_cell(where: str, quick: bool = False) -> cells.Result:
    """The result of predicted codes on a UCR set.

    Args:
        where: Name of the set.
        quick: Whether to train for a few steps.
    """
    train, test = (ucr.load(part, where) for part in ("train", "test"))
    classes = [np.asarray(part.labels) for part in (train, test)]
    model = Unwarper(fast=True, device="cpu", max_steps=5 if quick else None).fit(train)
    loss, content = model.fast_loss_, model.model_.encoder.content
    assert loss is not None and isinstance(content, DistilledCode)
    scores: dict[str, float] = {"error": loss.error, "neighbours": loss.neighbours}
    for words, is_distilled in (("measured", False), ("fast", True)):
        content.is_distilled.fill_(is_distilled)
        gallery, started = model.transform(train), time.process_time()
        queries = model.transform(test)
        scores[f"{words}_us"] = 1e6 * (time.process_time() - started) / len(test)
        nearest = neighbours(gallery, classes[0], queries, classes[1], k=1)
        scores[f"{words}_1nn"] = float(nearest)
    choice = model.selection_.choice if model.selection_ else ""
    scores = {key: round(value, 4) for key, value in scores.items()}
    return {"choice": choice, "n_test": len(test), "scores": scores}


def fast_table() -> list[str]:
    """Lines of the table of predicted codes."""
    heads = ["set", "warp", "1-NN, measured", "fast", "microseconds, measured", "fast"]
    heads += ["error of held-out codes", "neighbours kept"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in FAST:
        path = cells.RESULTS / FOLDER / f"fast/{name.split('/')[1]}/0.json"
        if not path.is_file():
            continue
        result = json.loads(path.read_text())
        scores = result["scores"]
        numbers = [f"{scores[key]:.3f}" for key in ("measured_1nn", "fast_1nn")]
        numbers += [f"{scores[key]:.0f}" for key in ("measured_us", "fast_us")]
        numbers += [f"{scores[key]:.2f}" for key in ("error", "neighbours")]
        lines.append(f"| {' | '.join([name.split('/')[1], result['choice'], *numbers])} |")
    return lines


def rows() -> list[dict[str, Any]]:
    """Medians over seeds for each set that has result files."""
    found = []
    for name in SETS:
        paths = [cells.RESULTS / FOLDER / f"{name}/{seed}.json" for seed in SEEDS]
        results = [json.loads(path.read_text()) for path in paths if path.is_file()]
        if results:
            choices = sorted({result["choice"] for result in results})
            seconds = float(np.median([result["cpu_seconds"] for result in results]))
            about = {"set": name.split("/")[1], "choice": ", ".join(choices), "seconds": seconds}
            about |= {"n_test": results[0]["n_test"], "seeds": len(results)}
            found.append(about | cells.medians(results))
    return found


def is_harmed(row: dict[str, Any], method: str) -> bool:
    """Whether a method is worse than raw series on a set."""
    loss = row["raw_1nn"] - row[method]
    return loss > MAX_HARM and loss * row["n_test"] > MAX_SAMPLES


def table() -> None:
    """Rebuild the tables of the page from the result files."""
    found = rows()
    measured = [row for row in found if row["set"] in UCR]
    lines = lines_of(measured)
    for words, names in (("half of tuning", TUNED), ("other half", OTHER), ("all", UCR)):
        lines += mean_lines(words, [row for row in measured if row["set"] in names])
    cells.quote("codes", "\n".join([*lines, *kshape_lines(measured)]), PAGE)
    several = [row for row in found if row["set"] in UEA]
    cells.quote("codes-channels", "\n".join(lines_of(several)), PAGE)
    cells.quote("codes", "\n".join(summary(measured)))
    cells.quote("codes-fast", "\n".join(fast_table()), "docs/guide/series.md")


def mean_lines(words: str, measured: list[dict[str, Any]]) -> list[str]:
    """Lines with means and numbers of harmed sets; none without results.

    Args:
        words: The sets in words.
        measured: Rows of these sets.
    """
    if not measured:
        return []
    means = [f"{mean(row[m] for row in measured):.3f}" for m in METHODS]
    harmed = [str(sum(is_harmed(row, m) for row in measured)) for m in METHODS]
    equal = [row["clusters_acc"] for row in measured if row["set"] not in UNEQUAL]
    return [
        f"| **mean, {words}** | | {' | '.join(means)} | {mean(equal):.3f} (of {len(equal)}) | | |",
        f"| **harmed, {words}** | | {' | '.join(harmed)} | | | |",
    ]


def kshape_lines(measured: list[dict[str, Any]]) -> list[str]:
    """A sentence on clusters beside those of k-Shape; none without results."""
    scores = {}
    for row in measured:
        path = cells.RESULTS / FOLDER / f"kshape/{row['set']}/0.json"
        if path.is_file():
            other = json.loads(path.read_text())["scores"]["clusters_acc"]
            scores[row["set"]] = (row["clusters_acc"], other)
    return ["", comparison(scores)] if scores else []


def lines_of(measured: list[dict[str, Any]]) -> list[str]:
    """Lines of a table with a row a set."""
    heads = ["set", "warp", *METHODS.values(), "clusters", "correlation", "CPU s"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in measured:
        scores = [f"{row[m]:.3f}{'*' if is_harmed(row, m) else ''}" for m in METHODS]
        own = [row["set"], row["choice"], *scores, f"{row['clusters_acc']:.3f}", rise_of(row)]
        lines.append(f"| {' | '.join(own)} | {row['seconds']:.0f} |")
    return lines


def rise_of(row: dict[str, Any]) -> str:
    """Correlation with the class, as recorded and aligned, in words; a dash if unmeasured."""
    if "aligned_correlation" not in row:
        return "-"
    return f"{row['raw_correlation']:.3f} to {row['aligned_correlation']:.3f}"


def summary(measured: list[dict[str, Any]]) -> list[str]:
    """Lines of the table of the README."""
    lines = ["| 1-NN, default call | mean over 29 sets | sets harmed |", "|---|---|---|"]
    for method, words in METHODS.items() if len(measured) == len(UCR) else ():
        harmed = sum(is_harmed(row, method) for row in measured)
        lines.append(f"| {words} | {mean(row[method] for row in measured):.3f} | {harmed} |")
    return lines + [dtw_line(measured)] * (len(lines) > 2)


def dtw_line(measured: list[dict[str, Any]]) -> str:
    """The line of DTW, from the result files of `benchmarks.series`."""
    paths = (cells.RESULTS / f"series/ucr/{row['set']}/dtw/0.json" for row in measured)
    scores = (json.loads(path.read_text())["scores"] for path in paths)
    dtw = [row | score for row, score in zip(measured, scores, strict=True)]
    harmed, average = sum(is_harmed(row, "dtw_1nn") for row in dtw), mean(r["dtw_1nn"] for r in dtw)
    return f"| DTW, window learned from labels | {average:.3f} | {harmed} |"


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(
        __doc__, FOLDER, NAMES, cell, table, quick=("ucr/Chinatown/0", "fast/SyntheticControl/0")
    )


if __name__ == "__main__":
    main()
