"""The state of the explorer: a model, its collection, and everything that the page asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp._version import __version__
from unwarp.app.explorer.collection import Collection, embed
from unwarp.app.explorer.columns import Column, columns_of, csv_blocks
from unwarp.app.explorer.limits import MAX_SAMPLES, Refusal
from unwarp.app.explorer.maps import BackgroundMap, pca_points
from unwarp.app.explorer.neighbours import Neighbours, ValueNeighbours, values_of
from unwarp.app.explorer.panels import exact, value_limits
from unwarp.app.explorer.sliders import time_unit
from unwarp.app.explorer.views import Viewer
from unwarp.core import Array
from unwarp.data.schema import Prepared

MAX_THUMBNAILS, THUMBNAIL_POINTS = 64, 64
"""Greatest number of thumbnails in an answer, and of points of a series in one."""

MAX_AVERAGED = 2000
"""Greatest number of samples of a selection that are averaged."""

PERCENTILES = (1.0, 99.0)
"""Percentiles of content codes that are the ends of their sliders."""

SAMPLES_FOR_RANGES = 2000
"""Random latents that stand for content codes where there are no data."""

LIMIT_SAMPLES = 1000
"""Samples that decide the range of the axes of series."""


@dataclass(frozen=True, eq=False)
class Exploration:
    """A model and its collection, as the page asks for them.

    Attributes:
        viewer: The model.
        collection: The collection; it may be empty.
        name: Name of the run or the model.
        folder: Run folder that keeps the points of t-SNE; None for none.
        notes: Sentences that the page shows.
    """

    viewer: Viewer
    collection: Collection
    name: str
    folder: Path | None = None
    notes: Sequence[str] = field(default_factory=tuple)

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
        """Compute everything that no request should wait for, and begin t-SNE."""
        _ = self.columns, self.pca, self.content_neighbours, self.value_neighbours, self.facts
        self.tsne.begin()

    @cached_property
    def facts(self) -> dict[str, Any]:
        """All that the page needs to know first."""
        viewer, schema = self.viewer, self.viewer.unwarper.schema_
        clusters = self.viewer.unwarper.cluster_centers_
        return {
            "name": self.name,
            "version": __version__,
            "domain": "image" if viewer.is_image else "series",
            "shape": list(viewer.shape),
            "n_samples": len(self.collection),
            "sampling_rate": schema.clock.sampling_rate,
            "time_unit": time_unit(viewer.unwarper),
            "value_unit": "" if viewer.is_image or viewer.has_user_units else "sd",
            "value_range": [float(value) for value in self._value_range()],
            "content": self._content_sliders(),
            "factors": self._factor_sliders(),
            "maps": ["pca", "tsne"],
            "columns": [column.facts() for column in self.columns.values()],
            "clusters": None if clusters is None else len(clusters),
            "notes": list(self.notes),
        }

    def _value_range(self) -> tuple[float, float]:
        """Ends of the axis of values."""
        if self.viewer.is_image:
            return 0.0, 1.0
        samples = self.collection.samples
        if samples is None:
            content = torch.as_tensor(self.viewer.unwarper.cluster_centers_).float()
            identity = torch.zeros(len(content), len(self.viewer.sliders.sliders))
            x = self.viewer.decoded(content, self.viewer.map_of(identity))[0]
        else:
            n = len(samples)
            rows = np.unique(np.linspace(0, n - 1, min(n, LIMIT_SAMPLES)).astype(int))
            x = self.viewer.observed(samples, rows)
        return value_limits(self.viewer.values(sample) for sample in x)

    def _content_sliders(self) -> list[dict[str, Any]]:
        """Name, range and mean of each dimension of the content code."""
        codes = self.collection.content
        if not len(codes):
            latents = self.viewer.unwarper.mixture_.sample(SAMPLES_FOR_RANGES)
            codes = latents[:, : codes.shape[1]]
        low, high = np.percentile(codes, PERCENTILES, axis=0)
        return [
            {
                "name": f"content_{k}",
                "low": float(low[k]),
                "high": float(high[k] if high[k] > low[k] else low[k] + 1),
                "mean": float(codes[:, k].mean()),
            }
            for k in range(codes.shape[1])
        ]

    def _factor_sliders(self) -> list[dict[str, Any]]:
        """Name, unit, range and identity of each slider of the deformation."""
        sliders = self.viewer.sliders
        ranges = sliders.ranges(self.collection.theta)
        return [
            {
                "name": slider.factor.name,
                "title": slider.title,
                "unit": slider.factor.unit,
                "low": low,
                "high": high,
                "identity": slider.identity,
                "periodic": slider.factor.periodic,
                "values": [0.0, 1.0] if slider.factor.discrete else None,
            }
            for slider, (low, high) in zip(sliders.sliders, ranges, strict=True)
        ]

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

    def sample(self, row: int) -> dict[str, Any]:
        """A sample with its panels and neighbours.

        Args:
            row: Its row.
        """
        rows = self.check_rows([row])
        view = next(self._views(self.collection, self.columns, rows))
        near = (self.content_neighbours, self.value_neighbours.neighbours)
        content, pixels = (neighbours.of_row(row) for neighbours in near)
        neighbours = {"content": content, "pixels": pixels}
        return view | {
            "index": row,
            "id": str(self.collection.names[row]),
            "neighbours": neighbours,
        }

    def _views(
        self, collection: Collection, columns: dict[str, Column], rows: Array
    ) -> Iterator[dict[str, Any]]:
        """Views of samples of a collection, without index, name and neighbours."""
        viewer, samples = self.viewer, collection.samples
        assert samples is not None
        content, theta = (torch.from_numpy(x[rows]) for x in (collection.content, collection.theta))
        observed, map = viewer.observed(samples, rows), viewer.map_of(theta)
        template, x_hat = viewer.decoded(content, map)
        refined = viewer.map_of(theta, samples, rows)
        aligned = viewer.aligned(observed, refined)
        sliders = viewer.sliders.values(collection.theta[rows])
        for i, row in enumerate(rows):
            texts = {
                name: columns[name].text(row) for name in ("label", "cluster") if name in columns
            }
            plain = {
                name: column.number(row)
                for name, column in columns.items()
                if column.categories is None
            }
            yield {
                "index": None,
                "id": None,
                "label": texts.get("label"),
                "cluster": texts.get("cluster"),
                "error": plain["error"],
                "content": exact(collection.content[row]),
                "deformation": sliders[i],
                "columns": plain,
                "panels": {
                    "observed": viewer.panel(observed[i]),
                    "aligned": viewer.panel(aligned[i]),
                    "template": viewer.panel(template[i]),
                    "reconstruction": viewer.panel(x_hat[i]),
                    "residual": viewer.residual(observed[i], x_hat[i]),
                },
                "warp": viewer.warp_curve(refined[i : i + 1]),
            }

    def thumbnails(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Samples as they are and aligned, small.

        Args:
            rows: At most 64 rows.
        """
        if len(rows) > MAX_THUMBNAILS:
            raise Refusal(422, f"rows has {len(rows)} numbers; give at most {MAX_THUMBNAILS}")
        index = self.check_rows(rows)
        if not len(index):
            return []
        observed, aligned = self._before_and_after(index)
        panel = self.viewer.panel
        return [
            {
                "index": int(row),
                "observed": panel(observed[i], THUMBNAIL_POINTS),
                "aligned": panel(aligned[i], THUMBNAIL_POINTS),
            }
            for i, row in enumerate(index)
        ]

    def _before_and_after(self, rows: Array) -> tuple[Tensor, Tensor]:
        """Samples (M, C, ...) as they are, and aligned."""
        samples = self.collection.samples
        assert samples is not None
        observed = self.viewer.observed(samples, rows)
        theta = torch.from_numpy(self.collection.theta[rows])
        return observed, self.viewer.aligned(observed, self.viewer.map_of(theta, samples, rows))

    def render(self, content: Sequence[float], deformation: dict[str, float]) -> dict[str, Any]:
        """The picture or series of values of the sliders.

        Args:
            content: A content code (D,).
            deformation: Values of sliders by name.
        """
        n, start = self.collection.content.shape[1], time.perf_counter()
        if len(content) != n:
            raise Refusal(422, f"content has {len(content)} numbers; give {n}")
        theta = self.viewer.sliders.theta(deformation)
        code = torch.tensor([list(content)], dtype=torch.float32).reshape(1, n)
        rendering = self.viewer.render(code, self.viewer.map_of(theta))
        return rendering | {"seconds": time.perf_counter() - start}

    def morph(self, rows: tuple[int, int], along: str, position: float) -> dict[str, Any]:
        """A place between two samples.

        Args:
            rows: Rows of both samples.
            along: `content`, `deformation` or `both`; the other part is that of the first sample.
            position: 0 at the first sample, 1 at the second.
        """
        first, last = self.check_rows(rows)
        shares = {
            "content": position if along in ("content", "both") else 0.0,
            "deformation": position if along in ("deformation", "both") else 0.0,
        }
        content, theta = (
            torch.from_numpy((1 - share) * x[[first]] + share * x[[last]])
            for share, x in (
                (np.float32(shares["content"]), self.collection.content),
                (np.float32(shares["deformation"]), self.collection.theta),
            )
        )
        return self.viewer.render(content, self.viewer.map_of(theta)) | {
            "content": exact(content[0].numpy()),
            "deformation": self.viewer.sliders.values(theta.numpy())[0],
        }

    def selection(self, rows: Sequence[int]) -> dict[str, Any]:
        """Means of a selection before and after alignment, and its columns.

        Args:
            rows: Rows of the selection.
        """
        index = np.unique(self.check_rows(rows))
        places = np.linspace(0, len(index) - 1, min(len(index), MAX_AVERAGED)).astype(int)
        averaged = index[places]
        sums = [
            self._before_and_after(part)
            for part in np.array_split(averaged, -(-len(averaged) // 200))
        ]
        before, after = (torch.cat(parts).nanmean(0) for parts in zip(*sums, strict=True))
        code = torch.from_numpy(self.collection.content[index].mean(0, keepdims=True))
        identity = torch.zeros(1, self.collection.theta.shape[1])
        template = self.viewer.decoded(code, self.viewer.map_of(identity))[0][0]
        return {
            "n": len(index),
            "n_averaged": len(averaged),
            "mean_observed": self.viewer.panel(before),
            "mean_aligned": self.viewer.panel(after),
            "template": self.viewer.panel(template),
            "columns": {name: column.summary(index) for name, column in self.columns.items()},
        }

    def export(self, rows: Sequence[int]) -> Iterator[str]:
        """Blocks of a table of a selection, as text with commas.

        Args:
            rows: Rows of the selection.
        """
        return csv_blocks(self.collection, self.columns, self.check_rows(rows))

    def embed(self, samples: Prepared) -> dict[str, Any]:
        """Codes, deformations and clusters of own samples.

        Args:
            samples: At most 256 prepared samples.
        """
        collection, columns = self._embedded(samples)
        rows = range(len(collection))
        return {
            "content": [exact(code) for code in collection.content],
            "deformation": self.viewer.sliders.values(collection.theta),
            "columns": [
                {name: c.number(row) for name, c in columns.items() if c.categories is None}
                for row in rows
            ],
            "cluster": [columns["cluster"].text(row) for row in rows],
        }

    def align(self, samples: Prepared) -> dict[str, Any]:
        """Views of own samples, with their neighbours in the collection.

        Args:
            samples: At most 256 prepared samples.
        """
        collection, columns = self._embedded(samples)
        points = values_of(samples[:], self.value_neighbours.size or samples.shape[2:])
        pixels = self.value_neighbours.neighbours
        views = self._views(collection, columns, np.arange(len(collection)))
        return {
            "samples": [
                view
                | {
                    "neighbours": {
                        "content": self.content_neighbours.of_point(collection.content[i]),
                        "pixels": pixels.of_point(points[i]),
                    }
                }
                for i, view in enumerate(views)
            ]
        }

    def _embedded(self, samples: Prepared) -> tuple[Collection, dict[str, Column]]:
        """A collection of own samples, and its columns."""
        if len(samples) > MAX_SAMPLES:
            raise Refusal(422, f"there are {len(samples)} samples; send at most {MAX_SAMPLES}")
        collection = embed(self.viewer, samples, np.arange(len(samples)))
        return collection, columns_of(collection)
