"""Content codes of pictures by the default call: do they tell kinds apart, and is a warp used?

    python -m benchmarks.pictures_codes                           missing cells, then the page
    python -m benchmarks.pictures_codes --cell glyphs-codes/0     one cell
    python -m benchmarks.pictures_codes --quick                   a few steps, written nowhere
    python -m benchmarks.pictures_codes --table                   the page alone

Cells: `DATA-codes/SEED`. `fashion-upright` is 4,000 images of Fashion-MNIST as published,
`fashion-affine` the same with the deformation of Affine MNIST, anywhere in 40 pixels; `glyphs` is
100 characters of random strokes with 30 images each, `digits` is 4,000 digits of Affine MNIST,
`mnist` all 60,000, and `circle` 4,000 digits turned by any angle, for which the call names an
affine warp of the full circle; there `merged` counts a 6 and a 9 as one class. Test images of the
deformed sets are observed twice. The seed is that of the data and of the training. Scores are of
held-out pictures; classes are used only there, and the number of classes for clusters: those of
`predict`, and those of k-means on codes. Raw and deskewed pixels stand beside them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks import cells, provenance, thesis
from benchmarks.cases import images
from unwarp import Unwarper
from unwarp.analysis.embedding import embed
from unwarp.analysis.scoring import dataset_inputs, evaluate, score
from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.datasets import load
from unwarp.datasets.affine_mnist import Nuisance, fixed_observations
from unwarp.estimators.neighbours import NeighbourClusters
from unwarp.metrics.clustering import accuracy, nmi
from unwarp.warps import Affine2d

FOLDER, PAGE, SEEDS = "photos", "docs/guide/images.md", (0, 1, 2)
N_TRAIN, N_TEST, STEPS_OF_QUICK_RUN = 4000, 2000, 20
SCORES = ("neighbours", "linear", "kmeans", "recovery")
Parts = tuple[Dataset, Dataset]


def clothes(seed: int, is_moved: bool) -> Parts:
    """Images of clothing to train on and to test.

    Args:
        seed: Seed of the selection and of the maps.
        is_moved: Whether they are deformed.
    """
    parts = []
    for i, (name, n) in enumerate((("train", N_TRAIN), ("test", N_TEST))):
        data = load("fashion-mnist", name)
        generator = torch.Generator().manual_seed(2 * seed + i)
        part = data.subset(torch.randperm(len(data), generator=generator)[:n])
        part = Dataset(part.x, labels=part.labels)
        parts.append(fixed_observations(part, 1 + i, seed=2 * seed + i) if is_moved else part)
    return parts[0], parts[1]


def glyphs(seed: int) -> Parts:
    """Characters: three quarters of each kind to train on, the rest to test."""
    case = images.glyphs(seed)
    x, is_test = torch.from_numpy(case.x[:, None] / 255).float(), np.arange(len(case.x)) % 4 == 3
    return Dataset(x[~is_test], labels=case.kinds[~is_test]), Dataset(
        x[is_test], labels=case.kinds[is_test]
    )


def digits(name: str, seed: int, nuisance: Nuisance) -> Parts:
    """Deformed digits, each observed once, and test digits, each observed twice.

    Args:
        name: Data set of the digits, `digits` or `mnist`.
        seed: Seed of the maps of training digits.
        nuisance: Distribution of the maps.
    """
    train = fixed_observations(load(name, "train"), 1, seed=2 + seed, nuisance=nuisance)
    test = fixed_observations(load(name, "test"), 2, seed=1, nuisance=nuisance)
    return Dataset(train.x, labels=train.labels), test


DATA: dict[str, Callable[[int], Parts]] = {
    "fashion-upright": lambda seed: clothes(seed, is_moved=False),
    "fashion-affine": lambda seed: clothes(seed, is_moved=True),
    "glyphs": glyphs,
    "digits": partial(digits, "digits", nuisance=Nuisance()),
    "mnist": partial(digits, "mnist", nuisance=Nuisance()),
    "circle": partial(digits, "digits", nuisance=Nuisance(rotation=180.0)),
}
"""Training and test part of each collection, by a seed."""

CALLS: dict[str, dict[str, Any]] = {"circle": {"warp": Affine2d(rotation=180)}}
"""Arguments of `Unwarper` where the call is not the default one."""

NAMES = (*(f"{kind}-codes/{seed}" for kind in DATA for seed in SEEDS),)


def cell(name: str, quick: bool = False, **arguments: Any) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to train for a few steps.
        arguments: Arguments of `Unwarper` in place of its defaults.
    """
    torch.set_num_threads(1)
    kind, _, seed = name.partition("-codes/")
    train, test = DATA[kind](int(seed))
    steps = STEPS_OF_QUICK_RUN if quick else None
    started = time.process_time()
    n_classes = len(np.unique(train.labels))
    arguments = {"n_clusters": n_classes} | CALLS.get(kind, {}) | arguments
    model = Unwarper(max_steps=steps, random_state=int(seed), device="cpu", **arguments)
    model.fit(train.x.numpy())
    seconds = time.process_time() - started
    reference, held_out = (replace(part, x=model.prepare(part.x.numpy())) for part in (train, test))
    report = evaluate(model.model_, held_out, reference, only=SCORES)
    inputs = replace(dataset_inputs(test), reference=dataset_inputs(train))
    baselines = score(inputs, ("moment_baselines",)).scores
    agreement = _agreement("clusters", model.predict(test.x.numpy()), test.labels)
    extra = _scores_of_circle(model, reference, held_out) if kind == "circle" else {}
    found = report.scores | dict(baselines) | agreement | extra
    scores = {key: round(float(value), 4) for key, value in found.items()}
    return {
        "scores": scores | {"cpu_seconds": round(seconds, 1)},
        "selection": str(model.selection_),
        "warp": model.recipe_.warp.name,
    }


def _scores_of_circle(model: Unwarper, reference: Dataset, test: Dataset) -> dict[str, float]:
    """Scores with 6 and 9 as one class, and angles modulo half a turn of 0, 1 and 8.

    Args:
        model: A trained model.
        reference: Prepared pictures to fit clusters on.
        test: Prepared test pictures, each thing observed twice.
    """
    test, reference = (
        replace(part, labels=np.where(np.asarray(part.labels) == 9, 6, part.labels))
        for part in (test, reference)
    )
    means = evaluate(model.model_, test, reference, only=("kmeans",)).scores
    embedding, codes = embed(model.model_, test.x), embed(model.model_, reference.x).codes
    clusters = NeighbourClusters.fit(codes, len(np.unique(test.labels))).place(embedding.codes)
    scores = {f"merged_{name}": value for name, value in means.items()}
    scores |= _agreement("merged_clusters", clusters, test.labels)
    return scores | thesis.turns(embedding, test)


def _agreement(name: str, clusters: Array, labels: Array | None) -> dict[str, float]:
    """Accuracy and normalised mutual information of clusters, with a name before them."""
    truth = np.asarray(labels)
    return {f"{name}_acc": accuracy(clusters, truth), f"{name}_nmi": nmi(clusters, truth)}


def table() -> None:
    """Rebuild the table of the page from the result files."""
    columns = (
        *("5-NN", "linear", "clusters: ACC", "NMI", "k-means: ACC"),
        *("raw 5-NN", "deskewed 5-NN", "deskewed k-means"),
    )
    keys = (
        *("neighbours", "linear", "clusters_acc", "clusters_nmi", "acc"),
        *("raw_neighbours", "deskewed_neighbours", "deskewed_kmeans_acc"),
    )
    ends = "angle | shift | CPU seconds | seeds"
    lines = [f"| pictures | warp selected | {' | '.join(columns)} | {ends} |"]
    lines.append("|" + "---|" * (len(columns) + 6))
    for kind in DATA:
        if results := results_of(kind):
            s = cells.medians(results)
            numbers = [f"{s[key]:.3f}" if key in s else "-" for key in keys]
            warps = ", ".join(sorted({result["warp"] for result in results}))
            is_moved = "angle_deg" in s
            pose = f"{s['angle_deg']:.2f} deg | {s['shift_px']:.3f} px" if is_moved else "- | -"
            ends = f"{pose} | {s['cpu_seconds']:.0f} | {len(results)}"
            name = f"{kind}{provenance.mark(results)}"
            lines.append(f"| {name} | {warps} | {' | '.join(numbers)} | {ends} |")
    cells.quote("pictures_codes", "\n".join([*lines, *_lines_of_circle()]), PAGE)
    clothes_table()


def results_of(kind: str) -> list[cells.Result]:
    """All results of a kind of pictures, one a seed."""
    paths = sorted((cells.RESULTS / FOLDER / f"{kind}-codes").glob("*.json"))
    return [json.loads(path.read_text()) for path in paths]


def clothes_table() -> None:
    """Rebuild the table of the tutorial, the accuracy of nearest neighbours of clothes."""
    lines = [
        "| Fashion-MNIST | warp selected | pixels | deskewed | Unwarp |",
        "|---|---|---|---|---|",
    ]
    for kind, name in (("fashion-upright", "as published"), ("fashion-affine", "deformed")):
        if results := results_of(kind):
            s = cells.medians(results)
            keys = ("raw_neighbours", "deskewed_neighbours", "neighbours")
            numbers = " | ".join(f"{s[key]:.2f}" for key in keys)
            name = f"{name}{provenance.mark(results)}"
            lines.append(f"| {name} | {results[0]['warp']} | {numbers} |")
    cells.quote("tutorial-clothes", "\n".join(lines), "docs/tutorials/digits.md")


def _lines_of_circle() -> list[str]:
    """A sentence on digits at any angle; none without results."""
    results = results_of("circle")
    if not results:
        return []
    s = cells.medians(results)
    return [
        "",
        f"*circle*, with 6 and 9 as one class of nine: clusters reach an ACC of "
        f"{s['merged_clusters_acc']:.3f} and an NMI of {s['merged_clusters_nmi']:.3f}; the median "
        f"angle, modulo half a turn for 0, 1 and 8, is off by {s['angle_modulo_deg']:.2f} degrees, "
        f"and {s['lost']:.1%} of the digits by more than 20.",
    ]


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("glyphs-codes/0",))


if __name__ == "__main__":
    main()
