"""Sets of the UCR archive by name: as published, of one length where lengths differ, refusals that list the sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.datasets import load, ucr
from unwarp.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, train, test in (
        ("Even", "1\t1\t2\t3", "2\t4\t5\t6"),
        ("Uneven", "1\t0\t2\t4", "2\t0\t8\tNaN"),
    ):
        (tmp_path / "ucr" / name).mkdir(parents=True)
        (tmp_path / "ucr" / name / f"{name}_TRAIN.tsv").write_text(train)
        (tmp_path / "ucr" / name / f"{name}_TEST.tsv").write_text(test)
    return tmp_path / "ucr"


def test_a_set_is_named_and_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = ucr.load("test", "Even", folder)
    assert (
        data.x.tolist() == [[[4, 5, 6]]] and data.labels is not None and data.labels.tolist() == [2]
    )
    assert data.name == "ucr/Even"
    monkeypatch.setenv("UNWARP_DATA", str(folder.parent))
    assert ucr.load("train", "Even").x.tolist() == [[[1, 2, 3]]]


def test_both_parts_get_the_length_of_the_training_part(folder: Path) -> None:
    assert ucr.load("test", "Uneven", folder).x.tolist() == [[[0, 4, 8]]]
    assert ucr.source("test", "Uneven", folder).x.tolist() == [[0, 8]]


def test_what_is_not_there_is_refused_with_what_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
def test_published_sets_have_their_published_sizes(
    real_data: Path, name: str, shape: tuple[int, ...], counts: list[int]
) -> None:
    data = ucr.load("test", name, real_data / "ucr")
    assert data.x.shape == shape and data.labels is not None
    assert np.bincount(data.labels)[1:].tolist() == counts


def test_the_archive_stands_in_the_registry(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNWARP_DATA", str(real_data))
    assert load("ucr").shape == (1, 150)
