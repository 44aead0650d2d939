"""IDX files: read exactly, and refused if damaged; the published set."""

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
    """An array in the IDX format, before compression."""
    return struct.pack(f">{1 + array.ndim}i", magic, *array.shape) + array.tobytes()


def write_gzip(folder: Path, name: str, raw: bytes) -> Path:
    """Write compressed bytes, and return the path."""
    path = folder / name
    path.write_bytes(gzip.compress(raw, mtime=0))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small test part."""
    write_gzip(tmp_path, "t10k-images-idx3-ubyte.gz", idx(2051, PICTURES))
    write_gzip(tmp_path, "t10k-labels-idx1-ubyte.gz", idx(2049, LABELS))
    return tmp_path


def test_idx_files_come_back(folder: Path) -> None:
    """Pictures and labels come back as written."""
    data = mnist.load("test", folder)
    assert data.x.shape == (5, 1, 28, 28)
    np.testing.assert_array_equal((255 * data.x[:, 0].double()).round().numpy(), PICTURES)
    assert data.labels is not None and data.labels.tolist() == [3, 1, 4, 1, 5]


def test_folder_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument, the folder is that of the environment."""
    (folder / "mnist").mkdir()
    for path in folder.glob("*.gz"):
        path.rename(folder / "mnist" / path.name)
    monkeypatch.setenv("UNWARP_DATA", str(folder))
    assert len(mnist.load("test")) == 5


def test_absent_folder_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any folder, the error names the variable to set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNWARP_DATA", raising=False)
    with pytest.raises(DataError, match="UNWARP_DATA"):
        mnist.load("test")


def test_unknown_part_is_refused(folder: Path) -> None:
    """The message lists the parts."""
    with pytest.raises(DataError, match="train or test"):
        mnist.load("all", folder)


def test_absent_file_is_named(folder: Path) -> None:
    """A missing file is named."""
    with pytest.raises(DataError, match="train-images-idx3-ubyte"):
        mnist.load("train", folder)


def test_counts_must_agree(folder: Path) -> None:
    """Files with unequal numbers of pictures and labels are refused."""
    write_gzip(folder, "t10k-labels-idx1-ubyte.gz", idx(2049, LABELS[:4]))
    with pytest.raises(DataError, match="5 images and 4 labels"):
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
def test_other_contents_are_refused(tmp_path: Path, raw: bytes) -> None:
    """Another magic number, and bytes missing or too many are refused."""
    path = write_gzip(tmp_path, "images.gz", raw)
    with pytest.raises(DataError, match=r"images\.gz"):
        mnist.read_idx(path, mnist.IMAGE_MAGIC)


@pytest.mark.parametrize("position", [0, 10, 40, 200, -6])
def test_flipped_byte_is_refused(tmp_path: Path, position: int) -> None:
    """A changed byte of the compressed file is noticed."""
    path = write_gzip(tmp_path, "images.gz", idx(2051, np.tile(PICTURES[:1] // 32, (5, 1, 1))))
    raw = bytearray(path.read_bytes())
    raw[position] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"images\.gz"):
        mnist.read_idx(path, mnist.IMAGE_MAGIC)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.99])
def test_truncated_file_is_refused(tmp_path: Path, fraction: float) -> None:
    """A compressed file that is cut short is refused."""
    path = write_gzip(tmp_path, "images.gz", idx(2051, PICTURES))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(fraction * len(raw))])
    with pytest.raises(DataError, match=r"images\.gz"):
        mnist.read_idx(path, mnist.IMAGE_MAGIC)


def test_published_mnist_is_itself(real_data: Path) -> None:
    """Class counts and mean are those of the published test set."""
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
    """Class counts, mean and deviation are those of the published training set."""
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
