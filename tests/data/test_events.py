"""Event times: every layout comes back as it came, and shares of a span lead back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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
def test_events_come_back_as_they_came(events: Any, expected: Any) -> None:
    found = Events.of(events, 2)
    back = found.at(found.shares(SPANS), SPANS)
    assert isinstance(back, list) == (found.counts is not None)
    for got, row in zip(back, expected, strict=True):
        np.testing.assert_allclose(got, row)


def test_shares_are_of_the_span_of_each_series() -> None:
    assert Events.of([2.0, 12.0], 2).shares(SPANS).tolist() == [[0.5, 3.0], [-0.4, 0.1]]
    assert Events.of([3.0], 1).shares(np.array([[3.0, 3.0]])).tolist() == [[0.0]]


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
    ],
    ids=["three rows", "a table of three", "three axes", "infinite", "a number", "text", "mixed"],
)
def test_what_are_no_events_of_two_series_is_refused(events: Any) -> None:
    with pytest.raises(DataError, match=r"events must be .*\(K,\)"):
        Events.of(events, 2)
