"""The samples of a run: every sample once, a tenth held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp import Unwarper
from unwarp.app.parts import open_parts, open_source
from unwarp.data.schema import Schema
from unwarp.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of 40 series."""
    np.save(tmp_path / "waves.npy", np.arange(40.0)[:, None] + np.linspace(0, 1, 12))
    return tmp_path / "waves.npy"


def test_parts_cover_the_source(path: Path) -> None:
    """Each sample is in one part, in its order; the split follows from the seed."""
    parts, same, other = (open_parts(str(path), Unwarper(random_state=seed)) for seed in (0, 0, 1))
    first, second = (part.x.samples[:, 0, 0] for part in (parts.training, parts.test))
    assert len(second) == 4 and sorted([*first, *second]) == list(range(40))
    assert (np.diff(first) > 0).all() and (np.diff(second) > 0).all()
    np.testing.assert_array_equal(second, same.test.x.samples[:, 0, 0])
    assert not np.array_equal(second, other.test.x.samples[:, 0, 0])


def test_few_samples_are_refused(tmp_path: Path) -> None:
    """Of fewer than ten samples none could be held out."""
    np.save(tmp_path / "few.npy", np.zeros((9, 12)))
    with pytest.raises(DataError, match=r"holds 9 sample\(s\); a run needs at least 10"):
        open_parts(str(tmp_path / "few.npy"), Unwarper())


def test_data_sets_have_two_parts() -> None:
    """The held-out part of a built-in set is what tables list."""
    parts = open_parts("bumps", Unwarper())
    assert parts.listed is parts.test
    assert parts.training.dataset is not None and parts.training.dataset.maps is not None
    assert len(open_source("bumps", "train")) == len(parts.training)


def test_faults_count_in_the_whole_source(path: Path) -> None:
    """An unusable sample is named by its number in the file, before any training."""
    x = np.load(path)
    x[10, 5] = np.nan
    np.save(path, x)
    with pytest.raises(DataError, match="sample 10"):
        open_parts(str(path), Unwarper())


def test_lengths_differ_in_all_parts(path: Path) -> None:
    """One shorter series in the whole lets all parts hold series of any length."""
    x = np.load(path)
    for row in (0, 7, 23):
        shorter = x.copy()
        shorter[row, -1] = np.nan
        np.save(path, shorter)
        parts = open_parts(str(path), Unwarper())
        schemas = [Schema.fit(part)[0] for part in (parts.training, parts.test)]
        assert all(schema.clock.any_length for schema in schemas)
