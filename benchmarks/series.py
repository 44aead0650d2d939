"""Series: how much to warp, what alignment is worth on real recordings, and how fast it is.

    python -m benchmarks.series  run missing cells, then tables and page
    python -m benchmarks.series --cell ucr/Trace/auto/0 --again
    python -m benchmarks.series --table  tables and page alone, from the result files
    python -m benchmarks.series --quick  a little of one cell a table, written nowhere

Sets of the UCR and UEA archives, `ucr/<set>` and `uea/<set>`, are learned from their training part
without labels and scored once on their test part. Kinds: `choice` (how much to warp, decided on the
training part alone), `auto` (what was chosen, seeds 0 to 2), `one-stage` (the published
rate-invariant autoencoder, seeds 0 to 2), `raw` (the series as they are), `dtw` (a nearest
neighbour by dynamic time warping with a window learned on the training part). `bumps/smooth` has
true maps; `fork/smooth`, `fork/one-stage` and `fork/none` follow the protocol of TimewarpVAE
(Rhodes and Lee 2023), with three latents. `speed/128` and `speed/512` align 10,000 series beside
dtaidistance and tslearn; `speed/distances` compares pairs; `speed/training` trains; `speed/memory`
aligns ever more series, each number in a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import lru_cache
from multiprocessing import get_context
from resource import RUSAGE_SELF, getrusage

import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks import cells, pictures, series_page, series_peers
from benchmarks.series_sets import SETS
from unwarp import Unwarper, core, plots
from unwarp.analysis.embedding import embed
from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.datasets import bumps, fork_trajectories, ucr, uea
from unwarp.estimators.choices import RECIPE_OF_CHOICE
from unwarp.estimators.selection import select
from unwarp.metrics.clustering import kmeans
from unwarp.metrics.dtw import aligned_rmse
from unwarp.metrics.neighbours import neighbours
from unwarp.metrics.recovery import recovery
from unwarp.metrics.separation import nearest_accuracy, nearest_centroids, variance_ratio
from unwarp.models import Net, Recipe
from unwarp.models.codec import describe
from unwarp.planning.defaults import adapt_to_series, default_steps
from unwarp.planning.presets import RATE_INVARIANT, SERIES
from unwarp.training.loop import train
from unwarp.warps import Window

FOLDER, SEEDS, BATCH = "series", range(3), 20
ARCHIVES: dict[str, Callable[..., Dataset]] = {"ucr": ucr.load, "uea": uea.load}
PICTURED = ("ucr/Trace", "ucr/CBF")
FORK, FORK_STEPS = replace(SERIES, n_content=3, net=Net(channels=32)), 1000
FORKS: dict[str, Recipe] = {
    "smooth": FORK,
    "one-stage": replace(RATE_INVARIANT, n_content=3, net=FORK.net),
    "none": replace(FORK.without_warp(), n_content=3),
}
NAMES = (
    *(f"{name}/{kind}/0" for kind in ("choice", "raw", "dtw") for name in SETS),
    *(f"{name}/{kind}/{seed}" for kind in ("auto", "one-stage") for seed in SEEDS for name in SETS),
    *(f"bumps/smooth/{seed}" for seed in SEEDS),
    *(f"fork/{kind}/{seed}" for kind in FORKS for seed in SEEDS),
    *(f"speed/{what}/0" for what in ("128", "512", "distances", "training", "memory")),
)
QUICK = ("ucr/GunPoint/auto/0", "fork/smooth/0", "bumps/smooth/0")


@lru_cache(2)
def parts(name: str) -> tuple[Dataset, Dataset]:
    """The training and the test part of a set, each resampled to one length."""
    archive, own = name.split("/")
    return ARCHIVES[archive]("train", own), ARCHIVES[archive]("test", own)


def cell(name: str, quick: bool = False) -> cells.Result:
    """Whatever a cell's kind asks for."""
    where, kind, seed = name.rsplit("/", 2)
    if where == "speed":
        own = {"training": training, "memory": memory, "distances": distances}
        return {
            "cell": name,
            "scores": own[kind]() if kind in own else series_peers.speed(int(kind)),
        }
    if where == "fork":
        return {"cell": name} | fork(kind, int(seed), quick)
    if where == "bumps":
        return {"cell": name} | known_maps(int(seed), quick)
    if kind == "raw":
        return {"cell": name, "sizes": sizes(*parts(where)), "scores": raw(where)}
    if kind == "dtw":
        return {"cell": name, "scores": series_peers.dtw(*parts(where))}
    if kind == "choice":
        return {"cell": name} | choice(where)
    recipe = (
        RATE_INVARIANT
        if kind == "one-stage"
        else RECIPE_OF_CHOICE["smooth" if quick else chosen(where)]
    )
    pictured = kind == "auto" and seed == "0" and where in PICTURED and not quick
    return {"cell": name} | learned(
        where, recipe, int(seed), quick, where.split("/")[1] if pictured else ""
    )


def distances() -> dict[str, float]:
    """Pairs a second of elastic distances of series of 128 steps, beside dtaidistance."""
    return series_peers.distances(128)


def choice(where: str) -> cells.Result:
    """How much to warp a set, on its training part."""
    started = time.perf_counter()
    found = select(Schema.fit(as_source(parts(where)[0]), Reading(domain="series"))[1].x)
    return {
        "seconds": round(time.perf_counter() - started, 1),
        **asdict(found),
        "words": str(found),
        "scores": {},
    }


def chosen(where: str) -> str:
    """What the cell of a set's choice says."""
    name = f"{where}/choice/0"
    return str(cells.run(FOLDER, name, lambda: cell(name))["choice"])


def learned(where: str, recipe: Recipe, seed: int, quick: bool, picture: str = "") -> cells.Result:
    """Scores of aligned series and of codes on the test part; draws `picture` if it has a name."""
    known, asked = parts(where)
    model = estimator(adapt_to_series(recipe, known.x), known, seed, quick).fit(known)
    aligned, codes = (
        [step(part) for part in (known, asked)] for step in (model.align, model.transform)
    )
    scores = tell(*aligned, known, asked, "aligned") | tell(*codes, known, asked, "codes")
    ratio = variance_ratio(asked.x.numpy(), aligned[1], model.predict(asked))
    own = {"variance_left": ratio} if np.isfinite(ratio) else {}
    if picture:
        pictures.save(portraits(model, asked, aligned[1]), cells.RESULTS / FOLDER, picture)
    return {
        "seconds": round(model.history_.seconds, 1),
        "steps": model.history_.steps,
        "recipe": describe(model.recipe_),
        "scores": rounded(scores | own),
    }


def portraits(model: Unwarper, asked: Dataset, aligned: Array) -> dict[str, Figure]:
    """Draw held-out series by class, raw and aligned, with the mean template, and their warps."""
    found, classes = np.unique(asked.labels, return_inverse=True)  # type: ignore[arg-type]
    names, shown = [f"class {i + 1}" for i in range(len(found))], model.template(asked)
    means = np.stack([shown[classes == i].mean(0) for i in range(len(names))])
    map = embed(model.model_, model.prepare(asked)).map
    gamma = map.pull(Window.frame((129,)).lattice(asked.x))[..., 0].numpy()
    return {
        "aligned": plots.series(asked.x.numpy(), aligned, means, classes, names=names),
        "warps": plots.warps(gamma, asked.x.shape[2], labels=np.array(names)[classes]),
    }


def estimator(recipe: Recipe, known: Dataset, seed: int, quick: bool = False) -> Unwarper:
    """What trains on the series `known`."""
    steps = 20 if quick else default_steps(recipe, len(known.x), core.SERIES, BATCH)
    return Unwarper(
        recipe.warp,
        recipe,
        domain="series",
        max_steps=steps,
        batch_size=BATCH,
        n_clusters=10,
        random_state=seed,
        device="cpu",
    )


def sizes(known: Dataset, asked: Dataset) -> dict[str, int]:
    """How large a set is."""
    channels, length = known.shape
    classes = len(np.unique(known.labels))  # type: ignore[arg-type]
    return {
        "n_train": len(known),
        "n_test": len(asked),
        "channels": channels,
        "length": length,
        "classes": classes,
    }


def raw(where: str) -> dict[str, float]:
    """Scores of the series as they are."""
    known, asked = parts(where)
    return rounded(tell(known.x.numpy(), asked.x.numpy(), known, asked, "raw"))


def tell(seen: Array, held: Array, known: Dataset, asked: Dataset, what: str) -> dict[str, float]:
    """Scores of held-out samples or codes: nearest neighbour, class means, clusters."""
    assert known.labels is not None and asked.labels is not None
    four = (seen, known.labels, held, asked.labels)
    flat = [part.reshape(len(part), -1) for part in (seen, held)]
    scores = nearest_accuracy(*four) | kmeans(*flat, asked.labels)
    scores |= {f"centroids_{k}": nearest_centroids(*four, n_means=k) for k in (2, 3)}
    return {f"{what}_{name}": value for name, value in scores.items()}


def known_maps(seed: int, quick: bool) -> cells.Result:
    """Scores of synthetic series: classes, clusters, error of the relative warp of two views."""
    known, asked = bumps.load("train"), bumps.load("test")
    model = estimator(SERIES, known, seed, quick).set_params(n_clusters=4).fit(known)
    found = embed(model.model_, model.prepare(asked))
    assert asked.maps is not None and asked.ids is not None
    aligned, codes = (
        [step(part) for part in (known, asked)] for step in (model.align, model.transform)
    )
    scores = tell(*aligned, known, asked, "aligned") | tell(*codes, known, asked, "codes")
    scores |= recovery(found.map, asked.maps, asked.ids, (128,))  # type: ignore[arg-type]
    x, labels = asked.x.numpy(), asked.labels
    scores["variance_left"] = variance_ratio(x, aligned[1], labels)  # type: ignore[arg-type]
    return {
        "seconds": round(model.history_.seconds, 1),
        "recipe": describe(model.recipe_),
        "scores": rounded(scores),
    }


def fork(kind: str, seed: int, quick: bool) -> cells.Result:
    """Templates aligned to held-out paths; what timing and content say of the speed condition."""
    recipe, known, asked = (
        FORKS[kind],
        fork_trajectories.load("train"),
        fork_trajectories.load("test"),
    )
    assert known.labels is not None and asked.labels is not None
    model = recipe.build(known.shape, seed=seed)
    steps = 20 if quick else FORK_STEPS
    history = train(
        model, recipe.players(model), known, steps=steps, batch_size=BATCH, seed=seed, device="cpu"
    )
    seen, held = embed(model, known.x), embed(model, asked.x)
    scores = {
        "aligned_rmse": aligned_rmse(held.templates, asked.x.numpy()),
        "rmse": float(np.sqrt(np.square(held.x_hat - asked.x.numpy()).sum(1).mean())),
        "content_5nn": neighbours(seen.codes, known.labels, held.codes, asked.labels),
    }
    if seen.theta.shape[1]:
        scores["timing_5nn"] = neighbours(seen.theta, known.labels, held.theta, asked.labels)
    return {
        "seconds": round(history.seconds, 1),
        "recipe": describe(recipe),
        "scores": rounded(scores),
    }


def training(steps: int = 100, rounds: int = 5) -> dict[str, float]:
    """Series per second in training (batches of 64, length 128): median, slowest, fastest round."""
    torch.set_num_threads(1)
    x = bumps.load("train").x
    model = SERIES.build(tuple(x.shape[1:]))
    players, pace = SERIES.players(model), []
    for _ in range(rounds):
        history = train(model, players, Dataset(x), steps=steps, batch_size=64, device="cpu")
        pace.append(round(history.samples_per_second))
    return {"observations": sorted(pace)[rounds // 2], "slowest": min(pace), "quickest": max(pace)}


def memory(
    counts: tuple[int, ...] = (2_000, 20_000, 200_000), length: int = 128
) -> dict[str, float]:
    """Peak memory in MB of aligning, without input and output, by the number of series."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
        return {str(n): round(alone.submit(memory_of, n, length).result(), 1) for n in counts}


def memory_of(n: int, length: int) -> float:
    """Peak memory in MB of aligning `n` series, without the series and the result themselves."""
    torch.set_num_threads(1)
    x = np.random.default_rng(0).standard_normal(
        (n, length), np.float32
    )  # nothing larger may stand here before
    np.cumsum(x, 1, out=x)
    model = Unwarper("time", max_steps=5, device="cpu").fit(x[:200])
    model.align(x[:1000])
    before = getrusage(RUSAGE_SELF).ru_maxrss
    model.align(x)
    return (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024 - x.nbytes / 2**20


def rounded(scores: dict[str, float]) -> dict[str, float]:
    """Scores as they are written."""
    return {name: round(float(value), 5) for name, value in scores.items()}


def main() -> None:
    cells.command(__doc__, FOLDER, NAMES, cell, lambda: series_page.write(NAMES), QUICK)


if __name__ == "__main__":
    main()
