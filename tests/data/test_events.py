"""`Events` keeps the form of the user's times, and fractions of a span lead back to times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unwarp.data.events import Events
from unwarp.errors import DataError

SPANS = np.array([[0.0, 4.0], [10.0, 30.0]])
LAYOUTS: dict[str, tuple[Any, Any]] = {
    "shared": ([1.0, 3.0], [[1.0, 3.0], [1.0, 3.0]]),
    "a table": (np.array([[1.0, 2.0], [20.0, np.nan]]), [[1.0, 2.0], [20.0, np.nan]]),
    "a list": ([[1.0], [11.0, 12.0]], [[1.0], [11.0, 12.0]]),
    "a list with none": ([[], np.array([15.0])], [[], [15.0]]),
    "no events": ([], [[], []]),
}


@pytest.mark.parametrize(("events", "expected"), LAYOUTS.values(), ids=LAYOUTS.keys())
def test_events_keep_their_form(events: Any, expected: Any) -> None:
    """Times that go through fractions come back equal and in their form."""
    parsed = Events.of(events, 2)
    times = parsed.from_shares(parsed.as_shares(SPANS), SPANS)
    assert isinstance(times, list) == (parsed.counts is not None)
    for row, expected_row in zip(times, expected, strict=True):
        np.testing.assert_allclose(row, expected_row)


def test_shares_refer_to_each_span() -> None:
    """Fractions refer to the span of each series; a moment counts as duration 1."""
    assert Events.of([2.0, 12.0], 2).as_shares(SPANS).tolist() == [[0.5, 3.0], [-0.4, 0.1]]
    assert Events.of([3.0], 1).as_shares(np.array([[3.0, 3.0]])).tolist() == [[0.0]]


@pytest.mark.parametrize(
    "events",
    [
        [[1.0], [2.0], [3.0]],
        np.zeros((3, 2)),
        np.zeros((2, 1, 1)),
        [np.inf],
        3.0,
        ["a"],
        [[1.0], 2.0],
        {1.0, 2.0},
        (time for time in [1.0, 2.0]),
        np.zeros((2, 2), "m8[s]"),
        np.ma.masked_all((2, 2)),
        torch.empty(2, 2, device="meta"),
        [[10**400], [1]],
    ],
    ids=[
        *("three rows", "a table of three", "three axes", "infinite", "a number", "text", "mixed"),
        *("a set", "a generator", "durations", "masked", "a meta tensor", "a large number"),
    ],
)
def test_other_shapes_are_refused(events: Any) -> None:
    """Events of another number of series, of other shapes, or not finite are refused."""
    with pytest.raises(DataError, match=r"events must be .*\(K,\)"):
        Events.of(events, 2)
