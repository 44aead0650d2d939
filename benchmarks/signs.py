"""Signs of lags without labels: unexplained variance, reversal, and ranks of neighbours.

    python -m benchmarks.signs                    cells without a result file, then the page
    python -m benchmarks.signs --cell ucr/Trace   one cell
    python -m benchmarks.signs --quick            one small cell, written nowhere
    python -m benchmarks.signs --table            the page alone, from the result files

A cell `ucr/SET` looks at the training part of a set, a cell `lags/NOISE` at series with known lags
and noise of this standard deviation. Two thirds of the series are searched for lags. On the rest:

* `ratio` is the `lag_ratio`, which the selection of a warp uses;
* `reversal` is the gain of distances to nearest neighbours (the logarithm of a squared distance),
  less the gain of the same search on series that run backwards;
* `rank` is by how much better the aligned nearest neighbour stands among elastic neighbours than
  the observed one, as a share of all neighbours.
"""

from __future__ import annotations

import json
import math

import numpy as np
import torch
from torch import Tensor

from benchmarks import cells
from benchmarks.cases import series
from benchmarks.series_sets import UCR
from unwarp.datasets import ucr
from unwarp.distances import ADTW
from unwarp.distances.values_and_slopes import shorten
from unwarp.estimators.choices import MIN_LAG_RATIO
from unwarp.estimators.evidence import lag_ratio
from unwarp.estimators.trials import folds
from unwarp.models.lags.search import LagSearch
from unwarp.warps import TimeShift, align, interpolate_missing

FOLDER, PAGE = "signs", "docs/guide/how_much_to_warp.md"
NOISE = ("0", "0.3", "1", "2")
NAMES = (*(f"lags/{noise}" for noise in NOISE), *(f"ucr/{name}" for name in UCR))
MIN_REVERSAL, MIN_RANK = 0.5, 0.02
"""Thresholds that part the sets which lags help from the others, for the table."""


def series_of(name: str) -> Tensor:
    """Standardised series (N, C, T) of a cell."""
    kind, where = name.split("/")
    if kind == "ucr":
        x = interpolate_missing(ucr.load("train", where).x)
    else:
        values = np.stack(series.lags(0).x)[:, None]
        noise = np.random.default_rng(1).normal(size=values.shape)
        x = torch.from_numpy(values / values.std() + float(where) * noise).float()
    return (x - x.mean()) / x.std()


@torch.no_grad()
def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Not used; every cell is short.
    """
    x = series_of(name)
    training, held_out = (x[rows] for rows in next(folds(len(x), 0)))
    search = LagSearch((x.shape[1], x.shape[2]), TimeShift(size=(x.shape[2],)))
    search.fit(training)
    pair = training, held_out
    reverse = training.flip(-1), held_out.flip(-1)
    aligned = [align(part, search(part), padding="border") for part in pair]
    backwards = [align(part, search(part), padding="border") for part in reverse]
    elastic = ADTW()(shorten(held_out), shorten(training))
    scores = {
        "ratio": lag_ratio(*pair),
        "reversal": gain(pair, aligned) - gain(reverse, backwards),
        "rank": rank(elastic, pair) - rank(elastic, aligned),
    }
    return {"n": len(x), "scores": {key: round(value, 3) for key, value in scores.items()}}


def distances(pair: tuple[Tensor, Tensor] | list[Tensor]) -> Tensor:
    """Euclidean distances of held-out from training series, (M, N)."""
    training, held_out = pair
    return torch.cdist(held_out.flatten(1), training.flatten(1))


def gain(before: tuple[Tensor, Tensor], after: list[Tensor]) -> float:
    """Logarithm of the nearest squared distance before over after."""
    squares = [float(distances(pair).amin(1).square().mean()) for pair in (before, after)]
    return math.log(squares[0] / max(squares[1], 1e-12))


def rank(elastic: Tensor, pair: tuple[Tensor, Tensor] | list[Tensor]) -> float:
    """Mean rank, 0 to 1, of the nearest neighbours among elastic ones (M, N)."""
    ranks = elastic.argsort(1).argsort(1) / (elastic.shape[1] - 1)
    return float(ranks.gather(1, distances(pair).argmin(1, keepdim=True)).mean())


def table() -> None:
    """Rebuild the table of the page from the result files."""
    heads = ["series", "unexplained variance without lags, over with", "reversal", "rank"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    others = []
    for name in NAMES:
        path = cells.RESULTS / FOLDER / f"{name}.json"
        if not path.is_file():
            continue
        scores = json.loads(path.read_text())["scores"]
        limits = {"ratio": MIN_LAG_RATIO, "reversal": MIN_REVERSAL, "rank": MIN_RANK}
        kind, where = name.split("/")
        if kind == "ucr" and all(scores[key] < limit for key, limit in limits.items()):
            others.append(scores)
            continue
        words = where if kind == "ucr" else f"known lags, noise {where}"
        bold = [("**{}**" if scores[k] >= limit else "{}") for k, limit in limits.items()]
        numbers = (f"{scores['ratio']:.1f}", f"{scores['reversal']:.2f}", f"{scores['rank']:.3f}")
        filled = [form.format(number) for form, number in zip(bold, numbers, strict=True)]
        lines.append(f"| {words} | {' | '.join(filled)} |")
    if others:
        ratio, reversal, best = (max(s[k] for s in others) for k in ("ratio", "reversal", "rank"))
        words = f"{len(others)} other sets, the greatest"
        lines.append(f"| {words} | {ratio:.1f} | {reversal:.2f} | {best:.3f} |")
    cells.quote("signs", "\n".join(lines), PAGE)


def main() -> None:
    """Run the benchmark from the command line."""
    cells.command(__doc__, FOLDER, NAMES, cell, table, quick=("ucr/ECGFiveDays",))


if __name__ == "__main__":
    main()
