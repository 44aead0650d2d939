"""Sample quality of DCGAN and VAE with and without a warp, and of simple statistical models.

    python -m benchmarks.samples  run missing cells, then the table
    python -m benchmarks.samples --cell gan-structured --again
    python -m benchmarks.samples --table | --quick

Data: all of MNIST at 28 x 28, rotated by up to 20 degrees and shifted by up to 10 %, in grey
values. Features: the last hidden layer of a small classifier of the training digits (fitted anew by
each call, seeded). Floor: one half of the test digits against the other; ceiling: a Gaussian fitted
to training pixels. 5,000 samples each. The models train for the same seconds (`SECONDS`), with
learning rates that follow the clock; the statistics see 20,000 training observations.

* `gan-structured`, `gan-plain`: DCGAN with and without a similarity warp, as many latents in total.
  The warp's ranges and its prior are those of the data: a GAN whose prior is wider draws poses that
  the data have not.
* `vae-structured`, `vae-plain`: the same for a VAE (continuous Bernoulli), drawn from the prior.
* `gaussian-mixture` and `factor-analysis` (on 50 principal components), `pca` (probabilistic),
  `naive-bayes` (Gaussian, which is given the labels).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB

from benchmarks import cells
from benchmarks.likelihood import STRUCTURED
from unwarp import plots
from unwarp.analysis.scoring import score
from unwarp.data.dataset import Dataset
from unwarp.data.samples import reference_view
from unwarp.datasets import mnist
from unwarp.datasets.affine_mnist import fixed_observations, with_random_draws
from unwarp.datasets.affine_mnist_28 import NUISANCE
from unwarp.estimators.features import Features, fit_features, sample_inputs
from unwarp.metrics import ScoreInputs
from unwarp.models import GAN, Net, Recipe
from unwarp.models.codec import describe
from unwarp.training.loop import train
from unwarp.warps import Similarity2d

FOLDER = "samples"
GREY = replace(NUISANCE, binary=None)
SECONDS = {"gan": 300.0, "vae": 150.0}
BATCH = {"gan": 64, "vae": 128}
DCGAN = GAN(
    warp=Similarity2d(rotation=20, scale=1.1, shift=0.2),
    prior=0.6,
    n_content=16,
    refinements=1,
    passes=(1, 2),
    net=Net("conv", channels=16),
    inference_every=4,
)
MODELS: dict[str, Recipe] = {
    "gan-structured": DCGAN,
    "gan-plain": DCGAN.without_warp(),
    "vae-structured": replace(STRUCTURED, likelihood="continuous-bernoulli"),
    "vae-plain": replace(STRUCTURED, likelihood="continuous-bernoulli", prior=1.0).without_warp(),
}
STATISTICS = ("gaussian-mixture", "factor-analysis", "pca", "naive-bayes")
NAMES = (*MODELS, *STATISTICS)
DRAWN = 5000


@lru_cache
def data(part: str) -> Dataset:
    """Training digits, deformed afresh at every draw; test digits, each deformed once."""
    clean = mnist.load(part)
    return (
        with_random_draws(clean, GREY)
        if part == "train"
        else fixed_observations(clean, 1, seed=1, nuisance=GREY)
    )


@lru_cache
def features() -> Features:
    """The feature extractor, and how well it tells held-out digits apart."""
    return fit_features(data("train"))


@lru_cache
def seen() -> Dataset:
    """20,000 training observations."""
    return reference_view(data("train"), 20_000)


def learned(name: str, quick: bool) -> tuple[torch.Tensor, cells.Result]:
    """Samples of a trained model, and how it was trained."""
    recipe, kind = MODELS[name], name.split("-")[0]
    model = recipe.build((1, 28, 28), seed=0)
    seconds = 2.0 if quick else SECONDS[kind]
    history = train(
        model,
        recipe.players(model),
        data("train"),
        steps=1_000_000,
        seconds=seconds,
        batch_size=BATCH[kind],
        device="cpu",
    )
    with torch.no_grad():
        made = [
            model.eval().sample(1000, torch.Generator().manual_seed(i))
            for i in range(DRAWN // 1000)
        ]
    record = {
        "steps": history.steps,
        "seconds": round(history.seconds, 1),
        "images_per_second": round(history.samples_per_second),
        "parameters": sum(p.numel() for p in model.parameters()),
        "recipe": describe(recipe),
    }
    return torch.cat(made), record


def drawn(name: str) -> torch.Tensor:
    """Samples of a statistical model of the pixels, within [0, 1]."""
    x, labels = seen().x.flatten(1).numpy(), seen().labels
    generator = np.random.default_rng(0)
    if name == "naive-bayes":
        assert labels is not None
        model = GaussianNB().fit(x, labels)
        which = generator.choice(len(model.class_prior_), DRAWN, p=model.class_prior_)
        made = model.theta_[which] + np.sqrt(model.var_[which]) * generator.normal(
            size=(DRAWN, x.shape[1])
        )
    else:
        components = PCA(50, random_state=0).fit(x)
        made = components.inverse_transform(latents(name, components.transform(x), generator))
        if name == "pca":
            made = made + np.sqrt(components.noise_variance_) * generator.normal(size=made.shape)
    return torch.from_numpy(made.clip(0, 1).astype(np.float32)).reshape(-1, 1, 28, 28)


def latents(name: str, scores: Any, generator: np.random.Generator) -> Any:
    """Draws of a model of the 50 principal components."""
    if name == "gaussian-mixture":
        return GaussianMixture(30, reg_covar=1e-4, random_state=0).fit(scores).sample(DRAWN)[0]
    if name == "factor-analysis":
        model = FactorAnalysis(20, random_state=0).fit(scores)
        return generator.normal(size=(DRAWN, 20)) @ model.components_ + model.mean_
    return scores.std(0) * generator.normal(size=(DRAWN, scores.shape[1]))


def cell(name: str, quick: bool = False) -> cells.Result:
    """Draw samples of one model and measure them beside held-out digits."""
    samples, record = learned(name, quick) if name in MODELS else (drawn(name), {})
    test = data("test")
    assert test.labels is not None
    inputs = sample_inputs(features(), test.x, samples, seen().x) | ScoreInputs(labels=test.labels)
    scores = dict(score(inputs, ("sample_quality", "class_shares")).scores)
    scores["feature_accuracy"] = features().accuracy(test.x, test.labels)
    if not quick:
        look(name, samples)
    return {"cell": name, **record, "scores": {k: round(v, 4) for k, v in scores.items()}}


def look(name: str, samples: torch.Tensor) -> None:
    """Write a picture of some samples beside the result."""
    path = cells.RESULTS / FOLDER / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    plots.samples(samples[:56].numpy(), 14).savefig(path, format="png", dpi=80)


def table() -> None:
    """Rebuild `samples.json` from the result files, and print it."""
    paths = {name: cells.RESULTS / FOLDER / f"{name}.json" for name in NAMES}
    rows = {
        name: cells.json.loads(path.read_text()) for name, path in paths.items() if path.is_file()
    }
    costs = {
        name: {k: row[k] for k in ("steps", "seconds") if k in row} for name, row in rows.items()
    }
    summary = {name: costs[name] | row["scores"] for name, row in rows.items()}
    cells.write(cells.RESULTS / "samples.json", summary)
    cells.quote("samples", markdown(summary), "docs/guide/recipes.md")
    columns = (
        "seconds",
        "frechet",
        "kernel_distance",
        "precision",
        "recall",
        "density",
        "coverage",
        "classes_covered",
    )
    print(f"{'':18}" + "".join(f"{column:>16}" for column in columns))
    for name, row in summary.items():
        print(
            f"{name:18}" + "".join(f"{row.get(column, float('nan')):16.4g}" for column in columns)
        )
    for end in ("floor", "ceiling") if summary else ():
        row = next(iter(summary.values()))
        print(
            f"{end:18}"
            + "".join(f"{row.get(f'{column}_{end}', float('nan')):16.4g}" for column in columns)
        )


def markdown(rows: dict[str, dict[str, float]]) -> str:
    """The guide's table, with floor and ceiling."""
    columns = ("frechet", "kernel_distance", "precision", "recall", "density", "coverage")
    lines = [
        "| samples | seconds | Frechet | kernel distance | precision | recall | density "
        "| coverage |",
        "|---|" + "---|" * 7,
    ]
    for name, row in rows.items():
        seconds = f"{row['seconds']:.0f}" if "seconds" in row else "-"
        lines.append(
            f"| {name} | {seconds} | " + " | ".join(f"{row[c]:.3g}" for c in columns) + " |"
        )
    for end in ("floor", "ceiling") if rows else ():
        row = next(iter(rows.values()))
        lines.append(
            f"| {end} | - | " + " | ".join(f"{row[f'{c}_{end}']:.3g}" for c in columns) + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("gan-structured",))
