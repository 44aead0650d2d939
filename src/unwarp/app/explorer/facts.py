"""Facts about a model and its collection that the page needs first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from unwarp.app.explorer.collection import Collection
from unwarp.app.explorer.columns import Column
from unwarp.app.explorer.panels import value_limits
from unwarp.app.explorer.sliders import time_unit
from unwarp.app.explorer.views import Viewer

PERCENTILES = (1.0, 99.0)
"""Percentiles of content codes that are the ends of their sliders."""

SAMPLES_FOR_RANGES = 2000
"""Random latents that stand for content codes where there are no data."""

SAMPLES_FOR_LIMITS = 1000
"""Samples that decide the range of the axes of series."""


def model_facts(
    viewer: Viewer, collection: Collection, columns: Iterable[Column]
) -> dict[str, Any]:
    """Shape, units, sliders and columns.

    Args:
        viewer: The model.
        collection: The collection; it may be empty.
        columns: Its columns.
    """
    unwarper = viewer.unwarper
    return {
        "domain": "image" if viewer.is_image else "series",
        "shape": list(viewer.shape),
        "n_samples": len(collection),
        "sampling_rate": unwarper.schema_.clock.sampling_rate,
        "time_unit": time_unit(unwarper),
        "value_unit": "" if viewer.is_image or viewer.has_user_units else "sd",
        "value_range": list(_value_range(viewer, collection)),
        "content": content_sliders(viewer, collection),
        "factors": factor_sliders(viewer, collection),
        "maps": ["pca", "tsne"],
        "columns": [column.facts() for column in columns],
        "clusters": len(unwarper.cluster_centers_),
    }


def _value_range(viewer: Viewer, collection: Collection) -> tuple[float, float]:
    """Ends of the axis of values."""
    if viewer.is_image:
        return 0.0, 1.0
    samples = collection.samples
    if samples is None:
        content = torch.as_tensor(viewer.unwarper.cluster_centers_).float()
        identity = viewer.sliders.theta({}).expand(len(content), -1)
        x = viewer.decoded(content, viewer.map_of(identity))[0]
    else:
        n = len(samples)
        rows = np.unique(np.linspace(0, n - 1, min(n, SAMPLES_FOR_LIMITS)).astype(int))
        x = viewer.observed(samples, rows)
    return value_limits(viewer.values(sample) for sample in x)


def content_sliders(viewer: Viewer, collection: Collection) -> list[dict[str, Any]]:
    """Name, range and mean of each dimension of the content code.

    Without data, random latents of the trained model decide.

    Args:
        viewer: The model.
        collection: The collection; it may be empty.
    """
    codes = collection.content
    if not len(codes):
        latents = viewer.unwarper.mixture_.sample(SAMPLES_FOR_RANGES)
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


def factor_sliders(viewer: Viewer, collection: Collection) -> list[dict[str, Any]]:
    """Name, unit, range and identity of each slider of the deformation.

    Args:
        viewer: The model.
        collection: The collection, whose deformations are all within reach.
    """
    sliders = viewer.sliders
    ranges = sliders.ranges(collection.theta)
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
