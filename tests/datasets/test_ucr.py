"""Sets of the UCR archive by name: as published, or resampled to one length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.datasets import load, ucr
from unwarp.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive with a set of equal and one of unequal lengths."""
    for name, train, test in (
        ("Even", "1\t1\t2\t3", "2\t4\t5\t6"),
        ("Uneven", "1\t0\t2\t4", "2\t0\t8\tNaN"),
    ):
        (tmp_path / "ucr" / name).mkdir(parents=True)
        (tmp_path / "ucr" / name / f"{name}_TRAIN.tsv").write_text(train)
        (tmp_path / "ucr" / name / f"{name}_TEST.tsv").write_text(test)
    return tmp_path / "ucr"


def test_ucr_set_is_loaded_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set is read from the folder of the argument or of the environment."""
    data = ucr.load("test", "Even", folder)
    assert (
        data.x.tolist() == [[[4, 5, 6]]] and data.labels is not None and data.labels.tolist() == [2]
    )
    assert data.name == "ucr/Even"
    monkeypatch.setenv("UNWARP_DATA", str(folder.parent))
    assert ucr.load("train", "Even").x.tolist() == [[[1, 2, 3]]]


def test_parts_get_the_training_length(folder: Path) -> None:
    """Series of both parts are resampled to the longest one for training."""
    assert ucr.load("test", "Uneven", folder).x.tolist() == [[[0, 4, 8]]]
    assert ucr.source("test", "Uneven", folder).x.tolist() == [[0, 8]]


def test_absent_sets_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown set is refused with the list of sets; parts and folders likewise."""
    with pytest.raises(DataError, match=r"the sets in .* are Even, Uneven"):
        ucr.load("train", "Odd", folder)
    with pytest.raises(DataError, match="train or test"):
        ucr.load("all", "Even", folder)
    monkeypatch.setenv("UNWARP_DATA", str(folder / "nowhere"))
    with pytest.raises(DataError, match="set UNWARP_DATA"):
        ucr.load("train", "Even")


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("GunPoint", (150, 1, 150), [76, 74]),
        ("GesturePebbleZ1", (172, 1, 455), [28, 25, 32, 31, 27, 29]),
    ],
)
def test_published_sets_have_their_sizes(
    real_data: Path, name: str, shape: tuple[int, ...], counts: list[int]
) -> None:
    """Shapes and class counts are the published ones."""
    data = ucr.load("test", name, real_data / "ucr")
    assert data.x.shape == shape and data.labels is not None
    assert np.bincount(data.labels)[1:].tolist() == counts


def test_ucr_is_in_the_registry(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name `ucr` a set of the archive is loaded."""
    monkeypatch.setenv("UNWARP_DATA", str(real_data))
    assert load("ucr").shape == (1, 150)
