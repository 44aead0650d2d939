"""Axes of stacks: counted, named once, asked for where they read two ways."""

from __future__ import annotations

import pytest

from unwarp.data.formats.tiff_axes import count_axes, long_axes, page_axes, picture_shape
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("axes", "shape", "is_alone", "counted"),
    [
        ("TCYX", (5, 2, 9, 9), False, "T"),
        ("ZYXS", (5, 9, 9, 3), True, "Z"),
        ("YXS", (9, 9, 3), True, ""),
        ("CYX", (2, 9, 9), False, ""),
        ("IYX", (5, 9, 9), True, "I"),
        ("IYX", (50, 9, 9), False, "I"),
    ],
)
def test_axes_are_counted(axes: str, shape: tuple[int, ...], is_alone: bool, counted: str) -> None:
    """Channels never count pictures, a lone axis of pages does."""
    assert count_axes(axes, shape, "auto", "a.tif", is_alone) == (counted, axes)
    assert count_axes(axes, shape, "channels_last", "a.tif", is_alone)[0] == "".join(
        letter for letter in axes if letter not in "YXS"
    )


@pytest.mark.parametrize(
    ("axes", "shape", "is_alone"),
    [
        ("TZYX", (5, 2, 9, 9), True),
        ("CYX", (2, 9, 9), True),
        ("CYX", (40, 9, 9), False),
        ("IYX", (3, 9, 9), False),
    ],
)
def test_two_readings_are_asked(axes: str, shape: tuple[int, ...], is_alone: bool) -> None:
    """Axes that may be pictures or channels are refused with both readings."""
    with pytest.raises(DataError, match=r"a\.tif has the axes .*two ways.*_first.*_last"):
        count_axes(axes, shape, "auto", "a.tif", is_alone)
    assert len(count_axes(axes, shape, "channels_first", "a.tif", is_alone)[0]) == len(axes) - 3


def test_letters_occur_once() -> None:
    """Axes of one entry are left out, and equal letters get different ones."""
    assert long_axes("TQQYX", (1, 5, 2, 1, 9)) == ("QIYX", (5, 2, 1, 9))
    assert page_axes("TSYX", "T") == "SYX" and page_axes("TYX", "T") == "YX"
    assert picture_shape("TCYX", (5, 2, 7, 9), "T") == (2, 7, 9)
