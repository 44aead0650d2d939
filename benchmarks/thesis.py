"""Disentangling strategies with and without a warp, on digits and on sprites.

    python -m benchmarks.thesis --all  run missing cells, then tables and page
    python -m benchmarks.thesis --cell affine/beta-vae/warp/0 --again
    python -m benchmarks.thesis --table  tables and page alone, from the result files
    python -m benchmarks.thesis --quick  a few steps of one cell a table, written nowhere

A cell is data/strategy/kind/seed. Data: `affine` (10,000 digits of MNIST, deformed afresh at every
draw), `mnist` (all of it), `rot45`, `noise`, `rot45noise` (4,000 digits; rotated by up to 45
degrees, noise of standard deviation .1, both and .2), `circle` (4,000 digits turned by any angle),
`dsprites` (20,000 rendered, dSprites-equivalent sprites). Test samples are held out: digits of
MNIST's test part, observed twice each, and sprites that are in no training set. Kinds: `warp`,
`shear` (sprites with `Affine2d`, whose shear they do not have; four content dimensions, since in
one an affine map makes a square so much like a heart that they share a template), `open` (a warp,
and no number of kinds: up to ten clusters of poses, four content dimensions of sprites), `identity`
(no warp, the same networks, as many latents in total, for about the same seconds), `steps`
(likewise, for as many steps), `peer` (pythae 0.1.2 on eight observations of each digit, as many
latents, for about the same seconds, 60 at most). Strategy `moments` learns nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from benchmarks import cells, peers, pictures, thesis_page
from unwarp.analysis.embedding import Embedding, embed
from unwarp.analysis.scoring import dataset_inputs, score, score_inputs
from unwarp.data.dataset import Dataset
from unwarp.data.samples import reference_view
from unwarp.datasets import digits, dsprites, mnist
from unwarp.datasets.affine_mnist import Nuisance, fixed_observations, with_random_draws
from unwarp.metrics import ScoreInputs
from unwarp.metrics.agreement import angle_error_modulo, r2
from unwarp.metrics.recovery import relative_poses
from unwarp.models import BetaVAE, MixingAE, Optimiser, Recipe
from unwarp.models.architecture import Architecture
from unwarp.models.codec import describe
from unwarp.planning.presets import DIGITS
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Chain, Displacement2d, Similarity2d

FOLDER = "thesis"
DIGIT_SCORES = (
    "neighbours",
    "linear",
    "kmeans",
    "template_kmeans",
    "recovery",
    "reconstruction_error",
)
SPRITE_SCORES = (
    "neighbours",
    "kmeans",
    "betavae_score",
    "factorvae_score",
    "mig",
    "dci",
    "sap",
    "modularity",
    "irs",
    "factor_r2",
    "absolute_recovery",
)
HALF_TURNS = (0, 1, 8)
"""Digits that look the same, or nearly so, after half a turn."""


@dataclass(frozen=True)
class Source:
    """A data set of the benchmark: training samples, and held-out ones."""

    nuisance: Nuisance | None
    n: int | None = None
    batch: int = 128
    steps: Mapping[str, int] = field(default_factory=dict)


W = Chain(Displacement2d(5), Affine2d())
CIRCLE = Chain(Displacement2d(5), Affine2d(rotation=180))
HARDER = replace(
    DIGITS, warp=Chain(Displacement2d(3), Affine2d()), n_content=8, prior=1.0, views=0.3
)
SOURCES = {
    "affine": Source(Nuisance(), 10_000, steps={"beta-vae": 1500, "mixing-ae": 1400}),
    "mnist": Source(Nuisance(), None, steps={"beta-vae": 6000, "mixing-ae": 4500}),
    "rot45": Source(Nuisance(rotation=45.0), 4000, batch=64, steps={"ae": 2200}),
    "noise": Source(Nuisance(noise=0.1), 4000, batch=64, steps={"ae": 2200}),
    "rot45noise": Source(Nuisance(rotation=45.0, noise=0.2), 4000, batch=64, steps={"ae": 2200}),
    "circle": Source(Nuisance(rotation=180.0), 4000, batch=64, steps={"ae": 1700}),
    "dsprites": Source(None, None, batch=64, steps={"beta-vae": 1600, "mixing-ae": 700}),
}
BETA = BetaVAE(
    warp=W,
    n_content=12,
    start="centroid",
    crop=0.7,
    prior=2.0,
    passes=(2, 5),
    likelihood="gaussian",
    sigma=0.05,
    beta=4.0,
    rate_warmup=250,
)
MIXING = MixingAE(warp=W, n_content=12, start="centroid", crop=0.7, prior=2.0)
SPRITES: dict[str, Any] = {
    "warp": Similarity2d(rotation=180, scale=2.0),
    "start": "moments",
    "crop": 0.5,
    "n_content": 1,
    "pose_clusters": 3,
}
RECIPES: dict[tuple[str, str], Recipe] = {
    ("affine", "beta-vae"): BETA,
    ("affine", "mixing-ae"): MIXING,
    ("mnist", "beta-vae"): replace(
        BETA, prior=0.15, isometry=40.0
    ),  # many digits let a weak prior merge classes
    ("mnist", "mixing-ae"): MIXING,
    ("rot45", "ae"): HARDER,
    ("noise", "ae"): HARDER,
    ("rot45noise", "ae"): HARDER,
    ("circle", "ae"): replace(
        DIGITS, warp=CIRCLE, views=0.3, prior=1.0, pose_clusters=9, pose_updates=4
    ),  # a 6 turned is a 9
    ("dsprites", "beta-vae"): replace(BETA, **SPRITES, prior=0.05, sigma=0.1, rate_warmup=100),
    ("dsprites", "mixing-ae"): replace(
        MIXING, **SPRITES | {"n_content": 4}, chunks=2, prior=0.15, optimiser=Optimiser(lr=1e-3)
    ),  # one column alone diverges
}
MIN_OPEN_CONTENT = 4
"""Content dimensions of sprites where a recipe does not know that three shapes need one."""

OBSERVATIONS, LONGEST = 8, 60.0
"""Observations of each digit for a peer with a fixed training set, and its time limit in s."""

ONE = ("mnist",)
"""Sets whose cells have one seed."""

CELLS = tuple(f"{source}/{strategy}" for source, strategy in RECIPES)
KNOWING = ("circle/ae", "dsprites/beta-vae", "dsprites/mixing-ae")
"""Cells whose recipe knows the number of kinds."""

NAMES = (
    *(
        f"{name}/warp/{seed}"
        for name in CELLS
        for seed in range(1 if name.split("/")[0] in ONE else 3)
    ),
    *(f"{name}/{kind}/0" for name in CELLS for kind in ("identity", "steps")),
    *(f"{name}/open/0" for name in KNOWING),
    *(f"dsprites/beta-vae/shear/{seed}" for seed in range(3)),
    *(f"{source}/{strategy}/peer/0" for source in SOURCES for strategy in peers.KINDS),
    *(f"{source}/moments/none/0" for source in SOURCES if source != "dsprites"),
)
QUICK = ("affine/mixing-ae/warp/0", "circle/ae/warp/0", "dsprites/beta-vae/warp/0")


@lru_cache(2)
def data(name: str) -> tuple[Dataset, Dataset, Dataset]:
    """Training samples, observations to fit neighbours and clusters on, held-out observations."""
    source = SOURCES[name]
    if source.nuisance is None:
        training = dsprites.load("train")
        return training, training, dsprites.load("test")
    clean, test = (digits.load(p) if source.n == 4000 else mnist.load(p) for p in ("train", "test"))
    if source.n is not None and len(clean) > source.n:
        clean = clean.subset(np.random.default_rng(0).permutation(len(clean))[: source.n])
    training = with_random_draws(clean, source.nuisance)
    return (
        training,
        reference_view(training),
        fixed_observations(test, 2, seed=1, nuisance=source.nuisance),
    )


def plan(name: str, strategy: str, kind: str) -> Recipe:
    """Recipe of a cell."""
    recipe = RECIPES[name, strategy]
    if kind == "shear":
        warp = Affine2d(rotation=180, scale=2.0)
        return replace(recipe, warp=warp, n_content=MIN_OPEN_CONTENT)
    if kind == "open":
        size = {"n_content": MIN_OPEN_CONTENT} if name == "dsprites" else {}
        return replace(recipe, pose_clusters=Architecture().pose_clusters, **size)
    return (
        recipe if kind == "warp" else recipe.without_warp()
    )  # second views need a warp, so it has none


def cell(name: str, quick: bool = False) -> cells.Result:
    """Train and score one model, or what stands in its place."""
    source, strategy, kind, seed = name.split("/")
    if strategy == "moments":
        return {"cell": name, "scores": moments(source, quick)}
    if kind == "peer":
        return {"cell": name} | peer(source, strategy, int(seed), quick)
    recipe, (training, reference, test) = plan(source, strategy, kind), data(source)
    if quick:
        reference, test = reference.subset(np.arange(600)), test.subset(np.arange(400))
    model = recipe.build(training.shape, seed=int(seed))
    budget: dict[str, Any] = {"steps": 20 if quick else SOURCES[source].steps[strategy]}
    if kind == "identity" and not quick:
        budget = {"steps": 1_000_000, "seconds": beside(source, strategy)["seconds"]}
    players, batch = recipe.players(model), SOURCES[source].batch
    history = train(
        model, players, training, **budget, batch_size=batch, seed=int(seed), device="cpu"
    )
    embedding = embed(model, test.x)
    fitted = score_inputs(reference, embed(model, reference.x), model)
    inputs = replace(score_inputs(test, embedding, model), reference=fitted)
    if (
        seed == "0"
        and source in ("affine", "dsprites")
        and kind in ("warp", "identity")
        and not quick
    ):
        pictures.save(
            pictures.draw(model, recipe, test), cells.RESULTS / FOLDER, name.replace("/", "-")
        )
    return {
        "cell": name,
        "steps": history.steps,
        "seconds": round(history.seconds, 1),
        "images_per_second": round(history.samples_per_second),
        "parameters": sum(p.numel() for p in model.parameters()),
        "recipe": describe(recipe),
        "scores": measure(source, inputs, embedding, test),
    }


def beside(source: str, strategy: str) -> cells.Result:
    """The cell with a warp, seed 0, whose seconds another cell gets."""
    name = f"{source}/{strategy}/warp/0"
    return cells.run(FOLDER, name.replace("/", "-"), lambda: cell(name))


def measure(
    source: str, inputs: ScoreInputs, embedding: Embedding | None, test: Dataset
) -> dict[str, float]:
    """Scores of held-out codes; of poses too, where `embedding` holds any."""
    scores = dict(score(inputs, SPRITE_SCORES if source == "dsprites" else DIGIT_SCORES).scores)
    if source == "circle":
        scores |= merged(inputs)
    if embedding is not None and embedding.table and test.maps is not None:
        scores |= {"circle": turns, "dsprites": common_size}.get(source, lambda *_: {})(
            embedding, test
        )
    return {name: round(float(value), 5) for name, value in scores.items()}


def merged(inputs: ScoreInputs) -> dict[str, float]:
    """Clusters against nine classes: a 6 turned by half a turn is a 9."""
    nine = ScoreInputs(labels=np.where(inputs.labels == 9, 6, inputs.labels))
    scores = score(inputs | nine, ("kmeans", "template_kmeans")).scores
    return {f"merged_{name}": value for name, value in scores.items()}


def turns(found: Embedding, test: Dataset) -> dict[str, float]:
    """Median angle error between two observations of a digit, modulo 180 degrees for 0, 1, 8."""
    assert test.maps is not None and test.ids is not None and test.labels is not None
    columns = {
        f.name: pair for f, pair in relative_poses(found.map, test.maps, test.ids, (40, 40)).items()
    }
    own, true = (column.numpy() for column in columns["rotation_deg"])
    error = angle_error_modulo(own, true, np.where(np.isin(test.labels[::2], HALF_TURNS), 2, 1))
    return {"angle_modulo_deg": float(np.median(error)), "lost": float((error > 20).mean())}


def common_size(found: Embedding, test: Dataset) -> dict[str, float]:
    """Recovery of the sprites' log scale with one offset for all shapes."""
    assert test.factor_values is not None
    scale = np.log(test.factor_values[:, [f.name for f in test.factors].index("scale")])
    own = [np.log(column) for f, column in found.table.items() if f.name.startswith("scale")]
    return {
        "r2_log_scale_overall": min(
            r2(column - column.mean() + scale.mean(), scale) for column in own
        )
    }


def peer(source: str, strategy: str, seed: int, quick: bool) -> cells.Result:
    """Latents of pythae's model, trained on the same samples for the same time."""
    training, reference, test = data(source)
    first = next(s for d, s in RECIPES if d == source)
    recipe, seconds = (
        RECIPES[source, first].without_warp(),
        5.0 if quick else min(LONGEST, beside(source, first)["seconds"]),
    )
    times = 1 if training.draw is None else OBSERVATIONS
    rows = torch.arange(len(training))
    seen = np.concatenate(
        [training.batch(rows, torch.Generator().manual_seed(i)).x.numpy() for i in range(times)]
    )
    asked = np.concatenate([reference.x.numpy(), test.x.numpy()])
    _, codes, trained = peers.latents(seen, asked, strategy, recipe.n_content, seconds, seed)
    parts = codes[: len(reference)], codes[len(reference) :]
    fitted, inputs = (
        ScoreInputs(codes=z, latents=z, labels=part.labels)
        for z, part in zip(parts, (reference, test), strict=True)
    )
    if test.factor_values is not None:
        inputs |= ScoreInputs(factors=test.factors, factor_values=test.factor_values)
    scores = measure(source, replace(inputs, reference=fitted), None, test)
    return {"seconds": round(trained, 1), "scores": scores}


def moments(source: str, quick: bool) -> dict[str, float]:
    """Scores of raw and of moment-normalised pixels, which learn nothing."""
    _, reference, test = data(source)
    if quick:
        reference, test = reference.subset(np.arange(600)), test.subset(np.arange(400))
    inputs = replace(dataset_inputs(test), reference=dataset_inputs(reference))
    return {
        name: round(float(value), 5)
        for name, value in score(inputs, ("moment_baselines",)).scores.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every cell that has no result file yet")
    parser.add_argument(
        "--cell", action="append", choices=NAMES, metavar="CELL", help="may be given several times"
    )
    parser.add_argument(
        "--again", action="store_true", help="run cells that have a result file too"
    )
    parser.add_argument("--table", action="store_true", help="rebuild tables and page alone")
    parser.add_argument(
        "--quick", action="store_true", help="a few steps of one cell a table, written nowhere"
    )
    asked = parser.parse_args()
    for name in QUICK if asked.quick else ():
        print(name, cell(name, quick=True)["scores"])
    for name in asked.cell or (NAMES if asked.all else ()):
        cells.run(FOLDER, name.replace("/", "-"), lambda n=name: cell(n), again=asked.again)
    if not asked.quick:
        thesis_page.write(NAMES)


if __name__ == "__main__":
    main()
