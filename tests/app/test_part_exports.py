"""Results in parts: which sources have them, and which facts tell two results apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp import Unwarper
from unwarp.app import part_exports
from unwarp.app.part_exports import (
    aligned_parts,
    check_unless_parts,
    is_large,
    model_hints,
)
from unwarp.data.making import make_shards
from unwarp.data.opening import as_source
from unwarp.errors import ConfigError, DataError

X = np.random.default_rng(0).integers(0, 256, (12, 10, 10)).astype(np.uint8)


def test_shards_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of any size have results in parts; arrays in memory never, maps if they are large."""
    make_shards(X, tmp_path / "s")
    np.save(tmp_path / "x.npy", X)
    sources = [as_source(source) for source in (tmp_path / "s", tmp_path / "x.npy", X)]
    assert [is_large(source) for source in sources] == [True, False, False]
    monkeypatch.setattr(part_exports, "MIN_BYTES_FOR_PARTS", 0)
    assert [is_large(source) for source in sources] == [True, True, False]


def test_begun_folders_are_accepted(tmp_path: Path) -> None:
    """A folder that was begun in parts is no obstacle before the work; other files are one."""
    make_shards(X, tmp_path / "s")
    check_unless_parts(tmp_path / "s", [])
    check_unless_parts(tmp_path / "new", [])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").write_text("mine")
    with pytest.raises(ConfigError, match="holds files"):
        check_unless_parts(tmp_path / "other", [])


def test_other_data_must_be_as_many(tmp_path: Path) -> None:
    """Other data of another number, and an unknown sample to align to, are refused."""
    model = Unwarper("affine", max_steps=1, n_clusters=2, layout="channels_first").fit(X)
    np.save(tmp_path / "few.npy", X[:3])
    source = model.open(X)
    with pytest.raises(DataError, match="holds 3 samples"):
        aligned_parts(model, source, str(tmp_path / "few.npy"), None, False)
    with pytest.raises(DataError, match="no sample and no file"):
        aligned_parts(model, source, None, "nobody", False)
    results = aligned_parts(model, source, None, "4", False)
    assert results.to == 4
    assert model_hints(model).layout == "channels_first"
