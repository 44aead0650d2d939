"""The page of `benchmarks.thesis`: tables and pictures from its result files, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from benchmarks import cells, provenance
from unwarp.models.architecture import Architecture

FOLDER = "thesis"
PAGE = "docs/results/thesis.md"
SETS = {
    "affine": "Affine MNIST, 10,000 digits",
    "mnist": "Affine MNIST, all digits",
    "rot45": "+-45 degrees, 4,000 digits",
    "noise": "noise .1, 4,000 digits",
    "rot45noise": "+-45 degrees and noise .2, 4,000 digits",
    "circle": "full circle, 4,000 digits",
    "dsprites": "sprites, rendered",
}
STRATEGIES = {
    "ae": "autoencoder",
    "beta-vae": "beta-VAE",
    "mixing-ae": "Mixing AE",
    "vae": "VAE",
    "moments": "moments",
}
KINDS = {
    "identity": "{}, no warp, same seconds",
    "steps": "{}, no warp, same steps",
    "warp": "{}, with warp",
    "open": "{}, with warp, number of kinds unknown",
    "shear": "{}, affine warp",
    "peer": "pythae's {}",
    "none": "nothing learned: deskewed pixels, Gaussian mixture",
}
ORDER = ("none", "peer", "steps", "identity", "warp", "open", "shear")
Row = Mapping[str, float]
Column = tuple[str, Callable[[Row], str]]


def percent(name: str, extra: str = "") -> Callable[[Row], str]:
    """A share in percent, with a second one in brackets where there is one."""

    def words(row: Row) -> str:
        if name not in row:
            return "-"
        return f"{100 * row[name]:.1f}" + (f" ({100 * row[extra]:.1f})" if extra in row else "")

    return words


def plain(name: str, digits: int) -> Callable[[Row], str]:
    """A number with so many digits behind the point."""
    return lambda row: f"{row[name]:.{digits}f}" if name in row else "-"


DIGITS: tuple[Column, ...] = (
    ("5-NN", percent("neighbours")),
    ("linear", percent("linear")),
    ("ACC (templates)", percent("acc", "template_acc")),
    ("NMI", percent("nmi")),
    ("angle, degrees", plain("angle_deg", 2)),
    ("shift, px", plain("shift_px", 3)),
)
CIRCLE: tuple[Column, ...] = (
    *DIGITS[:4],
    ("ACC, 6 = 9 (templates)", percent("merged_acc", "merged_template_acc")),
    ("angle, degrees", plain("angle_modulo_deg", 2)),
    ("off by over 20 degrees", percent("lost")),
)
SPRITES: tuple[Column, ...] = (
    ("shape 5-NN", percent("neighbours")),
    ("shape ACC", percent("acc")),
    ("R2 position", plain("absolute_r2_shift", 4)),
    ("R2 log scale", plain("absolute_r2_log_scale", 4)),
    ("angle, worst shape", plain("absolute_angle_deg", 2)),
    ("BetaVAE score", plain("betavae_score", 3)),
    ("MIG", plain("mig", 2)),
    ("DCI", plain("dci_disentanglement", 2)),
)


def write(names: Sequence[str]) -> None:
    """Rebuild the summary and the page from the result files that are there."""
    rows, marks = summary(names), marks_of(names)
    cells.write(cells.RESULTS / "thesis.json", rows)
    digits = [source for source in SETS if source not in ("circle", "dsprites")]
    cells.quote("digits", table(rows, digits, DIGITS, marks), PAGE)
    cells.quote("circle", table(rows, ["circle"], CIRCLE, marks), PAGE)
    cells.quote("sprites", table(rows, ["dsprites"], SPRITES, marks), PAGE)
    for source in ("affine", "dsprites"):
        cells.quote(f"pictures-{source}", gallery(source), PAGE)
    print(table(rows, list(SETS), (*DIGITS, *CIRCLE[4:], *SPRITES[2:])))


def summary(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The median over seeds of every score, by data/strategy/kind."""
    rows = {}
    for key, group in groupby(names, lambda name: name.rsplit("/", 1)[0]):
        results = _results(group)
        if results:
            seconds = max(result.get("seconds", 0.0) for result in results)
            scores = cells.medians(tidy(result) for result in results)
            paces = [
                result["images_per_second"] for result in results if "images_per_second" in result
            ]
            pace = {"images_per_second": median(paces)} if paces else {}
            threads = max(result["environment"]["threads"] for result in results)
            rows[key] = {
                "seeds": len(results),
                "seconds_at_most": seconds,
                "threads": threads,
                **_kinds_given(results[0].get("recipe", {})),
                **pace,
                **scores,
            }
    return rows


def _kinds_given(recipe: Mapping[str, Any]) -> dict[str, int]:
    """The number of kinds that a recipe knows, which no label tells a model otherwise."""
    n = recipe.get("pose_clusters", recipe.get("kinds", 0))
    if n == Architecture().pose_clusters:  # the default, which no number of classes is behind
        return {}
    is_turning = "180" in json.dumps(recipe.get("warp", {}))
    return {"kinds_given": n} if n and is_turning else {}


def tidy(result: cells.Result) -> cells.Result:
    """The deskewed Gaussian mixture's scores under the names of the others'."""
    scores, own = (
        result["scores"],
        {
            "neighbours": "deskewed_neighbours",
            "acc": "deskewed_mixture_acc",
            "nmi": "deskewed_mixture_nmi",
        },
    )
    return {"scores": scores | {name: scores[old] for name, old in own.items() if old in scores}}


def marks_of(names: Sequence[str]) -> dict[str, str]:
    """The mark of each row, by data/strategy/kind: whether a result is older than the code."""
    return {
        key: provenance.mark(_results(group))
        for key, group in groupby(names, lambda name: name.rsplit("/", 1)[0])
        if not key.endswith(("/none", "/peer"))  # nothing of this library is trained
    }


def _results(names: Iterable[str]) -> list[cells.Result]:
    """Results of the cells that have been measured."""
    paths = [cells.RESULTS / FOLDER / f"{name.replace('/', '-')}.json" for name in names]
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def table(
    rows: Mapping[str, Row],
    sources: Sequence[str],
    columns: Sequence[Column],
    marks: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A table in Markdown: a row a model, in the order in which they are told."""
    heads = [
        "data",
        "model",
        "seeds",
        "training (threads)",
        "samples/s",
        *(name for name, _ in columns),
    ]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for source in sources:
        own = [key for key in rows if key.split("/")[0] == source]
        for key in sorted(own, key=lambda key: (ORDER.index(key.split("/")[2]), key)):
            _, strategy, kind = key.split("/")
            model, row = KINDS[kind].format(STRATEGIES[strategy]), rows[key]
            seconds = (
                f"{row['seconds_at_most']:.0f} s ({row['threads']})"
                if row["seconds_at_most"]
                else "-"
            )
            pace = plain("images_per_second", 0)(row)
            if row.get("kinds_given"):
                model += f" ({row['kinds_given']} kinds given)"
            values = [
                SETS[source],
                model + marks.get(key, ""),
                str(row["seeds"]),
                seconds,
                pace,
                *(words(row) for _, words in columns),
            ]
            lines.append(f"| {' | '.join(values)} |")
    return "\n".join(lines)


def gallery(source: str) -> str:
    """Figures of a data set; for each strategy, those without a warp come first."""
    folder, lines = cells.RESULTS / FOLDER, []
    for strategy in ("beta-vae", "mixing-ae"):
        for name, words in PICTURES.items():
            paths = {
                kind: folder / f"{source}-{strategy}-{kind}-0-{name}.png"
                for kind in ("identity", "warp")
            }
            found = [
                f"![{words}, {WITH[kind]}]({link(path)})\n"
                for kind, path in paths.items()
                if path.is_file()
            ]
            if found:
                lines += [f"### {STRATEGIES[strategy]}: {words}", "", *found]
    return "\n".join(lines).rstrip()


WITH = {"identity": "without a warp", "warp": "with a warp"}
PICTURES = {
    "templates": "held-out samples, their templates, their reconstructions",
    "interpolation": "from one sample to another, one part of the latents at a time",
    "traversal": "around one sample, one dimension at a time",
    "tsne": "t-SNE of the content codes, coloured by class",
}


def link(path: Path) -> str:
    """A path as the page writes it."""
    return f"../../benchmarks/results/{path.relative_to(cells.RESULTS)}"
