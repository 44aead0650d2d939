"""Columns: labels of any kind, histograms and summaries."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.app.explorer.collection import empty_collection
from unwarp.app.explorer.columns import Column, _label_column, columns_of
from unwarp.app.explorer.exploration import Exploration


def test_columns_are_those_of_the_tables(images: Exploration) -> None:
    """Label, cluster, every column of the deformation, and the error."""
    table = images.viewer.unwarper.transform_params(images.collection.samples)
    assert list(images.columns) == ["label", "cluster", *table, "error"]
    facts = images.columns["rotation_deg"].facts()
    assert (facts["title"], facts["unit"]) == ("rotation", "deg")
    assert (facts["low"], facts["high"]) == pytest.approx(
        (table["rotation_deg"].min(), table["rotation_deg"].max()), rel=1e-4
    )
    assert columns_of(empty_collection(images.viewer)) == {}


@pytest.mark.parametrize(
    ("labels", "categories"),
    [
        (np.array(["b", "a", "b"]), ("a", "b")),
        (np.array([10, 9, 10]), ("9", "10")),
        (np.array([True, False, True]), ("False", "True")),
        (np.array([[2.0, 7.0], [1.0, 7.0], [2.0, 7.0]]), ("1", "2")),
    ],
)
def test_labels_are_categories(labels: np.ndarray, categories: tuple[str, ...]) -> None:
    """Numbers stand in their order, and the first of several labels counts."""
    column = _label_column(labels)
    assert column.categories == categories
    assert column.values.tolist() == [1, 0, 1] and column.text(1) == categories[0]


def test_many_numbers_are_no_categories() -> None:
    """More than 100 different numbers are a column of numbers."""
    column = _label_column(np.arange(101) / 2)
    assert column.categories is None and column.number(3) == 1.5 and column.text(3) is None


def test_histograms_count_all() -> None:
    """Each sample with a value is in one bin or category."""
    values = np.append(np.random.default_rng(0).normal(size=200), np.nan).astype(np.float32)
    histogram = Column("x", "x", "", values).histogram()
    assert sum(histogram["counts"]) == 200
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    kinds = Column("x", "x", "", np.array([0, 2, 2, np.nan]), ("a", "b", "c"))
    assert kinds.histogram()["counts"] == [1, 0, 2]
    assert kinds.summary(np.array([1, 3])) == {"counts": {"c": 1}}


def test_missing_values_have_no_summary() -> None:
    """A column without numbers has neither ends nor a mean."""
    column = Column("x", "x", "", np.full(3, np.nan, np.float32))
    assert column.facts()["low"] is None and column.number(0) is None
    assert column.summary(np.arange(3)) == {"mean": None, "low": None, "high": None}
    assert column.histogram()["counts"] == [0]
