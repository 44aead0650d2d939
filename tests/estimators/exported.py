"""Small trained models for tests of exports, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unwarp import AE, Unwarper
from unwarp.core import Array
from unwarp.models import Net
from unwarp.warps import Affine2d, Chain, CosineTime, Rigid2d, TimeShift

NET = Net("mlp", (8,), (8,))
COMMON: Mapping[str, Any] = {"net": NET, "refinements": 1, "passes": (1, 1), "n_content": 3}
RECIPES = {
    "affine": AE(warp=Affine2d(), start="centroid", **COMMON),
    "circle": AE(warp=Rigid2d(rotation=180), start="centroid", starts=2, pose_clusters=2, **COMMON),
    "gradients": AE(warp=Affine2d(), start="centroid", content="gradients", **COMMON),
    "time": AE(warp=CosineTime(cells=16, waves=4), **COMMON),
    "shift": AE(warp=TimeShift(), **{**COMMON, "refinements": 0}),
    "chain": AE(warp=Chain(CosineTime(cells=16, waves=4), TimeShift()), **COMMON),
}
"""Recipes of small models, by a word for their warp."""


def pictures(n: int = 24, side: int = 14) -> Array:
    """Pictures (n, 1, side, side) of turned bars of two widths, in steps from 10 to 210."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:side, :side]
    result = np.zeros((n, 1, side, side), np.float32)
    for i in range(n):
        angle, (cx, cy) = rng.uniform(-0.5, 0.5), side / 2 + rng.uniform(-1.5, 1.5, 2)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        result[i, 0] = 10 + 200 * np.exp(-((u / 4) ** 2) - (v / (1 + i % 2)) ** 2)
    return result


def series(n: int = 24, n_steps: int = 40) -> Array:
    """Series (n, 1, n_steps) of hurried waves about 5."""
    rng, moments = np.random.default_rng(0), np.linspace(0, 1, n_steps)
    rows = [np.sin(12 * moments ** rng.uniform(0.7, 1.4)) + (i % 2) * moments for i in range(n)]
    return (5 + 3 * np.stack(rows)[:, None]).astype(np.float32)


def fitted(recipe: str, X: Array | None = None, **arguments: Any) -> tuple[Unwarper, Array]:
    """A trained model of a recipe, and its samples."""
    family = RECIPES[recipe]
    if X is None:
        X = series() if family.warp.domain == "series" else pictures()
    options = {"max_steps": 15, "n_clusters": 2, "refine": "none", "device": "cpu"} | arguments
    return Unwarper(recipe=family, **options).fit(X), X


def results(unwarper: Unwarper, X: Array) -> dict[str, Array]:
    """What the estimator returns for the functions of an export."""
    return {
        "pose": unwarper.transform_params(X).to_numpy(),
        "align": unwarper.align(X),
        "embed": unwarper.transform(X),
        "template": unwarper.template(X),
    }


def greatest_difference(values: Any, expected: Array) -> float:
    """Greatest difference over the range of the expected values."""
    return float(np.abs(np.asarray(values) - expected).max() / np.ptp(expected))
