"""Sets of the UEA archive by name: channels first, resampled to one length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.datasets import uea
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("name", "shape", "n_classes"),
    [
        ("BasicMotions", (40, 6, 100), 4),
        ("JapaneseVowels", (370, 12, 26), 9),
        ("ArticularyWordRecognition", (300, 9, 144), 25),
    ],
)
def test_published_sets_have_their_sizes(
    real_data: Path, name: str, shape: tuple[int, ...], n_classes: int
) -> None:
    """Shapes and numbers of classes are the published ones."""
    data = uea.load("test", name, real_data / "uea")
    assert (
        data.x.shape == shape
        and data.labels is not None
        and len(np.unique(data.labels)) == n_classes
    )


def test_source_keeps_lengths(real_data: Path) -> None:
    """As published, lengths differ and channels do not."""
    source = uea.source("train", "JapaneseVowels", real_data / "uea")
    assert {row.shape[0] for row in source.x} == {12}
    assert (min(row.shape[1] for row in source.x), max(row.shape[1] for row in source.x)) == (7, 26)


def test_absent_set_is_refused(tmp_path: Path) -> None:
    """An unknown set is refused with the list of sets."""
    with pytest.raises(DataError, match=r"the sets in .* are none"):
        uea.load("train", "BasicMotions", tmp_path)
