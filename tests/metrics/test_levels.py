"""Levels of factors, bins of latents, and information counted from them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from tests.metrics.codes import Measure, code
from unwarp.errors import DataError
from unwarp.metrics.disentanglement import dci, explicitness, mig, modularity, sap
from unwarp.metrics.interventional import betavae_score, factorvae_score, irs
from unwarp.metrics.levels import bin_columns, factor_levels, mutual_information


def test_levels_are_ranks() -> None:
    """Levels are ranks of the values of factors that vary."""
    values = np.array([[0.5, 1.0, 7], [2.0, 1.0, 7], [0.5, 1.0, -3], [1.0, 1.0, 7]])
    assert factor_levels(values).tolist() == [[0, 1], [2, 1], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    "measure", [betavae_score, factorvae_score, mig, dci, sap, modularity, explicitness, irs]
)
def test_invalid_arrays_are_refused(measure: Measure) -> None:
    """The error names the array that is not a finite table, or does not fit."""
    codes, factors = code("clean")
    with pytest.raises(DataError, match="latents has 1199 rows"):
        measure(codes[1:], factors)
    with pytest.raises(DataError, match="latents has nan at index"):
        measure(np.where(codes > 2, np.nan, codes), factors)
    with pytest.raises(DataError, match="latents is an array of shape"):
        measure(codes[:, 0], factors)
    with pytest.raises(DataError, match="latents is an array of shape"):
        measure(codes[:, :0], factors)
    with pytest.raises(DataError, match="factor_values is an array of shape"):
        measure(codes, factors[:, 0])
    with pytest.raises(DataError, match="factor_values is an array of shape"):
        measure(codes, factors.astype(str))
    with pytest.raises(DataError, match="0 columns that vary"):
        measure(codes, np.ones_like(factors))


def test_bins_are_of_equal_width() -> None:
    """Bins divide the range of each column; both extremes are inside."""
    columns = np.array([[0.0, 10.0], [0.9, 10.0], [1.0, 20.0], [2.0, 15.0], [4.0, 12.0]])
    assert bin_columns(columns, bins=4)[:, 0].tolist() == [1, 1, 2, 3, 4]
    assert bin_columns(columns, bins=2)[:, 1].tolist() == [1, 1, 2, 2, 1]


def test_information_agrees_with_sklearn() -> None:
    """Each entry is the mutual information of a pair of columns in nats."""
    a, b = np.random.default_rng(0).integers(0, 4, (2, 200, 3))
    expected = [[mutual_info_score(left, right) for right in b.T] for left in a.T]
    assert mutual_information(a, b) == pytest.approx(np.array(expected))
