"""`Prepared` restores the user's units, type and layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp.core import SERIES
from unwarp.data import prepared
from unwarp.data.clock import Clock
from unwarp.data.prepared import store
from unwarp.data.scaling import Scaler
from unwarp.data.schema import Reading, Schema
from unwarp.data.source import Source
from unwarp.errors import DataError


def test_shape_and_units_are_restored() -> None:
    """Results have the units, the type and the axes of the user's samples."""
    x = np.arange(12, dtype=np.int16).reshape(3, 4)
    samples = Schema(SERIES, (1, 4), Scaler(5.0, 2.0)).prepare(Source(x))
    restored = samples.restore_shape(samples.x + 0.5)
    assert restored.dtype == np.int16
    np.testing.assert_array_equal(restored, x + 1)


def test_lists_are_restored_as_lists() -> None:
    """Series of unequal lengths come back as a list, or evenly spaced as one array."""
    rows = [np.arange(3.0), np.arange(5.0)]
    schema = Schema(SERIES, (1, 5), Scaler(), clock=Clock(any_length=True))
    samples = schema.prepare(Source(rows))
    assert len(samples) == 2 and samples.restore_shape(samples.x).shape == (2, 5)
    restored = samples.restore_times(samples.x)
    assert isinstance(restored, list)
    for restored_row, row in zip(restored, rows, strict=True):
        np.testing.assert_allclose(restored_row, row, atol=1e-6)
    assert samples.x.dtype == torch.float32


@pytest.mark.parametrize("rows", [slice(None), slice(1, 9, 3), np.array([4, 0, 4])])
def test_chunks_do_not_change_copies(
    rows: slice | np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small copies of large images are made few at a time, with the same result."""
    x = np.random.default_rng(0).integers(0, 255, (9, 60, 50)).astype(np.uint8)
    schema = Schema.fit(Source(x), Reading("image", working_size=12))[0]
    expected = schema.prepare(Source(x)).x[rows]
    monkeypatch.setattr(prepared, "NUMBERS_PER_CHUNK", 2 * 60 * 50)
    torch.testing.assert_close(schema.prepare(Source(x))[rows], expected, rtol=0, atol=0)


def test_memory_maps_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results in a memory map are forced to the disk as they come, and are complete."""
    monkeypatch.setattr(prepared, "MAX_BYTES_UNWRITTEN", 10)
    x = np.arange(40, dtype=np.uint8).reshape(5, 8)
    samples = Schema.fit(Source(x))[0].prepare(Source(x))
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.uint8, x.shape)
    samples.collect(((slice(i, i + 1), samples[i : i + 1]) for i in range(5)), out)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), x)


def test_unusable_outputs_are_refused() -> None:
    """A read-only array, and what is no array, are refused by the name of the argument."""
    x = np.zeros((3, 1, 4), np.float32)
    samples = Schema(SERIES, (1, 4), Scaler()).prepare(Source(x))
    out = np.empty_like(x)
    out.flags.writeable = False
    for value, words in ((out, "out is an array that is read-only"), ("x", "out='x' is no array")):
        with pytest.raises(DataError, match=words):
            samples.collect([(slice(0, 3), samples[:])], value)  # type: ignore[arg-type]
        with pytest.raises(DataError, match=words):
            store(x, value)  # type: ignore[arg-type]
