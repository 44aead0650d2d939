"""The page of `benchmarks.series`: tables and a diagram from its result files, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks import cells, ranks
from benchmarks.series_sets import SETS, UCR

FOLDER, PAGE = "series", "docs/results/series.md"
KINDS = ("choice", "raw", "dtw", "auto", "one-stage")
Row = dict[str, Any]
METHODS = {
    "raw_1nn": "Euclidean, raw",
    "auto_aligned_1nn": "Euclidean, aligned (auto)",
    "one-stage_aligned_1nn": "Euclidean, aligned (one-stage)",
    "dtw_1nn": "DTW, learned window",
}


def write(names: Sequence[str]) -> None:
    """Rebuild the summary, the diagram and the page from the result files that are there."""
    rows, kept = summary(names), cells.RESULTS / "series.json"
    same = kept.is_file() and json.loads(kept.read_text()) == rows
    cells.write(kept, rows)
    sets = [row for row in (joined(rows, name) for name in SETS) if "auto_aligned_1nn" in row]
    ucr = [row for row in sets if row["set"].startswith("ucr/")]
    cells.quote("ucr", recordings(ucr), PAGE)
    cells.quote("means", means(ucr), PAGE)
    cells.quote("uea", channels([row for row in sets if row["set"].startswith("uea/")]), PAGE)
    cells.quote("classes", classes(rows), PAGE)
    cells.quote("fork", forks(rows), PAGE)
    cells.quote("bumps", known(rows), PAGE)
    cells.quote("speed", paces(rows), PAGE)
    complete = [row for row in ucr if all(name in row for name in METHODS)]
    picture = cells.RESULTS / FOLDER / "ranks.png"
    if len(complete) == len(UCR) and not (
        same and picture.is_file()
    ):  # another machine's fonts would draw it anew
        scores = np.array([[row[name] for name in METHODS] for row in complete])
        ranks.diagram(scores, list(METHODS.values())).savefig(picture, dpi=130)
    for part in (
        recordings(ucr),
        means(ucr),
        channels(sets),
        classes(rows),
        forks(rows),
        known(rows),
        paces(rows),
    ):
        print(part, end="\n\n")


def summary(names: Sequence[str]) -> dict[str, Row]:
    """Median over seeds of every score by cell, with the range of aligned 1-NN and RMSE."""
    groups: dict[str, list[cells.Result]] = {}
    for name in names:
        path = cells.RESULTS / FOLDER / f"{name}.json"
        if path.is_file():
            groups.setdefault(name.rsplit("/", 1)[0], []).append(json.loads(path.read_text()))
    rows: dict[str, Row] = {}
    for name, results in groups.items():
        rows[name] = {"seeds": len(results), **cells.medians(results)}
        for score in ("aligned_1nn", "aligned_rmse"):
            values = [result["scores"][score] for result in results if score in result["scores"]]
            rows[name] |= (
                {f"{score}_low": min(values), f"{score}_high": max(values)} if values else {}
            )
        seconds = [result["seconds"] for result in results if "seconds" in result]
        rows[name] |= {"seconds": median(seconds)} if seconds else {}
        rows[name] |= results[0].get("sizes", {})
        if "choice" in results[0]:
            rows[name] |= {
                "choice": results[0]["choice"],
                "saved": mean(results[0]["saved"] or [0.0]),
            }
    return rows


def joined(rows: Mapping[str, Row], name: str) -> Row:
    """All that is known of a set, in one row; scores of learned models carry the kind's name."""
    found: Row = {"set": name}
    for kind in KINDS:
        head = f"{kind}_" if kind in ("auto", "one-stage", "choice") else ""
        found |= {f"{head}{key}": value for key, value in rows.get(f"{name}/{kind}", {}).items()}
    return found


def harmed(row: Row) -> bool:
    """Whether alignment lost more of the raw accuracy than `allowance`."""
    return bool(row["auto_aligned_1nn"] < row["raw_1nn"] - allowance(row))


def allowance(row: Row) -> float:
    """What a set may lose: .02 and two of its test samples, whichever is more."""
    return max(0.02, 2 / row["n_test"]) + 1e-9


def share(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:.3f}" if name in row else "-"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join([f"| {' | '.join(each)} |" for each in (heads, ["---"] * len(heads), *lines)])


def recordings(sets: Sequence[Row]) -> str:
    """A row a set: what was chosen, and the accuracy of the nearest neighbour."""
    heads = [
        "set",
        "train, test, length",
        "warp (nats saved)",
        "raw",
        "aligned (lowest)",
        "one-stage",
        "DTW (window)",
        "codes",
        "s",
    ]
    lines = []
    for row in sets:
        size = f"{row['n_train']}, {row['n_test']}, {row['length']}"
        lowest = f"{share(row, 'auto_aligned_1nn')} ({share(row, 'auto_aligned_1nn_low')})" + (
            " *" if harmed(row) else ""
        )
        dtw = (
            f"{share(row, 'dtw_1nn')} ({row['window_percent']:.0f} %)" if "dtw_1nn" in row else "-"
        )
        chosen = (
            f"{row['choice_choice']} ({math.floor(row['choice_saved'])})"
            if "choice_choice" in row
            else "-"
        )
        own = [
            share(row, "raw_1nn"),
            lowest,
            share(row, "one-stage_aligned_1nn"),
            dtw,
            share(row, "auto_codes_1nn"),
        ]
        lines.append(
            [row["set"].split("/")[1], size, chosen, *own, f"{row.get('auto_seconds', 0):.0f}"]
        )
    return table(heads, lines)


def means(sets: Sequence[Row]) -> str:
    """Means over the sets that every method has been measured on."""
    done = [row for row in sets if all(name in row for name in METHODS)]
    if not done:
        return "No set is complete yet."
    lines = [[words, f"{mean(row[name] for row in done):.4f}"] for name, words in METHODS.items()]
    lost = [row["set"].split("/")[1] for row in done if harmed(row)]
    names = ", ".join(lost) or "none"
    words = f"Below raw by more than .02 and by more than two test samples: {names}."
    return f"{table(['1-NN', f'mean over {len(done)} sets'], lines)}\n\n{words}"


def channels(sets: Sequence[Row]) -> str:
    """A row a set of several channels."""
    heads = [
        "set",
        "train, test, channels, length",
        "warp (nats saved)",
        "raw 1-NN",
        "aligned 1-NN",
        "codes 1-NN",
        "DTW 1-NN",
        "s",
    ]
    own = [row for row in sets if row["set"].startswith("uea/")]
    names = ("raw_1nn", "auto_aligned_1nn", "auto_codes_1nn", "dtw_1nn")
    lines = [
        [
            row["set"].split("/")[1],
            f"{row['n_train']}, {row['n_test']}, {row['channels']}, {row['length']}",
            f"{row['choice_choice']} ({math.floor(row['choice_saved'])})",
            *(share(row, name) for name in names),
            f"{row.get('auto_seconds', 0):.0f}",
        ]
        for row in own
    ]
    return table(heads, lines)


NAMED = ("Trace", "GunPoint", "CBF", "ECGFiveDays")


def classes(rows: Mapping[str, Row]) -> str:
    """Nearest class means of the sets that others report, with one to three means a class."""
    heads = [
        "set",
        "raw, 1 mean",
        "aligned, 1 mean",
        "2 means",
        "3 means",
        "codes, 1 mean",
        "aligned 1-NN",
    ]
    names = (
        "raw_centroid",
        *(f"auto_aligned_{n}" for n in ("centroid", "centroids_2", "centroids_3")),
        "auto_codes_centroid",
    )
    found = [joined(rows, f"ucr/{name}") for name in NAMED]
    return table(
        heads,
        [
            [row["set"].split("/")[1], *(share(row, n) for n in (*names, "auto_aligned_1nn"))]
            for row in found
        ],
    )


FORKS = {"smooth": "this library", "one-stage": "one-stage, rate-invariant", "none": "no warp"}
PUBLISHED = {
    "TimewarpVAE, published": ".233",
    "rate-invariant autoencoder, published": ".316 +- .188",
    "beta-VAE, published": ".343",
}


def forks(rows: Mapping[str, Row]) -> str:
    """Table of fork trajectories: error of templates, accuracy of the speed condition."""
    heads = [
        "model",
        "aligned RMSE (lowest, highest)",
        "speed from timing, 5-NN",
        "speed from content, 5-NN",
        "training",
    ]
    lines = []
    for kind, words in FORKS.items():
        row = rows.get(f"fork/{kind}", {})
        middle, low, high = (share(row, f"aligned_rmse{end}") for end in ("", "_low", "_high"))
        ends = f"{middle} ({low}, {high})"
        spent = f"{row['seconds']:.0f} s" if "seconds" in row else "-"
        lines.append([words, ends, share(row, "timing_5nn"), share(row, "content_5nn"), spent])
    return table(
        heads, [*lines, *([name, value, "-", "-", "-"] for name, value in PUBLISHED.items())]
    )


def known(rows: Mapping[str, Row]) -> str:
    """Synthetic series with known maps."""
    row = rows.get("bumps/smooth", {})
    heads = [
        "aligned, class means",
        "codes, class means",
        "k-means on codes",
        "relative warp error",
        "variance removed",
        "training",
    ]
    gone = f"{1 - row['variance_left']:.3f}" if "variance_left" in row else "-"
    spent = f"{row['seconds']:.0f} s" if "seconds" in row else "-"
    names = ("aligned_centroid", "codes_centroid", "codes_acc", "warp_error")
    return table(heads, [[*(share(row, name) for name in names), gone, spent]])


def paces(rows: Mapping[str, Row]) -> str:
    """Seconds to align 10,000 series, and how many times longer the others take."""
    heads = ["length", "this library", "dtaidistance (C)", "its 10 % window", "tslearn"]
    lines = []
    for length in ("128", "512"):
        row = rows.get(f"speed/{length}", {})
        if row:
            others = [
                f"{row[f'{name}_seconds']:.2f} s, {row[f'{name}_ratio']:.2f} x" for name in RIVALS
            ]
            lines.append([length, f"{row['unwarp_seconds']:.2f} s", *others])
    row = rows.get("speed/distances", {})
    pairs = (
        f"Elastic distances in a band of 10 %, 128 steps: {row['adtw_pairs']:,.0f} pairs a second "
        f"by `ADTW`, {row['dtaidistance_pairs']:,.0f} by dtaidistance (DTW in C); ratio "
        f"{row['ratio']:.2f}."
        if row
        else ""
    )
    row = rows.get("speed/training", {})
    pace = (
        f"Training: {row['observations']:.0f} series a second ({row['slowest']:.0f} to "
        f"{row['quickest']:.0f} in five rounds), and as many moved copies of them."
        if row
        else ""
    )
    row = rows.get("speed/memory", {})
    peaks = [f"{int(n):,} series take {peak:.0f} MB" for n, peak in row.items() if n.isdigit()]
    room = (
        f"Memory to align, beside the series before and after: {', '.join(peaks)}." if peaks else ""
    )
    return "\n\n".join(part for part in (table(heads, lines), pairs, pace, room) if part)


RIVALS = ("dtaidistance", "dtaidistance_window", "tslearn")
