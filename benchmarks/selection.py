"""How the digits' recipe was chosen: without labels, on a validation part of the training digits.

    python -m benchmarks.selection [--again]

Each candidate learns from 3,200 of the 4,000 training digits and is judged on the other 800, by two signs that need no
label and no true deformation: `swap`, the squared error of a moved copy of each observation, drawn from the content of the
original and the deformation of the copy; and `follow_deg`, how faithfully the found rotation follows the known move.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch

from benchmarks import cells
from unwarp.checkpoints import describe
from unwarp.datasets import digits
from unwarp.datasets.affine_mnist import fresh, observed
from unwarp.evaluation import evaluate
from unwarp.models import AE, Model
from unwarp.recipes import DIGITS
from unwarp.training import train
from unwarp.types import Latent
from unwarp.warps import Affine2d, Chain, Displacement2d

STEPS, BATCH, VALIDATION = 600, 128, 800
CANDIDATES: dict[str, AE] = {
    "chosen": DIGITS,
    "second-views": replace(DIGITS, views=0.3),
    "no-residual": replace(DIGITS, warp=Affine2d()),
    "residual-3": replace(DIGITS, warp=Chain(Displacement2d(3), Affine2d())),
    "one-pass": replace(DIGITS, passes=(1, 1)),
    "prior-1": replace(DIGITS, prior=1.0),
    "prior-4": replace(DIGITS, prior=4.0),
    "content-8": replace(DIGITS, n_content=8),
    "learned-start": replace(DIGITS, start="learned"),
    "one-stage": replace(DIGITS, encoder="one-stage"),
}


@torch.no_grad()
def swap(model: Model, x: torch.Tensor) -> float:
    """Squared error of moved copies drawn from the originals' content, mean over samples."""
    move = model.warp.sample(len(x), torch.Generator().manual_seed(3), 0.3).undoable()
    copies = move(x)
    drawn = model.render(Latent(model.embed(x).content, model.embed(copies).map))
    return float((drawn - copies).square().flatten(1).sum(1).mean())


def cell(name: str) -> cells.Result:
    """Train a candidate and judge it on the validation digits."""
    recipe = CANDIDATES[name]
    rows = np.random.default_rng(3).permutation(4000)
    clean = digits.load("train")
    training, held = fresh(clean.subset(rows[VALIDATION:])), observed(clean.subset(rows[:VALIDATION]), 1, seed=7)
    model = recipe.build(training.shape, seed=0)
    steps, size = (STEPS, BATCH // 2) if recipe.views else (STEPS, BATCH)
    history = train(model, recipe.players(model), training, steps=steps, batch_size=size, seed=0, device="cpu")
    found = evaluate(model, held, only=("ambiguous", "reconstruction_error")).scores
    scores = {"swap": swap(model, held.x), "follow_deg": found["follow_deg"], "error": found["reconstruction_error"]}
    rounded = {k: round(v, 4) for k, v in scores.items()}
    return {"candidate": name, "seconds": round(history.seconds, 1), "recipe": describe(recipe), "scores": rounded}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="run cells that have a result file too")
    asked = parser.parse_args()
    results = {name: cells.run("selection", name, lambda n=name: cell(n), again=asked.again) for name in CANDIDATES}
    for name, result in sorted(results.items(), key=lambda item: item[1]["scores"]["swap"]):
        print(f"{name:16}" + "".join(f"{k} {v:8.3f}   " for k, v in result["scores"].items()))


if __name__ == "__main__":
    main()
