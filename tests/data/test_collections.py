"""Pictures of several sizes in a list come back in their sizes; tables become pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unwarp.data.collections import SizedPictures, flattened, sized
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    """Random bytes."""
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "pictures",
    [
        [numbers(8, 9), numbers(10, 7)],
        [numbers(8, 9, 3), numbers(10, 7, 3)],
        [numbers(3, 8, 9), numbers(3, 10, 7)],
    ],
)
def test_pictures_come_back_in_their_sizes(pictures: list[np.ndarray]) -> None:
    """Whichever axis holds channels, padded pictures are restored."""
    collection = sized(pictures, Hints(sizes="pad"))
    assert np.shape(collection)[-2:] == (10, 9)
    for restored, picture in zip(collection.restore(collection.x), pictures, strict=True):
        np.testing.assert_array_equal(restored, picture)
    part = collection.subset(np.array([1]))
    np.testing.assert_array_equal(part.restore(part.x)[0], pictures[1])


def test_results_have_the_sizes_of_the_list() -> None:
    """A schema returns results for a list as a list, in its sizes and dtype."""
    pictures = [numbers(8 + k % 3, 9) for k in range(4)]
    schema, data = Schema.fit(as_source(pictures, hints=Hints(sizes="pad")), Reading(sizes="pad"))
    prepared = schema.prepare(as_source(pictures, hints=Hints(sizes="pad")))
    assert data.shape == (1, 10, 9)
    for restored, picture in zip(prepared.restore_shape(prepared.x), pictures, strict=True):
        np.testing.assert_array_equal(restored, picture)


def test_arrays_are_resized() -> None:
    """An array of one size is resized, too, and results have its own size."""
    source = as_source(numbers(5, 12, 10), hints=Hints(sizes="6x5"))
    assert isinstance(source.x, SizedPictures) and np.shape(source.x) == (5, 1, 6, 5)
    assert source.x.restore(source.x.x).shape == (5, 12, 10)


@pytest.mark.parametrize("x", [[[1.0, 2.0], [1.0]], np.zeros((4, 9)), [np.zeros(3), np.zeros(4)]])
def test_series_have_no_sizes(x: Any) -> None:
    """A rule for sizes of pictures is refused for series."""
    with pytest.raises(ConfigError, match="sizes='pad' is for pictures"):
        as_source(x, hints=Hints(sizes="pad"))


def test_channels_are_of_one_number() -> None:
    """Grey and colour arrays are not mixed."""
    with pytest.raises(DataError, match="1, 3 channels"):
        sized([numbers(1, 8, 9), numbers(3, 8, 9)], Hints(sizes="pad"))


def test_whole_numbers_become_bytes() -> None:
    """A table of whole numbers up to 255 holds bytes; other tables stay as they are."""
    table = Source(np.float32(numbers(4, 6)), domain="series")
    assert flattened(table, Hints(image_shape=(2, 3))).x.dtype == np.uint8
    assert flattened(table, Hints()) is table
    for x in (table.x + 0.5, table.x * 300):
        other = flattened(Source(x, domain="series"), Hints(image_shape=(2, 3)))
        assert other.x.dtype == np.float32 and other.domain == "image"
