"""`read`: a path becomes samples, or an error that names it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.files import read
from unwarp.data.series import pad
from unwarp.data.source import describe
from unwarp.errors import ConfigError, DataError

X = np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)


def test_folder_has_names_and_labels(tmp_path: Path) -> None:
    """Files name the pictures of a folder, and subfolders label them."""
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / name)
    source = read(tmp_path)
    assert source.names == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert source.labels is not None and source.labels.tolist() == ["cat", "cat", "dog"]
    assert source.description == "3 pictures, 4 x 4, 3 channels, uint8 0 to 47"


@pytest.mark.parametrize(
    ("x", "description"),
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
def test_description_of_samples(x: np.ndarray, description: str) -> None:
    """One line says how many samples there are, their size, dtype and range."""
    assert describe(x) == description


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xyz", r"supported are a folder of pictures, \.arff, \.bdf"),
        ("a.png", "cannot be read as a picture"),
        ("plain", r"\.npy, \.npz"),
    ],
)
def test_unknown_suffix_lists_formats(tmp_path: Path, name: str, message: str) -> None:
    """A file of another format is refused with the formats that can be read."""
    (tmp_path / name).write_text("content")
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_names_need_a_file_of_arrays(tmp_path: Path) -> None:
    """The name of an array in a file that has no names is refused, not ignored."""
    np.save(tmp_path / "a.npy", X)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    for name in ("a.npy", "a.png"):
        with pytest.raises(DataError, match=f"{name} holds no array 'x'; leave ':x' out"):
            read(f"{tmp_path / name}:x")


@pytest.mark.parametrize("source", ["absent", "absent.npy", ""])
def test_missing_path_is_named(source: str) -> None:
    """A path that does not exist is repeated in the error."""
    with pytest.raises(DataError, match=f"'{source}' does not exist"):
        read(source)


def test_unreadable_path_is_refused(tmp_path: Path) -> None:
    """A path that no system has, a pipe, and a file that the system does not read, are named."""
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(DataError, match="neither a file nor a folder"):
        read(tmp_path / "pipe.npy")
    with pytest.raises(DataError, match="cannot be read: file name too long; check the path"):
        read("a" * 300)
    for value in (None, 3, b"x.npy", [tmp_path]):
        with pytest.raises(ConfigError, match="is no path; give a text"):
            read(value)  # type: ignore[arg-type]


def test_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder."""
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    np.save(tmp_path / "a.npy", X)
    np.testing.assert_array_equal(read("~/a.npy").x, X)


SIZES = {
    "ucr/GesturePebbleZ1/GesturePebbleZ1_TEST.tsv": "172 series, 100 to 375 time steps, 1 channel",
    "ucr-2015/Coffee/Coffee_TRAIN": "28 series, 286 time steps, 1 channel",
    "ucr-2015/Trace/Trace_TEST": "100 series, 275 time steps, 1 channel",
    "ucr-ts/GunPoint/GunPoint_TEST.ts": "150 series, 150 time steps, 1 channel",
    "uci/synthetic_control.data": "600 series, 60 time steps, 1 channel",
    "uea/BasicMotions/BasicMotions_TRAIN.ts": "40 series, 100 time steps, 6 channels",
    "uea/JapaneseVowels/JapaneseVowels_TRAIN.ts": "270 series, 7 to 26 time steps, 12 channels",
    "uea/JapaneseVowels/JapaneseVowels_TEST.ts": "370 series, 7 to 29 time steps, 12 channels",
    "uea/UWaveGestureLibrary/UWaveGestureLibrary_TRAIN.ts": (
        "120 series, 315 time steps, 3 channels"
    ),
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_published_files_have_their_sizes(real_data: Path, name: str, size: str) -> None:
    """Files of the archives have the sizes that the archives publish."""
    assert read(real_data / name).description.startswith(size)


@pytest.mark.slow
def test_published_files_have_no_gaps(real_data: Path) -> None:
    """All 75 files of the archives are read, without a missing value."""
    candidates = [
        path
        for archive in ("ucr", "ucr-2015", "ucr-ts", "uea", "uci")
        for path in (real_data / archive).rglob("*")
    ]
    paths = [path for path in candidates if path.is_file() and path.suffix != ".md"]
    assert len(paths) == 75
    for path in paths:
        source = read(path)
        assert not any(np.isnan(series).any() for series in source.x), path
        assert pad(source.x)[1].any(1).all()
