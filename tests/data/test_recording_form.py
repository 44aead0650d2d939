"""Recordings are stored in the form of a file."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from unwarp.data.recording_form import ArrayForm, TableForm, WaveForm, cells_of, encode_columns

X = np.array([[0.5, -0.25, 1.0], [100, 0, -100]])


def test_tables_keep_names_and_separator() -> None:
    """The time comes first, under its name; a missing value is an empty cell."""
    form = TableForm("t (s)", "\t", ".tsv")
    assert form.encode(X, np.array([0, 0.5, 1]), ("a", "b")).startswith(
        b"t (s)\ta\tb\n0\t0.5\t100\n"
    )
    assert TableForm("").encode(X[:1], None, ()) == b"value\n0.5\n-0.25\n1\n"


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_waves_are_rounded_and_cut(bits: int) -> None:
    """Samples beyond the range of the format are cut, as NaN are 0."""
    values = np.array([[0.6, 1e12, np.nan, -1e12]])
    content = WaveForm(100, bits).encode(values, np.arange(4) / 50, ())
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getsampwidth() * 8) == (50, bits)
        first = file.readframes(1)
    assert int.from_bytes(first, "little") == 1


def test_arrays_keep_axes() -> None:
    """Time stays the first or the last axis, and whole numbers stay whole."""
    for time_axis, shape in ((1, (2, 3)), (0, (3, 2))):
        content = ArrayForm(np.dtype(np.int16), time_axis, 2).encode(X, None, ())
        x = np.load(io.BytesIO(content))
        assert x.shape == shape and x.dtype == np.int16
    assert np.load(io.BytesIO(ArrayForm(np.dtype(float), 0, 1).encode(X[:1], None, ()))).shape == (
        3,
    )


def test_cells_keep_all_digits() -> None:
    """Cells are the shortest texts that read back as the same numbers."""
    x = np.random.default_rng(0).normal(size=50).astype(np.float32)
    assert [np.float32(cell) for cell in cells_of(x)] == x.tolist()
    assert encode_columns(["n"], [np.array([3, 4])]) == b"n\n3\n4\n"
