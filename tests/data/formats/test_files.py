"""`read`: a path becomes arrays, or an error that names it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unwarp.data.arrays import as_samples
from unwarp.data.formats.files import describe, read
from unwarp.data.source import Source
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)


def test_npy_is_mapped_from_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    source = read(tmp_path / "a.npy")
    assert isinstance(source.x, np.memmap) and source.names is None and source.labels is None
    np.testing.assert_array_equal(source.x, X)
    assert np.shares_memory(as_samples(source.x)[0], source.x)
    assert source.found.startswith("20 series, 9 time steps, 1 channel, float32 -")


@pytest.mark.parametrize("key", ["x", "X", "images", "data", "arr_0", "anything"])
@pytest.mark.parametrize("label_key", ["labels", "y", None])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_finds_samples_and_labels(tmp_path: Path, key: str, label_key: str | None, save: object) -> None:
    labels = np.arange(20) % 3
    save(tmp_path / "a.npz", **{key: X} | ({label_key: labels} if label_key else {}))  # type: ignore[operator]
    source = read(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(source.x, X)
    if label_key:
        assert source.labels is not None
        np.testing.assert_array_equal(source.labels, labels)
    else:
        assert source.labels is None


def test_npz_passes_over_arrays_it_was_not_asked_for(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, notes=np.array([{"made": "today"}], dtype=object))
    np.testing.assert_array_equal(read(tmp_path / "a.npz").x, X)


def test_a_folder_has_names_and_labels(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / name)
    source = read(tmp_path)
    assert source.names == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert source.labels is not None and source.labels.tolist() == ["cat", "cat", "dog"]
    assert source.found == "3 pictures, 4 x 4, 3 channels, uint8 0 to 47"


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (np.full((1203, 64, 64, 3), 7, np.uint8), "1,203 pictures, 64 x 64, 3 channels, uint8 7 to 7"),
        (np.zeros((1, 1, 8, 10), np.float32), "1 picture, 8 high x 10 wide, 1 channel, float32 0 to 0"),
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


def test_python_objects_are_refused(tmp_path: Path) -> None:
    objects = np.array([[1, "a"]], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", x=objects)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(DataError, match=rf"{name} holds Python objects.*run code"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_pickle_is_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(DataError, match=r"is not an \.np"):
        read(tmp_path / name)
    assert not (tmp_path / "opened").exists() and not Path("opened").exists()


@given(st.data())
def test_a_file_cut_short_or_altered_is_refused_or_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    suffix = data.draw(st.sampled_from([".npy", ".npz"]))
    path = folder / f"a{suffix}"
    (np.save if suffix == ".npy" else np.savez_compressed)(path, X)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:cut])
    with pytest.raises(DataError, match=path.name):
        read(path)
    noise = data.draw(st.binary(min_size=1, max_size=8))
    path.write_bytes(content[:cut] + noise + content[cut + len(noise) :])
    try:
        assert isinstance(read(path), Source)
    except DataError as error:
        assert path.name in str(error)
    shutil.rmtree(folder)


def test_the_wrong_suffix_is_told_by_content(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(DataError, match=r"not an \.npy file"):
        read(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"first": X, "second": X}, "first, second.*x or X or images or data"),
        ({"y": np.arange(3)}, "holds y; name the samples"),
        ({}, "holds no array"),
        ({"x": X, "y": np.arange(3)}, r"y has shape \(3,\), x has 20 samples"),
        ({"x": X, "labels": np.zeros((20, 2))}, r"labels has shape \(20, 2\)"),
        ({"x": np.float32(1)}, "first axis"),
        ({"x": np.empty((0, 3))}, r"shape \(0, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    tmp_path: Path, content: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("x", [np.float32(1), np.empty((0, 3)), np.empty((3, 0))])
def test_an_npy_without_samples_is_refused(tmp_path: Path, x: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", x)
    with pytest.raises(DataError, match="first axis"):
        read(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.mat", r"known are a folder, \.npy, \.npz"),
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
