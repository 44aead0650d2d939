"""Trace from tslearn's file: read without importing the package, refused if damaged."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.datasets import load, trace
from unwarp.errors import DataError

needs_tslearn = pytest.mark.skipif(find_spec("tslearn") is None, reason="tslearn is not installed")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data file of an installed package that holds other numbers."""
    spec = ModuleSpec("tslearn", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(trace, "find_spec", lambda name: spec)
    (tmp_path / ".cached_datasets").mkdir()
    rng = np.random.default_rng(0)
    path = tmp_path / ".cached_datasets" / "Trace.npz"
    parts = {f"X_{part}": rng.normal(size=trace.PART_SHAPE) for part in ("train", "test")}
    np.savez(path, **parts, y_train=np.arange(100) % 4 + 1, y_test=np.arange(100) % 3 + 1)
    return path


def test_channels_come_first(package: Path) -> None:
    """Series have their channel first, and each part has its own series and labels."""
    with np.load(package) as file:
        for part in ("train", "test"):
            data = load("trace", part)
            assert data.shape == (1, 275) and data.labels is not None
            np.testing.assert_array_equal(
                data.x[:, 0].numpy(), file[f"X_{part}"][..., 0].astype(np.float32)
            )
            np.testing.assert_array_equal(data.labels, file[f"y_{part}"])


@pytest.mark.parametrize("damage", ["absent", "cut", "other"])
def test_damaged_file_is_refused(package: Path, damage: str) -> None:
    """An absent, truncated or other file is refused by name."""
    if damage == "absent":
        package.unlink()
    elif damage == "cut":
        package.write_bytes(package.read_bytes()[:-200])
    else:
        np.savez(package, X_train=np.zeros((3, 275, 1)), y_train=np.zeros(3))
    with pytest.raises(DataError, match=r"Trace\.npz .*reinstall tslearn"):
        trace.load()


def test_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tslearn, the error says how to install it."""
    monkeypatch.setattr(trace, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'unwarp\[series\]'"):
        trace.load()


def test_unknown_part_is_refused() -> None:
    """The message lists the parts."""
    with pytest.raises(DataError, match="train or test"):
        trace.load("valid")


@needs_tslearn
def test_package_is_not_imported() -> None:
    """Loading imports neither tslearn nor numba."""
    before = set(sys.modules)
    trace.load()
    assert not {name.split(".")[0] for name in set(sys.modules) - before} & {"tslearn", "numba"}


@needs_tslearn
@pytest.mark.parametrize(
    ("part", "counts"), [("train", [26, 21, 22, 31]), ("test", [24, 29, 28, 19])]
)
def test_published_classes_of_trace(part: str, counts: list[int]) -> None:
    """Class counts are the published ones, and series are z-normalised."""
    data = trace.load(part)
    assert data.x.shape == (100, 1, 275) and data.labels is not None
    assert np.bincount(data.labels)[1:].tolist() == counts
    np.testing.assert_allclose(data.x.mean(-1).numpy(), 0, atol=1e-4)
    np.testing.assert_allclose(data.x.std(-1).numpy(), 1, atol=1e-3)


@needs_tslearn
@pytest.mark.parametrize("part", ["train", "test"])
def test_trace_equals_the_archive(real_data: Path, part: str) -> None:
    """The series are those of the UCR archive, up to rounding."""
    published, data = (
        read(real_data / "ucr" / "Trace" / f"Trace_{part.upper()}.tsv"),
        trace.load(part),
    )
    np.testing.assert_allclose(data.x[:, 0].numpy(), published.x, atol=6e-5)
    np.testing.assert_array_equal(data.labels, published.labels)


@needs_tslearn
def test_neighbour_error_of_the_archive() -> None:
    """The archive publishes .24 as the error of the nearest neighbour by Euclidean distance."""
    train, test = trace.load("train"), trace.load("test")
    assert train.labels is not None and test.labels is not None
    distance = ((test.x.double() - train.x.double().transpose(0, 1)) ** 2).sum(-1)
    assert np.mean(train.labels[distance.argmin(1).numpy()] != test.labels) == pytest.approx(0.24)
