"""Answers to the page: samples, renderings, morphs, selections and own samples."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from unwarp.app.explorer.collection import Collection, embed
from unwarp.app.explorer.columns import Column, columns_of, csv_blocks
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import MAX_SAMPLES, Refusal
from unwarp.app.explorer.neighbours import values_of
from unwarp.app.explorer.panels import exact
from unwarp.app.explorer.views import Viewer
from unwarp.core import Array
from unwarp.data.schema import Prepared

MAX_THUMBNAILS, THUMBNAIL_POINTS = 64, 64
"""Greatest number of thumbnails in an answer, and of points of a series in one."""

MAX_AVERAGED, AVERAGED_AT_ONCE = 2000, 200
"""Greatest number of samples of a selection that are averaged, and of those aligned at once."""

Part = Literal["content", "deformation", "both"]
"""Part of the latents that a morph changes."""


def sample(exploration: Exploration, row: int) -> dict[str, Any]:
    """A sample with its panels and neighbours.

    Args:
        exploration: The model and its collection.
        row: The sample.

    Raises:
        Refusal: There is no such sample.
    """
    rows, collection = exploration.check_rows([row]), exploration.collection
    view = next(_views(exploration.viewer, collection, exploration.columns, rows))
    near = (exploration.content_neighbours, exploration.value_neighbours.neighbours)
    content, pixels = (neighbours.of_row(row) for neighbours in near)
    return view | {
        "index": row,
        "id": str(collection.names[row]),
        "neighbours": {"content": content, "pixels": pixels},
    }


def _views(
    viewer: Viewer, collection: Collection, columns: Mapping[str, Column], rows: Array
) -> Iterator[dict[str, Any]]:
    """Views of samples of a collection, without index, name and neighbours."""
    samples = collection.samples
    assert samples is not None
    content, theta = (torch.from_numpy(x[rows]) for x in (collection.content, collection.theta))
    observed, refined = viewer.observed(samples, rows), viewer.pose_of(samples, rows)
    template, x_hat = viewer.decoded(content, viewer.map_of(theta))
    aligned = viewer.aligned(observed, refined)
    sliders = viewer.sliders.values(collection.theta[rows])
    for i, row in enumerate(rows):
        numbers, texts = cells_of(columns, int(row))
        yield {
            "index": None,
            "id": None,
            "label": texts.get("label"),
            "cluster": texts.get("cluster"),
            "error": numbers["error"],
            "content": exact(collection.content[row]),
            "deformation": sliders[i],
            "columns": numbers,
            "panels": {
                "observed": viewer.panel(observed[i]),
                "aligned": viewer.panel(aligned[i]),
                "template": viewer.panel(template[i]),
                "reconstruction": viewer.panel(x_hat[i]),
                "residual": viewer.residual(observed[i], x_hat[i]),
            },
            "warp": viewer.warp_curve(refined[i : i + 1]),
        }


def cells_of(
    columns: Mapping[str, Column], row: int
) -> tuple[dict[str, float | None], dict[str, str | None]]:
    """Numbers and categories of a sample, by the names of their columns.

    Args:
        columns: The columns by name.
        row: The sample.
    """
    plain = {name: c.number(row) for name, c in columns.items() if c.categories is None}
    return plain, {name: c.text(row) for name, c in columns.items() if name not in plain}


def thumbnails(exploration: Exploration, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Samples as they are and aligned, small.

    Args:
        exploration: The model and its collection.
        rows: At most 64 rows.

    Raises:
        Refusal: There are more, or one does not exist.
    """
    if len(rows) > MAX_THUMBNAILS:
        raise Refusal(422, f"rows has {len(rows)} numbers; give at most {MAX_THUMBNAILS}")
    index = exploration.check_rows(rows)
    observed, aligned = _before_and_after(exploration, index)
    panel = exploration.viewer.panel
    return [
        {
            "index": int(row),
            "observed": panel(observed[i], THUMBNAIL_POINTS),
            "aligned": panel(aligned[i], THUMBNAIL_POINTS),
        }
        for i, row in enumerate(index)
    ]


def _before_and_after(exploration: Exploration, rows: Array) -> tuple[Tensor, Tensor]:
    """Samples (M, C, ...) as they are, and aligned."""
    viewer, collection = exploration.viewer, exploration.collection
    assert collection.samples is not None
    observed = viewer.observed(collection.samples, rows)
    return observed, viewer.aligned(observed, viewer.pose_of(collection.samples, rows))


def render(
    exploration: Exploration, content: Sequence[float], deformation: Mapping[str, float]
) -> dict[str, Any]:
    """The picture or series of values of the sliders.

    Args:
        exploration: The model and its collection.
        content: A content code (D,).
        deformation: Values of sliders by name; others are at the identity.

    Raises:
        Refusal: The content code has another size.
        ConfigError: There is no such slider.
    """
    n, start = exploration.collection.content.shape[1], time.perf_counter()
    if len(content) != n:
        raise Refusal(422, f"content has {len(content)} numbers; give {n}")
    viewer = exploration.viewer
    theta = viewer.sliders.theta(deformation)
    code = torch.tensor([list(content)], dtype=torch.float32).reshape(1, n)
    rendering = viewer.render(code, viewer.map_of(theta))
    return rendering | {"seconds": time.perf_counter() - start}


def morph(
    exploration: Exploration, rows: tuple[int, int], along: Part, position: float
) -> dict[str, Any]:
    """A place between two samples.

    Args:
        exploration: The model and its collection.
        rows: Rows of both samples.
        along: The part that changes; the other one is that of the first sample.
        position: 0 at the first sample, 1 at the second.

    Raises:
        Refusal: A sample does not exist.
    """
    first, last = exploration.check_rows(rows)
    viewer, collection = exploration.viewer, exploration.collection

    def between(x: Array, is_changed: bool) -> Tensor:
        share = np.float32(position if is_changed else 0)
        return torch.from_numpy((1 - share) * x[[first]] + share * x[[last]])

    content = between(collection.content, along != "deformation")
    theta = between(collection.theta, along != "content")
    return viewer.render(content, viewer.map_of(theta)) | {
        "content": exact(content[0].numpy()),
        "deformation": viewer.sliders.values(theta.numpy())[0],
    }


def selection(exploration: Exploration, rows: Sequence[int]) -> dict[str, Any]:
    """Means of a selection before and after alignment, and of its columns.

    Args:
        exploration: The model and its collection.
        rows: Rows of the selection; repeated ones count once.

    Raises:
        Refusal: A sample does not exist.
    """
    index, viewer = np.unique(exploration.check_rows(rows)), exploration.viewer
    places = np.linspace(0, len(index) - 1, min(len(index), MAX_AVERAGED)).astype(int)
    parts = np.array_split(index[places], -(-len(places) // AVERAGED_AT_ONCE))
    pairs = [_before_and_after(exploration, part) for part in parts]
    before, after = (torch.cat(part).nanmean(0) for part in zip(*pairs, strict=True))
    collection = exploration.collection
    code = torch.from_numpy(collection.content[index].mean(0, keepdims=True))
    template = viewer.decoded(code, viewer.map_of(viewer.sliders.theta({})))[0][0]
    return {
        "n": len(index),
        "n_averaged": len(places),
        "mean_observed": viewer.panel(before),
        "mean_aligned": viewer.panel(after),
        "template": viewer.panel(template),
        "columns": {name: column.summary(index) for name, column in exploration.columns.items()},
    }


def export(exploration: Exploration, rows: Sequence[int]) -> Iterator[str]:
    """Blocks of a table of a selection, as text with commas.

    Args:
        exploration: The model and its collection.
        rows: Rows of the selection; repeated ones count once.

    Raises:
        Refusal: A sample does not exist.
    """
    index = np.unique(exploration.check_rows(rows))
    return csv_blocks(exploration.collection, exploration.columns, index)


def embed_own(exploration: Exploration, samples: Prepared) -> dict[str, Any]:
    """Codes, deformations and clusters of own samples.

    Args:
        exploration: The model and its collection.
        samples: At most 256 prepared samples.

    Raises:
        Refusal: There are more.
    """
    collection, columns = _embedded(exploration.viewer, samples)
    cells = [cells_of(columns, row) for row in range(len(collection))]
    return {
        "content": [exact(code) for code in collection.content],
        "deformation": exploration.viewer.sliders.values(collection.theta),
        "columns": [numbers for numbers, _ in cells],
        "cluster": [texts["cluster"] for _, texts in cells],
    }


def align_own(exploration: Exploration, samples: Prepared) -> dict[str, Any]:
    """Views of own samples, with their neighbours in the collection.

    Args:
        exploration: The model and its collection.
        samples: At most 256 prepared samples.

    Raises:
        Refusal: There are more.
    """
    collection, columns = _embedded(exploration.viewer, samples)
    near, values = exploration.content_neighbours, exploration.value_neighbours
    points = values_of(samples[:], values.size or samples.shape[2:])
    views = _views(exploration.viewer, collection, columns, np.arange(len(collection)))
    answers = []
    for i, view in enumerate(views):
        content, pixels = (
            near.of_point(collection.content[i]),
            values.neighbours.of_point(points[i]),
        )
        answers.append(view | {"neighbours": {"content": content, "pixels": pixels}})
    return {"samples": answers}


def _embedded(viewer: Viewer, samples: Prepared) -> tuple[Collection, dict[str, Column]]:
    """A collection of own samples, and its columns."""
    if len(samples) > MAX_SAMPLES:
        raise Refusal(422, f"there are {len(samples)} samples; send at most {MAX_SAMPLES}")
    collection = embed(viewer, samples, np.arange(len(samples)))
    return collection, columns_of(collection)
