"""The form of pictures: narrowed to the mode of each file, frames in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.form import Form, Frame, blend, narrow, unblend, widen
from unwarp.errors import DataError

RANDOM = np.random.default_rng(0)


@dataclass
class Recorder:
    """A mode that remembers what it wrote."""

    channels: int = 1
    dtype: Any = field(default_factory=lambda: np.dtype(np.uint8))
    has_alpha: bool = False
    frames: list[Sequence[Frame]] = field(default_factory=list)

    def encode(self, frames: Sequence[Frame]) -> bytes:
        self.frames.append(frames)
        return b""


@given(st.sampled_from([1, 3]), st.sampled_from(["uint8", "uint16"]))
def test_narrow_undoes_widen(channels: int, name: str) -> None:
    """A picture that was widened for its collection is what it was."""
    picture = np.random.default_rng(0).integers(0, 256, (channels, 4, 5)).astype(name)
    wide = widen(picture, 3, np.dtype(np.uint16))
    assert wide.shape == (3, 4, 5) and wide.dtype == np.uint16
    np.testing.assert_array_equal(narrow(wide, channels, picture.dtype), picture)


@pytest.mark.parametrize("name", ["uint8", "uint16"])
def test_unblend_undoes_blend(name: str) -> None:
    """Colours come back up to rounding, the better the more opaque; clear ones are black."""
    white = np.iinfo(name).max
    colours = RANDOM.integers(0, white, (3, 20, 20)).astype(name)
    alpha = RANDOM.integers(0, white, (20, 20)).astype(name)
    alpha[0] = 0
    restored = unblend(blend(colours, alpha), alpha)
    errors = np.abs(restored.astype(float) - colours) * (alpha / white)
    assert errors[:, 1:].max() <= 1 and not restored[:, 0].any()


def test_frames_share_a_file() -> None:
    """Pictures of one file are written together, and a subset writes the rest."""
    mode = Recorder()
    form = Form(["a.gif", "a.gif", "b.gif"], [mode] * 3)
    x = RANDOM.integers(0, 256, (3, 1, 4, 4), dtype=np.uint8)
    assert [name for name, _ in form.contents(x)] == ["a.gif", "b.gif"]
    assert [len(frames) for frames in mode.frames] == [2, 1]
    part = form.subset(np.array([1, 2]))
    assert [name for name, _ in part.contents(x[1:])] == ["a.gif", "b.gif"]


def test_opaque_files_stay_opaque() -> None:
    """A mode with an alpha channel gets one, opaque where none is known."""
    mode = Recorder(has_alpha=True)
    list(Form(["a.png"], [mode]).contents(np.zeros((1, 1, 2, 2), np.uint8)))
    assert (mode.frames[0][0][1] == 255).all()


def test_missing_pictures_are_refused() -> None:
    """Another number of pictures, or transparent ones without alpha channels, are refused."""
    x = np.zeros((2, 1, 2, 2), np.uint8)
    with pytest.raises(DataError, match="2 pictures to write and 1"):
        list(Form(["a.png"], [Recorder()]).contents(x))
    with pytest.raises(DataError, match=r"alpha=unwarper\.align"):
        list(Form(["a", "b"], [Recorder()] * 2, alpha=x[:, 0]).contents(x))
