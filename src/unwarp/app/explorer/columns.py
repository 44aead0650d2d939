"""Columns of the collection: labels, clusters, deformations and errors, with histograms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from unwarp.app.explorer.collection import Collection
from unwarp.core import Array

MAX_CATEGORIES = 100
"""Greatest number of different labels that are categories; more numbers are a column of numbers."""

BINS = 40
"""Number of bins of a histogram."""

ROWS_PER_BLOCK = 5000
"""Rows of a table that are written at once."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column of N numbers, or of N categories.

    Attributes:
        name: Name of the column in addresses.
        title: Name for people, without the unit.
        unit: Unit; empty for none.
        values: Numbers (N,), float32; for categories their index, NaN for none.
        categories: Names of the categories; None for numbers.

    >>> column = Column("error", "error", "", np.array([0.0, 1.0], np.float32))
    >>> column.facts()["low"], column.summary(np.array([1]))["mean"]
    (0.0, 1.0)
    """

    name: str
    title: str
    unit: str
    values: Array
    categories: tuple[str, ...] | None = None

    def facts(self) -> dict[str, Any]:
        """The column without its values, for the page."""
        finite = self.values[np.isfinite(self.values)]
        is_number = self.categories is None and finite.size > 0
        return {
            "name": self.name,
            "title": self.title,
            "type": "number" if self.categories is None else "category",
            "unit": self.unit,
            "categories": None if self.categories is None else list(self.categories),
            "low": float(finite.min()) if is_number else None,
            "high": float(finite.max()) if is_number else None,
        }

    def histogram(self) -> dict[str, Any]:
        """Counts of categories, or of numbers in bins."""
        finite = self.values[np.isfinite(self.values)].astype(np.float64)
        if self.categories is not None:
            counts = np.bincount(finite.astype(int), minlength=len(self.categories))
            return {"categories": list(self.categories), "counts": counts.tolist()}
        if not finite.size:
            return {"edges": [0.0, 1.0], "counts": [0]}
        counts, edges = np.histogram(finite, BINS)
        return {"edges": edges.tolist(), "counts": counts.tolist()}

    def summary(self, rows: Array) -> dict[str, Any]:
        """Mean and ends, or counts of categories, of a selection.

        Args:
            rows: Rows (M,).
        """
        values = self.values[rows].astype(np.float64)
        values = values[np.isfinite(values)]
        if self.categories is not None:
            counts = np.bincount(values.astype(int), minlength=len(self.categories))
            names = zip(self.categories, counts.tolist(), strict=True)
            return {"counts": {name: count for name, count in names if count}}
        if not values.size:
            return {"mean": None, "low": None, "high": None}
        return {
            "mean": float(values.mean()),
            "low": float(values.min()),
            "high": float(values.max()),
        }

    def text(self, row: int) -> str | None:
        """The category of a sample; None for none, or for numbers.

        Args:
            row: The sample.
        """
        value = self.values[row]
        if self.categories is None or not np.isfinite(value):
            return None
        return self.categories[int(value)]

    def number(self, row: int) -> float | None:
        """The number of a sample; None if it is not finite.

        Args:
            row: The sample.
        """
        value = float(self.values[row])
        return value if np.isfinite(value) else None


def columns_of(collection: Collection) -> dict[str, Column]:
    """All columns of a collection by name.

    Args:
        collection: The collection; an empty one has no columns.
    """
    if not len(collection):
        return {}
    columns = [] if collection.labels is None else [_label_column(collection.labels)]
    clusters = collection.cluster
    names = tuple(str(k) for k in range(int(clusters.max()) + 1))
    columns.append(Column("cluster", "cluster", "", clusters.astype(np.float32), names))
    units = collection.table.attrs["units"]
    for name in collection.table:
        title = str(name).removesuffix(f"_{units[name]}").replace("_", " ")
        values = collection.table[name].to_numpy(np.float32)
        columns.append(Column(str(name), title, units[name], values))
    error = collection.error.astype(np.float32)
    columns.append(Column("error", "reconstruction error", "", error))
    return {column.name: column for column in columns}


def _label_column(labels: Array) -> Column:
    """Labels as categories, or as numbers if they have very many values."""
    labels = np.asarray(labels)
    if labels.ndim > 1:
        labels = labels[:, 0]
    categories, index = np.unique(labels.astype(str), return_inverse=True)
    if labels.dtype.kind in "iuf":
        numbers, index = np.unique(labels, return_inverse=True)
        if len(numbers) > MAX_CATEGORIES:
            return Column("label", "label", "", labels.astype(np.float32))
        categories = np.array([f"{number:g}" for number in numbers])
    return Column("label", "label", "", index.astype(np.float32), tuple(map(str, categories)))


def csv_blocks(collection: Collection, columns: dict[str, Column], rows: Array) -> Iterator[str]:
    """A selection as text with commas, block by block.

    Args:
        collection: The collection.
        columns: Its columns.
        rows: Rows (M,).

    Yields:
        The line of names, then lines of samples: index, id, columns and content codes.
    """
    for start in range(0, max(1, len(rows)), ROWS_PER_BLOCK):
        part = rows[start : start + ROWS_PER_BLOCK]
        table: dict[str, Any] = {"index": part, "id": collection.names[part]}
        for name, column in columns.items():
            is_number = column.categories is None
            table[name] = column.values[part] if is_number else [column.text(i) for i in part]
        for k in range(collection.content.shape[1]):
            table[f"content_{k}"] = collection.content[part, k]
        yield pd.DataFrame(table).to_csv(index=False, header=start == 0, float_format="%.6g")
