"""Series of unequal lengths: padding is removed, equal ones are stacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.errors import DataError


def test_padding_is_missing_in_each_channel() -> None:
    """Steps that are missing in every channel are cut, gaps before them stay."""
    series = np.array([[1, np.nan, np.nan, np.nan], [2, np.nan, 3, np.nan]], np.float32)
    np.testing.assert_array_equal(trim_padding(series, "line 1"), series[:, :3])
    with pytest.raises(DataError, match="line 1 has only missing values"):
        trim_padding(series[:, 3:], "line 1")


def test_equal_series_are_stacked() -> None:
    """One channel gives (N, T), more give (N, C, T), and unequal lengths give a list."""
    single, double = np.zeros((1, 3), np.float32), np.zeros((2, 3), np.float32)
    assert series_source([single, single], None, "example").x.shape == (2, 3)
    assert series_source([double, double], None, "example", times=[np.arange(3.0)] * 2).x.ndim == 3
    source = series_source([double, double[:, :1]], None, "example")
    assert [series.shape for series in source.x] == [(2, 3), (2, 1)]
    assert source.domain == "series" and source.description.endswith("; example")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".ts", ".arff", ".data", ".npz"])
def test_files_keep_digits(tmp_path: Path, suffix: str) -> None:
    """Series of a file are float32, or float64 where float32 would round them noticeably."""
    wave = np.sin(np.arange(60.0)).reshape(3, 20)
    for x, dtype in ((wave, np.float32), (101325 + 0.02 * wave, np.float64)):
        rows = "\n".join(",".join(map(repr, row)) for row in x.tolist())
        path = tmp_path / f"a{suffix}"
        text = {
            ".csv": ",".join(f"step {k}" for k in range(20)) + "\n" + rows,
            ".tsv": "\n".join("1\t" + row.replace(",", "\t") for row in rows.split("\n")),
            ".ts": "@univariate true\n@classLabel false\n@data\n" + rows,
            ".arff": "".join(f"@attribute a{k} real\n" for k in range(20)) + "@data\n" + rows,
            ".data": rows,
        }
        if suffix == ".npz":
            np.savez(path, x=x, lengths=np.full(3, 20))
        else:
            path.write_text(text[suffix])
        source = read(path)
        assert source.x.dtype == dtype
        np.testing.assert_array_equal(source.x, x.astype(dtype))
