"""One array is chosen from several, and the axis that counts samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unwarp.data.formats.members import choose_labels, choose_member, sample_axis
from unwarp.errors import DataError

PATH = Path("a.h5")


def test_only_fitting_array_is_chosen() -> None:
    """Pictures come before tables, labels and vectors are no samples."""
    shapes = {"g/y": (5, 1), "n": (5,), "t": (5, 9), "g/x": (5, 8, 8), "labels": (5, 8)}
    assert choose_member(PATH, shapes, "") == "g/x"
    assert choose_member(PATH, {name: shapes[name] for name in ("n", "t", "labels")}, "") == "t"
    assert choose_member(PATH, shapes, "/t") == choose_member(PATH, shapes, "t") == "t"
    assert choose_labels(shapes, 5) == "g/y" and not choose_labels(shapes, 6)


@pytest.mark.parametrize(
    ("shapes", "member", "message"),
    [
        ({"a": (5, 8, 8), "b": (5, 8, 8)}, "", r"2 arrays.*a \(5, 8, 8\).*b .*as a\.h5:a"),
        ({"n": (5,)}, "", r"no array of samples: n \(5,\)"),
        ({}, "", "no array of numbers"),
        ({"a": (5, 8, 8)}, "c", r"no array 'c'; it holds a"),
    ],
)
def test_other_files_list_their_arrays(shapes: Any, member: str, message: str) -> None:
    """None, or several, arrays of samples are refused with all names."""
    with pytest.raises(DataError, match=message):
        choose_member(PATH, shapes, member)


@pytest.mark.parametrize(
    ("shape", "labels", "image_shape", "axis"),
    [
        ((28, 28, 1000), None, None, 2),
        ((1000, 28, 28), None, None, 0),
        ((32, 32, 3, 700), None, None, 3),
        ((700, 3, 32, 32), None, None, 0),
        ((20, 30, 500), 500, None, 2),
        ((20, 30, 500), None, (20, 30), 2),
        ((20, 30, 500), None, (30, 500), 0),
    ],
)
def test_samples_have_an_axis(
    shape: tuple[int, ...], labels: int | None, image_shape: Any, axis: int
) -> None:
    """Square pictures, the number of labels or the shape tell the axis of samples."""
    assert sample_axis(PATH, shape, labels, image_shape) == axis


@pytest.mark.parametrize("shape", [(20, 30, 500), (28, 28, 28)])
def test_either_axis_is_asked(shape: tuple[int, ...]) -> None:
    """Two readings are refused with both."""
    with pytest.raises(DataError, match=rf"two ways: {shape[0]} pictures.*{shape[2]} pictures"):
        sample_axis(PATH, shape, None, None)
