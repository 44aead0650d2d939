"""Fashion-MNIST: the files of MNIST with other pictures, and the published set."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unwarp.datasets import fashion_mnist, load
from unwarp.errors import DataError

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)


def write_idx(path: Path, magic: int, array: NDArray[np.uint8]) -> None:
    """Write an array as a gzipped IDX file."""
    path.parent.mkdir(exist_ok=True)
    header = struct.pack(f">{1 + array.ndim}i", magic, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small training part."""
    root = tmp_path / "fashion-mnist"
    write_idx(root / "train-images-idx3-ubyte.gz", 2051, PICTURES)
    write_idx(root / "train-labels-idx1-ubyte.gz", 2049, np.array([9, 0, 8, 1], dtype=np.uint8))
    return root


def test_fashion_files_come_back(folder: Path) -> None:
    """Pictures and labels come back as written."""
    data = fashion_mnist.load("train", folder)
    assert data.name == "fashion-mnist" and data.licence == "MIT"
    np.testing.assert_array_equal((255 * data.x[:, 0].double()).round().numpy(), PICTURES)
    assert data.labels is not None and data.labels.tolist() == [9, 0, 8, 1]


def test_fashion_is_read_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, the files are read from the folder of the environment."""
    monkeypatch.setenv("UNWARP_DATA", str(folder.parent))
    assert len(load("fashion-mnist", "train")) == 4
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte"):
        load("fashion-mnist", "test")


def test_damaged_file_is_named(folder: Path) -> None:
    """A file that is cut short is refused by name."""
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz"):
        fashion_mnist.load("train", folder)


def test_unknown_part_is_refused(folder: Path) -> None:
    """The message lists the parts."""
    with pytest.raises(DataError, match="train or test"):
        fashion_mnist.load("valid", folder)


def test_published_fashion_is_itself(real_data: Path) -> None:
    """Class counts, mean and the width of garments are those of the published set."""
    test = fashion_mnist.load("test", real_data / "fashion-mnist")
    assert test.x.shape == (10_000, 1, 28, 28) and test.labels is not None
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert float(test.x.double().mean()) * 255 == pytest.approx(73.1466, abs=1e-3)
    trousers, bags = (
        test.x[test.labels == fashion_mnist.CLASSES.index(name), 0] for name in ("trouser", "bag")
    )
    width = [float((garment.sum(1) > 1).sum(1).float().mean()) for garment in (trousers, bags)]
    assert width[0] < 0.7 * width[1]
