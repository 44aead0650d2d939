"""Benchmark of codes of pictures: collections, and the default call."""

from __future__ import annotations

import numpy as np
from benchmarks.cases.images import glyphs, move

from benchmarks import pictures_codes


def test_glyphs_differ_by_kind() -> None:
    """With their maps undone, characters are nearest to others of their kind."""
    case = glyphs(seed=1, kinds=3, each=4)
    assert case.x.dtype == np.uint8 and (case.x.max((1, 2)) > 200).all()
    undone = [
        move(x, np.linalg.inv(map)) for x, map in zip(case.x / 255, case.matrices, strict=True)
    ]
    table = np.stack(undone).reshape(len(case.x), -1)
    distances = ((table[:, None] - table) ** 2).sum(2) + 1e9 * np.eye(len(table))
    np.testing.assert_array_equal(case.kinds[distances.argmin(1)], case.kinds)


def test_glyphs_are_split_by_kind() -> None:
    """Three quarters of each kind are for training, and no picture is in both parts."""
    train, test = pictures_codes.glyphs(seed=0)
    assert (len(train), len(test)) == (3000, 1000)
    assert train.labels is not None and test.labels is not None
    assert (np.bincount(train.labels) == 30).all() and (np.bincount(test.labels) == 10).all()
