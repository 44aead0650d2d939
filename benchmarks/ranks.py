"""Mean ranks of methods over data sets, and the critical difference between them."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from unwarp.core import Array


def mean_ranks(scores: Array) -> Array:
    """Mean rank of each method (M,) from scores (sets, M); 1 is the best, ties share ranks."""
    return np.asarray(np.mean([rankdata(-row) for row in scores], 0))


def critical_difference(n_methods: int, n_sets: int, level: float = 0.05) -> float:
    """Critical difference of mean ranks by the Nemenyi test (Demsar 2006)."""
    quantile = float(studentized_range.ppf(1 - level, n_methods, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(n_methods * (n_methods + 1) / (6 * n_sets))


def alike(ranks: Array, difference: float) -> list[tuple[float, float]]:
    """Longest runs of at least two sorted mean ranks within `difference`, as (lowest, highest)."""
    order = np.sort(ranks)
    runs = [(low, float(order[order <= low + difference].max())) for low in order]
    return [
        run
        for i, run in enumerate(runs)
        if run[1] > run[0] and all(run[1] > other[1] for other in runs[:i])
    ]


def diagram(scores: Array, names: list[str]) -> Figure:
    """Critical-difference diagram of scores (sets, M); bars join methods without a difference."""
    ranks, difference = mean_ranks(scores), critical_difference(len(names), len(scores))
    figure = Figure(figsize=(8, 0.9 + 0.3 * len(names)), layout="constrained")
    axes = figure.subplots()
    worst = len(names)
    axes.plot([1, worst], [0, 0], color="black", lw=1)
    for tick in range(1, worst + 1):
        axes.plot([tick, tick], [0, 0.15], color="black", lw=1)
        axes.text(tick, 0.25, str(tick), ha="center", va="bottom", fontsize=9)
    axes.plot([1, 1 + difference], [1.15, 1.15], color="black", lw=2)
    axes.text(
        1 + difference + 0.05,
        1.15,
        f"critical difference {difference:.2f}",
        va="center",
        fontsize=9,
    )
    bars = alike(ranks, difference)
    for level, (low, high) in enumerate(bars):
        axes.plot(
            [low - 0.03, high + 0.03],
            [-0.25 - 0.2 * level] * 2,
            color="tab:blue",
            lw=4,
            solid_capstyle="butt",
        )
    for place, i in enumerate(np.argsort(ranks)):
        depth = -0.7 - 0.2 * len(bars) - 0.45 * place
        axes.plot([ranks[i], ranks[i], worst + 0.1], [0, depth, depth], color="gray", lw=0.8)
        axes.text(worst + 0.15, depth, f"{names[i]}  {ranks[i]:.2f}", va="center", fontsize=9)
    axes.set(xlim=(0.9, worst + 1.8), ylim=(-1.0 - 0.2 * len(bars) - 0.45 * len(names), 1.5))
    axes.axis("off")
    p = friedmanchisquare(*scores.T).pvalue
    axes.set_title(
        f"mean rank of 1-NN accuracy over {len(scores)} sets, 1 is best (Friedman p = {p:.2g})",
        fontsize=10,
    )
    return figure
