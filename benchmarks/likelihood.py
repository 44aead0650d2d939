"""log p(x) of held-out digits, with and without a warp, and the rate held at a capacity.

    python -m benchmarks.likelihood  run missing cells, then the table
    python -m benchmarks.likelihood --cell plain-vae --again
    python -m benchmarks.likelihood --table | --quick

* `plain-vae`: one hidden layer of 400, 40 latents, MNIST binarised afresh at every draw
  (Salakhutdinov and Murray 2008); the test digits are binarised once, with a fixed seed. -log p(x)
  by 200 importance samples. The literature's 89.8 is for MNIST binarised once and for all.
* `affine-28-*`: all of MNIST rotated by up to 20 degrees, shifted by up to 10 %, binarised (28 x
  28). `structured` has an affine warp, the `identity` cells have none and as many latents in total,
  for the same steps and for the same seconds. log p(x), by 50 importance samples, counts the
  density of the deformation too.
* `affine-28-small-*`: the same with one hidden layer, of 200 in the encoders and of 64 in the
  decoder: what a decoder cannot learn about poses it must be given.
* `affine-28-fixed-*`: the same, each training digit observed once and for all, as a user's data
  are; the cells above see it deformed afresh at every draw. For the same steps only.
* `capacity-*`: gamma |KL - C(t)| without a warp on binarised MNIST; the rate on held-out digits
  after the ramp.
* `statistics`: independent pixels, and naive Bayes (which is given the labels), on both sets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.naive_bayes import BernoulliNB

from benchmarks import cells
from unwarp.data.dataset import Dataset
from unwarp.datasets import affine_mnist_28, mnist
from unwarp.datasets.affine_mnist import binarise, fixed_observations
from unwarp.metrics.likelihood import (
    active_units,
    effective_sample_size,
    elbo,
    iwae,
    log_likelihood,
)
from unwarp.models import VAE, BetaVAE, Net, Optimiser, Recipe, Variational, log_weights, rates
from unwarp.models.codec import describe
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Identity

FOLDER = "likelihood"
PLAIN = VAE(
    warp=Identity(),
    n_content=40,
    net=Net("mlp", (400,), (400,), norm=False),
    optimiser=Optimiser(lr=1e-3, weight_decay=0.0, betas=(0.9, 0.999)),
)
STRUCTURED = VAE(
    warp=Affine2d(),
    n_content=10,
    refinements=1,
    passes=(1, 1),
    net=Net("mlp", (400, 200), (200, 400)),
    prior="learned",
    rate_warmup=500,
)
SMALL = replace(STRUCTURED, net=Net("mlp", (200,), (64,)))
CAPACITY = BetaVAE(
    warp=Identity(), n_content=20, net=PLAIN.net, capacity_steps=3000, optimiser=PLAIN.optimiser
)
KINDS = ("structured", "identity-steps", "identity-seconds")
AFFINE = (
    *(f"affine-28-{net}{kind}" for net in ("", "small-") for kind in KINDS),
    *(f"affine-28-fixed-{kind}" for kind in KINDS[:2]),
)
NAMES = ("plain-vae", *AFFINE, "capacity-10", "capacity-25", "statistics")
STEPS = {"plain-vae": 120_000, "affine-28": 6_000, "capacity": 8_000}
BATCH = {"plain-vae": 100, "affine-28": 128, "capacity": 128}
DRAWS = {"plain-vae": 200, "affine-28": 50, "capacity": 50}


def binary_mnist(part: str) -> Dataset:
    """MNIST drawn as 0 or 1: afresh at every draw in training, once in the test part."""
    clean = mnist.load(part)
    if part == "train":
        return replace(clean, draw=binarise)
    return replace(clean, x=binarise(clean.x, torch.Generator().manual_seed(1)))


def kind_of(name: str) -> str:
    """What a cell's settings are listed under."""
    return next(kind for kind in STEPS if name.startswith(kind))


def plan(name: str) -> tuple[Recipe, int, int, str]:
    """Recipe, steps, batch and data of a cell."""
    kind = kind_of(name)
    steps, batch = STEPS[kind], BATCH[kind]
    if kind == "plain-vae":
        return PLAIN, steps, batch, "binary-mnist"
    if kind == "capacity":
        return replace(CAPACITY, capacity=float(name.split("-")[1])), steps, batch, "binary-mnist"
    own = SMALL if "small" in name else STRUCTURED
    recipe = own if name.endswith("structured") else replace(own, prior=1.0).without_warp()
    if name.endswith("seconds"):
        beside = (name.replace("identity-seconds", kind) for kind in KINDS[:2])
        warped, still = (cells.run(FOLDER, n, lambda n=n: cell(n)) for n in beside)
        steps = round(steps * warped["seconds"] / still["seconds"])
    return recipe, steps, batch, "affine-28-fixed" if "fixed" in name else "affine-28"


def data(name: str, part: str) -> Dataset:
    """A part of a data set by name."""
    if name == "affine-28-fixed" and part == "train":
        return fixed_observations(mnist.load(part), 1, seed=2, nuisance=affine_mnist_28.NUISANCE)
    return affine_mnist_28.load(part) if name.startswith("affine-28") else binary_mnist(part)


def cell(name: str, quick: bool = False) -> cells.Result:
    """Train one model and measure it on the test digits."""
    if name == "statistics":
        return {"cell": name, "scores": statistics()}
    recipe, steps, batch, source = plan(name)
    assert isinstance(recipe, Variational)
    training, test = data(source, "train"), data(source, "test").x
    steps, test, draws = (20, test[:50], 10) if quick else (steps, test, DRAWS[kind_of(name)])
    model = recipe.build(training.shape, seed=0)
    history = train(
        model, recipe.players(model), training, steps=steps, batch_size=batch, device="cpu"
    )
    model.eval()
    return {
        "cell": name,
        "data": source,
        "steps": history.steps,
        "seconds": round(history.seconds, 1),
        "images_per_second": round(history.samples_per_second),
        "parameters": sum(p.numel() for p in model.parameters()),
        "recipe": describe(recipe),
        "scores": {k: round(v, 4) for k, v in measure(model, test, draws).items()},
    }


@torch.no_grad()
def measure(model: Any, test: torch.Tensor, draws: int) -> dict[str, float]:
    """Bounds, log p(x), both terms and the latents in use, in nats, on held-out samples."""
    weights = log_weights(model, test, draws, torch.Generator().manual_seed(0)).numpy()
    posteriors = [model.encode(part) for part in torch.split(test, 1000)]
    parts = [{name: rate.mean() for name, rate in rates(q, model).items()} for q in posteriors]
    means = torch.cat([q.content_mean for q in posteriors]).numpy()
    bounds = {f"iwae_{k}": iwae(weights, k) for k in (1, 5, 50) if draws % k == 0}
    costs = {name: float(torch.stack([p[name] for p in parts]).mean()) for name in parts[0]}
    return {
        "log_likelihood": log_likelihood(weights),
        "elbo": elbo(weights),
        **bounds,
        **costs,
        "active_units": active_units(means),
        "effective_sample_size": effective_sample_size(weights),
    }


def statistics() -> dict[str, float]:
    """Mean log p(x) in nats of held-out digits, by independent pixels and by naive Bayes."""
    found = {}
    for source in ("binary-mnist", "affine-28"):
        training, test = data(source, "train"), data(source, "test")
        seen = (
            training.batch(torch.arange(len(training)), torch.Generator().manual_seed(0))
            .x.flatten(1)
            .numpy()
        )
        held = test.x.flatten(1).numpy()
        for name, labels in (
            ("independent", np.zeros(len(seen))),
            ("naive_bayes", training.labels),
        ):
            model = BernoulliNB(alpha=1.0).fit(seen, labels)
            joint = model.predict_joint_log_proba(held)
            found[f"{source}_{name}"] = float(np.logaddexp.reduce(joint, axis=1).mean())
    return {k: round(v, 3) for k, v in found.items()}


def table() -> None:
    """Rebuild `likelihood.json` from the result files, and print it."""
    paths = {name: cells.RESULTS / FOLDER / f"{name}.json" for name in NAMES}
    rows = {
        name: cells.json.loads(path.read_text()) for name, path in paths.items() if path.is_file()
    }
    keep = ("steps", "seconds", "images_per_second")
    summary = {
        name: {k: row[k] for k in keep if k in row} | row["scores"] for name, row in rows.items()
    }
    cells.write(cells.RESULTS / "likelihood.json", summary)
    cells.quote("likelihood", markdown(summary), "docs/guide/recipes.md")
    columns = (
        "seconds",
        "log_likelihood",
        "elbo",
        "content_rate",
        "deformation_rate",
        "active_units",
    )
    print(f"{'':28}" + "".join(f"{column:>18}" for column in columns))
    for name, row in summary.items():
        if name != "statistics":
            print(
                f"{name:28}"
                + "".join(f"{row.get(column, float('nan')):18.4g}" for column in columns)
            )
    for name, value in summary.get("statistics", {}).items():
        print(f"{name:28} log p(x) {value:.1f}")


def markdown(rows: dict[str, dict[str, float]]) -> str:
    """The guide's table."""
    lines = [
        "| cell | steps | seconds | log p(x) | ELBO | KL of content | KL of deformation |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if name == "statistics":
            lines += [
                f"| {key.replace('_', ', ')} | - | - | {value:.1f} | - | - | - |"
                for key, value in row.items()
            ]
            continue
        numbers = (
            row["log_likelihood"],
            row["elbo"],
            row["content_rate"],
            row.get("deformation_rate"),
        )
        shown = " | ".join("-" if value is None else f"{value:.2f}" for value in numbers)
        lines.append(f"| {name} | {row['steps']:,} | {row['seconds']:.0f} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("plain-vae", "affine-28-structured"))
