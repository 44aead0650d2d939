"""The graph of an export gives what the estimator gives, from the user's units and size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.exported import (
    RECIPES,
    fitted,
    greatest_difference,
    pictures,
    results,
    series,
)
from unwarp.core import Array
from unwarp.data.light import fit_image_scaler
from unwarp.data.scale_fitting import fit_sample_scaler
from unwarp.data.working_size import resize_smoothly
from unwarp.estimators.export_graph import (
    FUNCTIONS,
    ExportGraph,
    PictureScale,
    Resizing,
    SeriesScale,
)

CASES: dict[str, tuple[str, Array | None, dict[str, Any]]] = {
    **{name: (name, None, {}) for name in RECIPES},
    "smaller": ("affine", pictures(side=40), {"working_size": 20}),
    "smaller series": ("time", series(n_steps=90), {"working_size": 30}),
    "each": ("time", None, {"scale": "each"}),
    "channel": ("shift", np.concatenate([series(), 9 * series()], 1), {"scale": "channel"}),
    "light": ("affine", pictures() * np.linspace(0.2, 1, 24)[:, None, None, None], {}),
    "far": ("shift", 1e6 + series().astype(float), {}),
}
"""A recipe, samples and arguments of `Unwarper` for each case."""


@pytest.mark.parametrize("case", CASES)
def test_graph_agrees_with_estimator(case: str) -> None:
    """All four functions, to 1e-5 of the range of their values, in the user's units and size."""
    recipe, samples, arguments = CASES[case]
    unwarper, X = fitted(recipe, samples, **arguments)
    graph = ExportGraph(unwarper, FUNCTIONS)
    assert graph.dtype == (torch.float64 if case == "far" else torch.float32)
    with torch.no_grad():
        outputs = graph(torch.as_tensor(X, dtype=graph.dtype))
    for name, values in zip(FUNCTIONS, outputs, strict=True):
        assert greatest_difference(values, results(unwarper, X)[name]) < 1e-5, name
    assert [factor.name for factor in graph.columns] == list(unwarper.transform_params(X))


def test_graph_leaves_the_model_alone() -> None:
    """The estimator trains on: the graph holds a copy of its weights."""
    unwarper, _ = fitted("shift")
    ExportGraph(unwarper, ("pose",))
    assert all(weight.requires_grad for weight in unwarper.model_.encoder.parameters())


@pytest.mark.parametrize("sizes", [((13, 9), (5, 4)), ((5, 4), (13, 9)), ((9, 6), (9, 3))])
def test_matrices_resize_pictures(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """Smaller, larger, and along one axis alone."""
    size, target = sizes
    x = torch.rand(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Resizing(size, target)(x), resize_smoothly(x, target))


@pytest.mark.parametrize("target", [7, 41])
def test_matrices_resize_series(target: int) -> None:
    """Fewer steps, and more."""
    x = torch.rand(2, 3, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Resizing((20,), (target,))(x), resize_smoothly(x, (target,)))


@pytest.mark.parametrize("has_dark_ground", [True, False])
def test_pictures_have_their_light(has_dark_ground: bool) -> None:
    """Offset and factor of each picture are those that the data room fits."""
    x = np.random.default_rng(0).normal(size=(6, 2, 9, 7))
    x[0] = 3.0
    scaler = fit_image_scaler(x, has_dark_ground)
    offset, factor = PictureScale(has_dark_ground)(torch.from_numpy(x))
    np.testing.assert_allclose(offset, scaler.offset)
    np.testing.assert_allclose(factor, scaler.factor)


def test_series_have_their_scale() -> None:
    """Mean and deviation of each channel, and those of a constant one."""
    x = np.random.default_rng(0).normal(size=(5, 2, 30))
    x[1, 1] = 0.1
    scaler = fit_sample_scaler(x)
    offset, factor = SeriesScale()(torch.from_numpy(x))
    np.testing.assert_allclose(offset, scaler.offset)
    np.testing.assert_allclose(factor, scaler.factor)
