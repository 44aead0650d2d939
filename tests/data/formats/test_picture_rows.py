"""Pictures that are decoded block by block are those that are decoded at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats import images, picture_rows
from unwarp.data.formats.images import folder_places, read_places
from unwarp.data.formats.picture_rows import lazy_pictures
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (9, 8, 10)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures and one file of three frames; some are colour, one is transparent."""
    for k in range(6):
        image = Image.fromarray(X[k])
        image.convert(("L", "RGB", "RGBA")[k % 3]).save(tmp_path / f"{k}.png")
    frames = [Image.fromarray(x) for x in X[6:]]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    return tmp_path


@pytest.mark.parametrize("step", [1, 2, 4, 9])
def test_blocks_are_the_pictures(step: int, folder: Path) -> None:
    """Blocks of any size, also within a file of several frames, join to the whole collection."""
    places = folder_places(folder)
    whole = read_places(places, str(folder), NO_HINTS)
    rows, source = lazy_pictures(places, str(folder), NO_HINTS)
    assert rows.shape == whole.x.shape and rows.dtype == whole.x.dtype
    blocks = [rows[start : start + step] for start in range(0, len(rows), step)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole.x)
    assert source.names == whole.names and source.layout == whole.layout
    assert source.description in whole.description and source.domain == "image"


def test_sizes_are_those_of_all(folder: Path) -> None:
    """Pictures of several sizes are padded to the frame of the largest one of all."""
    Image.fromarray(X[0].repeat(2, 1)).save(folder / "wide.png")
    places, hints = folder_places(folder), Hints(sizes="pad")
    whole = read_places(places, str(folder), hints)
    rows, _ = lazy_pictures(places, str(folder), hints)
    np.testing.assert_array_equal(rows[:4], whole.x[:4])
    with pytest.raises(DataError, match=folder.name):
        lazy_pictures(places, str(folder), NO_HINTS)


def test_few_pictures_are_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outlines of pictures take one number each, and only files of the block are decoded."""
    decoded: list[str] = []
    whole = images.decode_place

    def decode(place: images.Place, hints: Hints, is_alone: bool) -> list[images.Picture]:
        decoded.append(place.name)
        return whole(place, hints, is_alone)

    monkeypatch.setattr(picture_rows, "decode_place", decode)
    rows, _ = lazy_pictures(folder_places(folder), str(folder), NO_HINTS)
    decoded.clear()
    rows[2:5]
    assert decoded == [rows.places[k].name for k in (2, 3, 4)]
