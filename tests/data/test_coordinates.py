"""Points and times go to the coordinates of a map and back without loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unwarp import core
from unwarp.data.coordinates import from_frame, time_spans, to_frame
from unwarp.data.scaling import Scaler
from unwarp.data.schema import Schema
from unwarp.data.source import Source
from unwarp.errors import DataError

IMAGES = Schema(core.IMAGES, (1, 12, 10), Scaler(factor=255.0))
SERIES = Schema(core.SERIES, (2, 9), Scaler(-3.0, 2.0))
PICTURES = IMAGES.prepare(Source(np.ones((6, 1, 12, 10))))
TRACES = SERIES.prepare(Source(np.zeros((6, 2, 9))))


@pytest.mark.parametrize("schema", [IMAGES, SERIES])
def test_points_come_back(schema: Schema) -> None:
    """`from_frame` is the inverse of `to_frame`."""
    axes = len(schema.shape) - 1
    points = np.random.default_rng(0).uniform(-2, 14, (3, 5, axes))
    samples = schema.prepare(Source(np.ones((3, *schema.shape))))
    np.testing.assert_allclose(
        from_frame(schema, to_frame(schema, points, samples), samples), points, atol=1e-5
    )


def test_frame_is_that_of_the_warps() -> None:
    """Pixel edges are at -1 and 1, the ends of a series at 0 and 1."""
    corners = [[-0.5, -0.5], [9.5, 11.5], [4.5, 5.5]]
    coordinates = to_frame(IMAGES, corners, PICTURES)
    assert coordinates.shape == (6, 3, 2)
    torch.testing.assert_close(coordinates[0], torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]))
    torch.testing.assert_close(
        to_frame(SERIES, [[0.0], [8.0], [4.0]], TRACES)[5], torch.tensor([[0.0], [1.0], [0.5]])
    )


@pytest.mark.parametrize(
    ("convert", "message"),
    [
        (lambda: to_frame(IMAGES, [[1.0]], PICTURES), r"give \(K, 2\) or \(6, K, 2\)"),
        (lambda: to_frame(SERIES, np.zeros((5, 3, 1)), TRACES), r"give \(K, 1\) or \(6, K, 1\)"),
        (lambda: time_spans(IMAGES, PICTURES), "events belong to series"),
    ],
)
def test_other_shapes_are_refused(convert: Any, message: str) -> None:
    """Points of another shape, and times of images, are refused."""
    with pytest.raises(DataError, match=message):
        convert()


def test_inverse_swaps_spans() -> None:
    """The spans lead from observed to aligned times, or back."""
    observed, aligned = time_spans(SERIES, TRACES)
    assert observed.shape == aligned.shape == (6, 2) and observed[0].tolist() == [0.0, 8.0]
    np.testing.assert_array_equal(time_spans(SERIES, TRACES, inverse=True)[0], aligned)
