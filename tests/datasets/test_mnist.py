"""IDX files: read exactly, and refused by type when damaged; MNIST itself where it is at hand."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unwarp.datasets import mnist
from unwarp.errors import DataError

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


def idx(magic: int, array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">{1 + array.ndim}i", magic, *array.shape) + array.tobytes()


def put(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(raw, mtime=0))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "t10k-images-idx3-ubyte.gz", idx(2051, PICTURES))
    put(tmp_path, "t10k-labels-idx1-ubyte.gz", idx(2049, LABELS))
    return tmp_path


def test_pictures_and_labels_come_back_as_written(folder: Path) -> None:
    data = mnist.load("test", folder)
    assert data.x.shape == (5, 1, 28, 28)
    np.testing.assert_array_equal((255 * data.x[:, 0].double()).round().numpy(), PICTURES)
    assert data.labels is not None and data.labels.tolist() == [3, 1, 4, 1, 5]


def test_the_folder_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mnist").mkdir()
    for path in folder.glob("*.gz"):
        path.rename(folder / "mnist" / path.name)
    monkeypatch.setenv("UNWARP_DATA", str(folder))
    assert len(mnist.load("test")) == 5


def test_no_folder_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNWARP_DATA", raising=False)
    with pytest.raises(DataError, match="UNWARP_DATA"):
        mnist.load("test")


def test_an_unknown_part_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="train or test"):
        mnist.load("all", folder)


def test_an_absent_file_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match="train-images-idx3-ubyte"):
        mnist.load("train", folder)


def test_pictures_and_labels_must_be_as_many(folder: Path) -> None:
    put(folder, "t10k-labels-idx1-ubyte.gz", idx(2049, LABELS[:4]))
    with pytest.raises(DataError, match="5 pictures and 4 labels"):
        mnist.load("test", folder)


DAMAGED = {
    "labels where pictures should be": idx(2049, LABELS),
    "another magic number": idx(7, PICTURES),
    "nothing": b"",
    "half a header": idx(2051, PICTURES)[:10],
    "a header alone": idx(2051, PICTURES)[:16],
    "bytes missing": idx(2051, PICTURES)[:-1],
    "bytes too many": idx(2051, PICTURES) + b"\0",
    "a negative count": struct.pack(">4i", 2051, -5, 28, 28) + PICTURES.tobytes(),
}


@pytest.mark.parametrize("raw", DAMAGED.values(), ids=DAMAGED.keys())
def test_wrong_contents_are_refused(tmp_path: Path, raw: bytes) -> None:
    path = put(tmp_path, "images.gz", raw)
    with pytest.raises(DataError, match=r"images\.gz"):
        mnist.read_idx(path, mnist.IMAGES)


@pytest.mark.parametrize("at", [0, 10, 40, 200, -6])
def test_a_flipped_byte_of_the_archive_is_refused(tmp_path: Path, at: int) -> None:
    path = put(tmp_path, "images.gz", idx(2051, np.tile(PICTURES[:1] // 32, (5, 1, 1))))
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"images\.gz"):
        mnist.read_idx(path, mnist.IMAGES)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
def test_a_cut_archive_is_refused(tmp_path: Path, keep: float) -> None:
    path = put(tmp_path, "images.gz", idx(2051, PICTURES))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep * len(raw))])
    with pytest.raises(DataError, match=r"images\.gz"):
        mnist.read_idx(path, mnist.IMAGES)


def test_published_mnist_is_itself(real_data: Path) -> None:
    test = mnist.load("test", real_data / "mnist")
    assert test.x.shape == (10_000, 1, 28, 28)
    assert float(test.x.max()) == 1.0 and test.labels is not None
    assert np.bincount(test.labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert float(test.x.mean()) == pytest.approx(0.1325, abs=1e-3)


@pytest.mark.slow
def test_published_training_set_is_itself(real_data: Path) -> None:
    train = mnist.load("train", real_data / "mnist")
    assert train.x.shape == (60_000, 1, 28, 28) and train.labels is not None
    assert np.bincount(train.labels).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert (float(train.x.mean()), float(train.x.std())) == pytest.approx(
        (0.1307, 0.3081), abs=1e-4
    )
