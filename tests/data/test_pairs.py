"""Data that belong to samples are paired by name, or refused, never mixed up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unwarp.data.frames import Frame
from unwarp.data.pairs import check_frames, order_by_names
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("names", "other_names"),
    [
        (None, ["a", "b"]),
        (["a", "b"], None),
        (["a.png", "b.png"], ["a.tif", "b.tif"]),
        (["a.png", "b.png"], ["a_mask.png", "b_mask.png"]),
        (["a", "b"], ["a", "c"]),
        (["a", "a", "b"], ["b", "a", "a"]),
        (["v1.5", "v1.6"], ["v1.5", "v1.6"]),
        ([1, 2], ["1", "2"]),
    ],
)
def test_order_is_kept_without_evidence(
    names: list[str] | None, other_names: list[str] | None
) -> None:
    """Equal names in equal rows, other names, and names that repeat leave the order as it is."""
    assert order_by_names(names, other_names, "other") is None


def test_equal_names_are_paired() -> None:
    """The same names in another order are paired, whatever the suffix of the files."""
    names = [f"{i}.png" for i in range(12)]
    other_names = sorted(f"{i}.npy" for i in range(12))
    order = order_by_names(names, other_names, "other")
    assert [other_names[row] for row in np.asarray(order)] == [f"{i}.npy" for i in range(12)]


@pytest.mark.parametrize("other_names", [["1", "9", "2"], ["00", "01", "1"]])
def test_partly_equal_names_are_refused(other_names: list[str]) -> None:
    """Names of which some agree, in other rows, would mix things up."""
    with pytest.raises(DataError, match="'1' is in both, in other rows"):
        order_by_names(["0", "1", "2"], other_names, "other")


def test_frames_in_another_order_are_refused() -> None:
    """The labels of the samples in another order are an error; other labels are none."""
    frame = pd.DataFrame(np.zeros((3, 2)), index=[*"abc"], columns=[*"xy"])
    for other in (frame, frame.to_numpy(), frame.reset_index(drop=True), frame.iloc[:, :1]):
        check_frames(Frame.of(frame), Frame.of(other), "other")
    with pytest.raises(DataError, match=r"rows of other .* other\.reindex"):
        check_frames(Frame.of(frame), Frame.of(frame[::-1]), "other")
    with pytest.raises(DataError, match="columns of events have the labels of X"):
        check_frames(Frame.of(frame), Frame.of(frame.iloc[:, ::-1]), "events")
