"""Affine MNIST: codes, templates and deformations of held-out digits, measured.

    python -m benchmarks.affine_mnist  run missing cells, then the table
    python -m benchmarks.affine_mnist --cell digits/structured/0 --again
    python -m benchmarks.affine_mnist --table  the table alone, from the result files
    python -m benchmarks.affine_mnist --quick  a few steps of one cell, written nowhere

Data: `digits` (4,000 real digits, deformed afresh at every draw), `fixed` (each of them observed
eight times, no clean originals, second views made from the observations), `mnist` (all of MNIST,
afresh). Test digits are held out, observed twice each under fixed transforms. Models: `structured`,
`identity-steps` and `identity-seconds` (no warp, as many latents in total, for the same steps and
for the same seconds), `baselines` (nothing learned).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from benchmarks import cells, provenance
from unwarp.analysis.embedding import embed
from unwarp.analysis.scoring import Report, dataset_inputs, evaluate, score
from unwarp.data.dataset import Dataset
from unwarp.data.samples import reference_view
from unwarp.datasets import digits, mnist
from unwarp.datasets.affine_mnist import fixed_observations, with_random_draws
from unwarp.models import AE
from unwarp.models.codec import describe
from unwarp.planning.presets import DIGITS
from unwarp.training.loop import train

FOLDER = "affine_mnist"
STEPS = {"digits": 1100, "fixed": 1100, "mnist": 7000}
BATCH = {"digits": 128, "fixed": 64, "mnist": 128}
CHANGES: dict[str, dict[str, float]] = {"fixed": {"views": 0.3}, "mnist": {"isometry": 0.2}}
MODELS = ("structured", "identity-steps", "identity-seconds")
SEEDS = (0, 1, 2)
MOST = 60_000
CLEAN: dict[str, Callable[[str], Dataset]] = {
    "digits": digits.load,
    "fixed": digits.load,
    "mnist": mnist.load,
}
MODEL_SCORES = (
    "neighbours linear kmeans template_kmeans reconstruction_error explained recovery at_bounds "
    "unused_content ambiguous"
)


def data(name: str) -> tuple[Dataset, Dataset, Dataset]:
    """Training data, observations to fit neighbours and clusters on, held-out observations."""
    clean = CLEAN[name]("train")
    training = fixed_observations(clean, 8, seed=2) if name == "fixed" else with_random_draws(clean)
    return (
        training,
        reference_view(training, MOST),
        fixed_observations(CLEAN[name]("test"), 2, seed=1),
    )


def plan(name: str, kind: str, seed: int) -> tuple[AE, int]:
    """Recipe and number of steps of a cell."""
    recipe = replace(DIGITS, **CHANGES.get(name, {}))
    if kind == "structured":
        return recipe, STEPS[name]
    steps = STEPS[name]
    if kind == "identity-seconds":
        own, other = (
            cells.run(FOLDER, f"{name}-{k}-{seed}", lambda k=k: cell(name, k, seed))
            for k in MODELS[:2]
        )
        steps = round(steps * own["seconds"] / other["seconds"])
    return replace(recipe, views=0.0, isometry=0.0).without_warp(), steps


def cell(name: str, kind: str, seed: int, quick: bool = False) -> cells.Result:
    """Train and score one model."""
    if kind == "baselines":
        return baselines(name)
    training, reference, test = data(name)
    recipe, steps = plan(name, kind, seed)
    model = recipe.build(training.shape, seed=seed)
    steps = 20 if quick else steps
    players = recipe.players(model)
    history = train(
        model, players, training, steps=steps, batch_size=BATCH[name], seed=seed, device="cpu"
    )
    report: Report = evaluate(model, test, reference, only=tuple(MODEL_SCORES.split()))
    views = 2 if recipe.views else 1
    return {
        "data": name,
        "model": kind,
        "seed": seed,
        "steps": history.steps,
        "seconds": round(history.seconds, 1),
        "images_per_second": round(views * history.samples_per_second),
        "embedded_per_second": round(embed(model, test.x).samples_per_second),
        "parameters": sum(p.numel() for p in model.parameters()),
        "recipe": describe(recipe),
        "scores": {k: round(v, 5) for k, v in report.scores.items()},
    }


def baselines(name: str) -> cells.Result:
    """Scores of raw and of moment-normalised pixels, which learn nothing."""
    _, reference, test = data(name)
    inputs = replace(dataset_inputs(test), reference=dataset_inputs(reference))
    return {
        "data": name,
        "model": "baselines",
        "scores": dict(score(inputs, ("moment_baselines",)).scores),
    }


def seeds(kind: str) -> tuple[int, ...]:
    """Seeds of a row: three for the model itself, one for what stands beside it."""
    return SEEDS if kind == "structured" else (0,)


def table() -> None:
    """Rebuild `affine_mnist.json` from the result files: the median over seeds."""
    rows, marks = {}, {}
    for name in STEPS:
        for kind in (*MODELS, "baselines"):
            paths = sorted((cells.RESULTS / FOLDER).glob(f"{name}-{kind}*.json"))
            results = [cells.json.loads(path.read_text()) for path in paths]
            if results:
                seconds = max((r.get("seconds", 0.0) for r in results), default=0.0)
                marks[f"{name}/{kind}"] = provenance.mark(results)
                rows[f"{name}/{kind}"] = {
                    "seeds": len(results),
                    "seconds_at_most": seconds,
                    **cells.medians(results),
                }
    cells.write(cells.RESULTS / "affine_mnist.json", rows)
    cells.quote("affine_mnist", markdown(rows, marks), "docs/results/pictures.md")
    show(rows)


def markdown(rows: dict[str, dict[str, float]], marks: dict[str, str]) -> str:
    """The table of the page, with the marks of its rows."""
    words = {
        "structured": "with warp",
        "identity-steps": "without, same steps",
        "identity-seconds": "without, about the same time",
    }
    sets = {"digits": "4,000 digits", "fixed": "4,000 digits, fixed", "mnist": "all of MNIST"}
    lines = [
        "| data | model | training | 5-NN | linear | ACC | NMI | angle | shift |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, data), (kind, model) in product(sets.items(), words.items()):
        row, mark = rows.get(f"{name}/{kind}"), marks.get(f"{name}/{kind}", "")
        if row:
            scores = " | ".join(f"{100 * row[k]:.1f}" for k in ("neighbours", "linear"))
            acc, template_acc, nmi = (100 * row[k] for k in ("acc", "template_acc", "nmi"))
            scores += f" | {acc:.1f} ({template_acc:.1f}) | {nmi:.1f}"
            pose = (
                f"{row['angle_deg']:.2f} deg | {row['shift_px']:.3f} px"
                if "angle_deg" in row
                else "- | -"
            )
            lines.append(
                f"| {data} | {model}{mark} | {row['seconds_at_most']:.0f} s | {scores} | {pose} |"
            )
        if kind == "identity-seconds" and f"{name}/baselines" in rows:
            own = rows[f"{name}/baselines"]
            near, acc = 100 * own["deskewed_neighbours"], 100 * own["deskewed_mixture_acc"]
            model = "nothing learned: deskewed pixels, Gaussian mixture"
            nmi = 100 * own["deskewed_mixture_nmi"]
            lines.append(
                f"| {data} | {model} | - | {near:.1f} | - | {acc:.1f} | {nmi:.1f} | - | - |"
            )
    return "\n".join(lines)


def show(rows: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    names = (
        "seconds_at_most",
        "neighbours",
        "linear",
        "acc",
        "nmi",
        "template_acc",
        "angle_deg",
        "shift_px",
    )
    print(f"{'':24}" + "".join(f"{name.split('_at')[0]:>13}" for name in names))
    for row, values in rows.items():
        print(f"{row:24}" + "".join(f"{values.get(name, float('nan')):13.4g}" for name in names))
    for name in STEPS:
        if f"{name}/baselines" in rows:
            found = ", ".join(
                f"{k} {v:.3f}"
                for k, v in rows[f"{name}/baselines"].items()
                if k.endswith(("acc", "rs"))
            )
            print(f"{name} baselines: {found}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cell", action="append", help="data/model/seed; may be given several times"
    )
    parser.add_argument(
        "--again", action="store_true", help="run cells that have a result file too"
    )
    parser.add_argument("--table", action="store_true", help="rebuild the table alone")
    parser.add_argument(
        "--quick", action="store_true", help="a few steps of one cell, written nowhere"
    )
    asked = parser.parse_args()
    if asked.quick:
        print(cell("digits", "structured", 0, quick=True)["scores"])
        return
    every = [f"{d}/{m}/{s}" for d in STEPS for m in (*MODELS, "baselines") for s in seeds(m)]
    for name in [] if asked.table else asked.cell or every:
        what, kind, seed = name.split("/")
        cells.run(
            FOLDER,
            f"{what}-{kind}-{seed}",
            lambda w=what, k=kind, s=int(seed): cell(w, k, s),
            again=asked.again,
        )
    table()


if __name__ == "__main__":
    main()
