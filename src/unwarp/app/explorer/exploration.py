"""The state of the explorer: a model and its collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from unwarp._version import __version__
from unwarp.app.explorer.collection import Collection
from unwarp.app.explorer.columns import Column, columns_of
from unwarp.app.explorer.facts import model_facts
from unwarp.app.explorer.limits import Refusal
from unwarp.app.explorer.maps import BackgroundMap, pca_points
from unwarp.app.explorer.neighbours import Neighbours, ValueNeighbours
from unwarp.app.explorer.views import Viewer
from unwarp.core import Array


@dataclass(frozen=True, eq=False)
class Exploration:
    """A model and its collection, with maps and neighbours.

    Attributes:
        viewer: The model.
        collection: The collection; it may be empty.
        name: Name of the run or the model.
        folder: Run folder that keeps the points of t-SNE; None for none.
        notes: Sentences that the page shows.

    >>> from unwarp import Unwarper
    >>> from unwarp.app.explorer.collection import empty_collection
    >>> X = np.random.default_rng(0).random((8, 12))
    >>> viewer = Viewer(Unwarper("time", max_steps=1, n_clusters=2).fit(X))
    >>> exploration = Exploration(viewer, empty_collection(viewer), "empty")
    >>> exploration.facts["n_samples"], exploration.facts["domain"]
    (0, 'series')
    """

    viewer: Viewer
    collection: Collection
    name: str
    folder: Path | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def facts(self) -> dict[str, Any]:
        """All that the page needs to know first."""
        return {
            "name": self.name,
            "version": __version__,
            "notes": list(self.notes),
            **model_facts(self.viewer, self.collection, self.columns.values()),
        }

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Columns of the collection by name."""
        return columns_of(self.collection)

    @cached_property
    def pca(self) -> Array:
        """Principal components of the content codes (N, 2)."""
        return pca_points(self.collection.content)

    @cached_property
    def tsne(self) -> BackgroundMap:
        """t-SNE of the content codes, which is computed in the background."""
        return BackgroundMap(self.collection.content, self.folder)

    @cached_property
    def content_neighbours(self) -> Neighbours:
        """Neighbours by content codes."""
        return Neighbours(self.collection.content)

    @cached_property
    def value_neighbours(self) -> ValueNeighbours:
        """Neighbours by pixels or values."""
        return ValueNeighbours.of(self.collection)

    def prepare(self) -> None:
        """Compute everything that no request should wait for, except t-SNE."""
        _ = self.facts, self.pca, self.content_neighbours, self.value_neighbours

    def column(self, name: str) -> Column:
        """A column by its name.

        Args:
            name: The name.

        Raises:
            Refusal: There is none.
        """
        if name not in self.columns:
            raise Refusal(
                404, f"column {name!r} is unknown; choose from {', '.join(self.columns) or 'none'}"
            )
        return self.columns[name]

    def check_rows(self, rows: Sequence[int]) -> Array:
        """Rows of the collection as an array (M,).

        Args:
            rows: The rows.

        Raises:
            Refusal: One of them does not exist.
        """
        index, n = np.asarray(rows, np.int64), len(self.collection)
        absent = index[(index < 0) | (index >= n)]
        if len(absent):
            there = f"choose numbers from 0 to {n - 1}" if n else "the explorer has no data"
            raise Refusal(404, f"sample {absent[0]} does not exist; {there}")
        return index
