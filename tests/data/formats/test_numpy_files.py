"""`.npy` and `.npz` files: never unpickled, with lengths and times, damage refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.arrays import as_samples
from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)


def test_npy_is_mapped(tmp_path: Path) -> None:
    """An `.npy` file is mapped from disk, not copied."""
    np.save(tmp_path / "a.npy", X)
    source = read(tmp_path / "a.npy")
    assert isinstance(source.x, np.memmap) and source.names is None and source.labels is None
    np.testing.assert_array_equal(source.x, X)
    assert np.shares_memory(as_samples(source.x)[0], source.x)
    assert source.description.startswith("20 series, 9 time steps, 1 channel, float32 -")


@pytest.mark.parametrize("key", ["x", "X", "images", "data", "arr_0", "anything"])
@pytest.mark.parametrize("label_key", ["labels", "y", None])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_samples_and_labels(
    tmp_path: Path, key: str, label_key: str | None, save: object
) -> None:
    """Samples and labels are recognised by their usual names."""
    labels = np.arange(20) % 3
    arrays = {key: X} | ({label_key: labels} if label_key else {})
    save(tmp_path / "a.npz", **arrays)  # type: ignore[operator]
    source = read(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(source.x, X)
    if label_key:
        assert source.labels is not None
        np.testing.assert_array_equal(source.labels, labels)
    else:
        assert source.labels is None


def test_npz_other_arrays_are_skipped(tmp_path: Path) -> None:
    """Arrays beside the samples are not even opened."""
    np.savez(tmp_path / "a.npz", x=X, notes=np.array([{"date": "today"}], dtype=object))
    np.testing.assert_array_equal(read(tmp_path / "a.npz").x, X)


def test_python_objects_are_refused(tmp_path: Path) -> None:
    """Objects, which can run code, are never loaded."""
    objects = np.array([[1, "a"]], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", x=objects)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(DataError, match=rf"{name} contains Python objects.*run code"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_pickle_is_never_opened(tmp_path: Path, name: str) -> None:
    """A pickle with the suffix of an array runs nothing."""
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(DataError, match=r"is not an \.np"):
        read(tmp_path / name)
    assert not (tmp_path / "opened").exists() and not Path("opened").exists()


@given(st.data())
def test_damaged_file_is_refused_or_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A file that is cut short or altered is refused by name, or still an array."""
    folder = tmp_path_factory.mktemp("damage")
    suffix = data.draw(st.sampled_from([".npy", ".npz"]))
    path = folder / f"a{suffix}"
    (np.save if suffix == ".npy" else np.savez_compressed)(path, X)
    content = path.read_bytes()
    end = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:end])
    with pytest.raises(DataError, match=path.name):
        read(path)
    noise = data.draw(st.binary(min_size=1, max_size=8))
    path.write_bytes(content[:end] + noise + content[end + len(noise) :])
    try:
        assert isinstance(read(path), Source)
    except DataError as error:
        assert path.name in str(error)
    shutil.rmtree(folder)


def test_suffix_must_fit_the_content(tmp_path: Path) -> None:
    """An `.npz` file named `.npy` is refused."""
    np.savez(tmp_path / "a.npz", x=X)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(DataError, match=r"not an \.npy file"):
        read(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"first": X, "second": X}, "first, second.*x or X or images or data"),
        ({"y": np.arange(3)}, "contains y; name the samples"),
        ({}, "contains no array"),
        ({"x": X, "y": np.arange(3)}, r"y has shape \(3,\), x has 20 samples"),
        ({"x": X, "labels": np.zeros((20, 2))}, r"labels has shape \(20, 2\)"),
        ({"x": np.float32(1)}, "first axis"),
        ({"x": np.empty((0, 3))}, r"shape \(0, 3\)"),
    ],
)
def test_arrays_must_fit_together(
    tmp_path: Path, content: dict[str, np.ndarray], message: str
) -> None:
    """Samples without a name, or with other labels than samples, are refused."""
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("x", [np.float32(1), np.empty((0, 3)), np.empty((3, 0))])
def test_npy_without_samples_is_refused(tmp_path: Path, x: np.ndarray) -> None:
    """The first axis must count samples."""
    np.save(tmp_path / "a.npy", x)
    with pytest.raises(DataError, match="first axis"):
        read(tmp_path / "a.npy")


SERIES = np.random.default_rng(0).normal(size=(3, 2, 5)).astype(np.float32)


def save_arrays(folder: Path, **arrays: Any) -> Path:
    """Save named arrays as an `.npz` file, and return its path."""
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def test_npz_lengths_cut_the_padding(tmp_path: Path) -> None:
    """Series are cut to their lengths, and keep their labels."""
    source = read(save_arrays(tmp_path, x=SERIES, lengths=[5, 2, 1], labels=[1, 2, 3]))
    for x, series, length in zip(source.x, SERIES, (5, 2, 1), strict=True):
        np.testing.assert_array_equal(x, series[:, :length])
    assert (
        source.domain == "series"
        and source.labels is not None
        and source.labels.tolist() == [1, 2, 3]
    )


@pytest.mark.parametrize("shared", [True, False])
def test_npz_times_follow_the_series(tmp_path: Path, shared: bool) -> None:
    """Times of one series or of all are cut to the lengths too."""
    times = np.arange(5.0) ** 2
    source = read(
        save_arrays(
            tmp_path,
            X=SERIES[:, 0],
            times=times if shared else np.tile(times, (3, 1)),
            lengths=[5, 5, 4],
        )
    )
    assert source.times is not None
    assert [t.tolist() for t in source.times] == [
        times.tolist(),
        times.tolist(),
        times[:4].tolist(),
    ]
    whole = read(save_arrays(tmp_path, anything=SERIES, times=times))
    assert (
        isinstance(whole.times, np.ndarray)
        and whole.times.shape == (3, 5)
        and whole.x.shape == (3, 2, 5)
    )


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"lengths": [5, 2]}, "lengths must be 3 whole numbers from 1 to 5"),
        ({"lengths": [5, 2, 0]}, "lengths must be 3"),
        ({"lengths": [5, 2, 6]}, "lengths must be 3"),
        ({"lengths": [5.0, 2.0, 1.0]}, "lengths must be 3"),
        ({"times": np.zeros((3, 4))}, r"times are float64 of shape \(3, 4\)"),
        ({"times": ["a"] * 5}, "times are <U1"),
        ({"x": np.zeros((3, 1, 5, 5)), "times": np.zeros(5)}, "give series of numbers"),
    ],
)
def test_npz_misfits_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    """Lengths or times that do not fit the series are refused by name."""
    with pytest.raises(DataError, match=message):
        read(save_arrays(tmp_path, **({"x": SERIES} | arrays)))
