"""Pictures of several sizes: brought to one, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.sizes import Sizing, parse_sizes, resize_by_areas
from unwarp.errors import ConfigError, DataError

sides = st.integers(1, 9)
shapes = st.lists(st.tuples(sides, sides), min_size=1, max_size=4)


def numbered(*shape: int) -> np.ndarray:
    """An array of a shape with different numbers."""
    return np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)


@given(shapes, st.sampled_from(["pad", "crop", (5, 6)]))
def test_all_pictures_get_one_size(sizes: list[tuple[int, int]], rule: Any) -> None:
    """Each rule brings all pictures to one size and keeps their dtype."""
    sizing = Sizing.of(sizes, rule)
    for row, size in enumerate(sizes):
        picture = sizing.apply(row, numbered(2, *size))
        assert picture.shape == (2, *sizing.size) and picture.dtype == np.uint8


@given(shapes)
def test_padding_is_cut_off_again(sizes: list[tuple[int, int]]) -> None:
    """Undone, a padded picture is what it was."""
    sizing = Sizing.of(sizes, "pad")
    for row, size in enumerate(sizes):
        picture = numbered(1, *size)
        np.testing.assert_array_equal(sizing.undo(row, sizing.apply(row, picture)), picture)


def test_padding_is_the_border() -> None:
    """The frame has the median of the picture's border, not of its middle."""
    picture = np.full((1, 5, 5), 40, np.uint8)
    picture[0, 1:4, 1:4] = 200
    padded = Sizing.of([(5, 5), (9, 7)], "pad").apply(0, picture)
    assert padded[0, 0, 0] == 40 and padded[0, 4, 3] == 200 and (padded == 200).sum() == 9


def test_cropping_keeps_the_centre() -> None:
    """Cropping takes as many pixels from both ends."""
    picture = numbered(1, 6, 8)
    cropped = Sizing.of([(6, 8), (4, 4)], "crop").apply(0, picture)
    np.testing.assert_array_equal(cropped, picture[:, 1:5, 2:6])


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_shrinking_averages_areas(height: int, width: int, factor: int) -> None:
    """A picture of blocks becomes its blocks, and its mean stays for any size."""
    small = np.random.default_rng(0).random((1, height, width))
    blocks = small.repeat(factor, 1).repeat(factor, 2)
    np.testing.assert_allclose(resize_by_areas(blocks, (height, width)), small)
    np.testing.assert_allclose(resize_by_areas(blocks, (1, 1)).item(), small.mean())


def test_growing_keeps_straight_lines() -> None:
    """A ramp stays a ramp between the centres of its first and last pixels."""
    ramp = np.arange(4.0).reshape(1, 1, 4)
    np.testing.assert_allclose(resize_by_areas(ramp, (1, 8))[0, 0, 1:-1], np.arange(0.25, 3, 0.5))


@pytest.mark.parametrize("rule", ["pad", "crop", "21x26"])
def test_points_follow_their_pictures(rule: str) -> None:
    """The centre of a blob, found in both pictures, moves as the points do, and back."""
    shapes = [(19, 24), (16, 23), (40, 51)]
    sizing = Sizing.of(shapes, rule)
    own = np.array([[[w / 2 + 1.2, h / 2 - 0.7]] for h, w in shapes])
    found = []
    for row, (height, width) in enumerate(shapes):
        y, x = np.mgrid[:height, :width]
        blob = np.exp(-((x - own[row, 0, 0]) ** 2 + (y - own[row, 0, 1]) ** 2) / 8)
        picture = sizing.apply(row, blob[None], fill=0.0)[0]
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
        found.append([[(picture * axis).sum() / picture.sum() for axis in (x, y)]])
    np.testing.assert_allclose(sizing.to_common(own), found, atol=0.1)
    np.testing.assert_allclose(sizing.from_common(sizing.to_common(own)), own, atol=1e-9)


def test_sizes_are_needed_to_mix() -> None:
    """Without a rule, several sizes are refused with their counts and the option."""
    with pytest.raises(DataError, match=r"2 of 4 x 5, 1 of 3 x 3 .*sizes='pad'.*'crop'.*'HxW'"):
        Sizing.of([(4, 5), (3, 3), (4, 5)], None)
    assert not Sizing.of([(4, 5), (4, 5)], None).is_needed


@pytest.mark.parametrize(("rule", "word"), [("pad", "larger"), ("crop", "smaller")])
def test_pictures_fit_the_frame(rule: str, word: str) -> None:
    """A picture that padding or cropping cannot bring to the frame of a model is refused."""
    assert Sizing.of([(4, 4)], rule, (4, 4)).size == (4, 4)
    size = (5, 4) if rule == "pad" else (3, 4)
    with pytest.raises(DataError, match=f"picture 1 is {size[0]} x 4, {word} than the model's"):
        Sizing.of([(4, 4), size], rule, (4, 4))


@pytest.mark.parametrize("sizes", ["stretch", "0x4", "4", (4,), (0, 4), 64, True, "4x4x4", ()])
def test_unknown_rules_are_refused(sizes: Any) -> None:
    """The error lists the rules."""
    with pytest.raises(ConfigError, match="'pad', 'crop', or height and width"):
        parse_sizes(sizes)
    assert parse_sizes([3, 4]) == parse_sizes("3x4") == (3, 4)
