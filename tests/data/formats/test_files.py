"""`read`: a path becomes arrays, or an error that names it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.files import describe, read
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)


def test_a_folder_has_names_and_labels(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / name)
    source = read(tmp_path)
    assert source.names == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert source.labels is not None and source.labels.tolist() == ["cat", "cat", "dog"]
    assert source.description == "3 pictures, 4 x 4, 3 channels, uint8 0 to 47"


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (
            np.full((1203, 64, 64, 3), 7, np.uint8),
            "1,203 pictures, 64 x 64, 3 channels, uint8 7 to 7",
        ),
        (
            np.zeros((1, 1, 8, 10), np.float32),
            "1 picture, 8 high x 10 wide, 1 channel, float32 0 to 0",
        ),
        (
            np.array([[0.5, np.nan, np.inf, -2]]),
            "1 series, 4 time steps, 1 channel, float64 -2 to 0.5, 2 NaN or infinite",
        ),
        (np.full((2, 3), np.nan), "2 series, 3 time steps, 1 channel, float64, 6 NaN or infinite"),
        (np.zeros((30, 2, 50), np.int16), "array of shape (30, 2, 50), int16 0 to 0"),
        (np.array([["a", "b"]]), "1 series, 2 time steps, 1 channel, <U1"),
        (np.zeros((4, 5), bool), "4 series, 5 time steps, 1 channel, bool 0 to 0"),
    ],
)
def test_the_found_line_says_what_there_is(x: np.ndarray, found: str) -> None:
    assert describe(x) == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.mat", r"known are a folder, \.arff, \.csv"),
        ("a.png", "give their folder"),
        ("plain", r"\.npy, \.npz"),
    ],
)
def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_text("content")
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


@pytest.mark.parametrize("source", ["absent", "absent.npy", ""])
def test_a_missing_path_is_named(source: str) -> None:
    with pytest.raises(DataError, match=f"'{source}' does not exist"):
        read(source)


def test_a_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    np.save(tmp_path / "a.npy", X)
    np.testing.assert_array_equal(read("~/a.npy").x, X)
