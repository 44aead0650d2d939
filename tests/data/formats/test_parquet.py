"""Tables in Parquet: read as their twins in `.csv`, damage refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def put(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(source: Source) -> list[list[list[float | None]]]:
    """Every series (C, T_i) as lists, None where missing."""
    return [
        [[None if np.isnan(v) else v for v in line] for line in np.atleast_2d(x).tolist()]
        for x in source.x
    ]


def frames() -> dict[str, pd.DataFrame]:
    long = pd.DataFrame(
        {"id": list("uuv"), "t": [1, 0, 5], "x": [1.5, np.nan, 3], "label": ["a", "a", "b"]}
    )
    dated = long.assign(
        t=pd.to_datetime(["1970-01-01 00:00:01.5", "1970-01-01", "1970-01-02"], format="ISO8601")
    )
    return {
        "wide": pd.DataFrame(X, columns=[f"t{k}" for k in range(4)]).assign(label=[1, 2, 1, 2, 1]),
        "named rows": pd.DataFrame(X, columns=list("abcd"), index=list("uvwxy")),
        "long": long,
        "dated": dated,
    }


@pytest.mark.parametrize("kind", frames().keys())
def test_parquet_is_read_as_csv_is(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    frame = frames()[kind]
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=kind == "named rows")
    one, other = read(tmp_path / "a.parquet"), read(tmp_path / "a.csv")
    assert (
        rows(one) == rows(other)
        and one.names == other.names
        and one.description == other.description
    )
    for a, b in ((one.labels, other.labels), (one.times, other.times)):
        assert (a is None) == (b is None)
        assert (
            a is None or b is None or all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))
        )


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    frames()["long"].to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    for cut in (0, 4, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.parquet").write_bytes(whole[:cut])
        with pytest.raises(DataError, match=r"a\.parquet is damaged or cut short"):
            read(tmp_path / "a.parquet")
    pd.DataFrame({"id": [], "time": [], "x": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="holds 0 rows of 3 columns"):
        read(tmp_path / "a.parquet")
    pd.DataFrame({"a": [1, 2], "b": ["x", "3"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="row 1, column 'b': 'x' is not a number"):
        read(tmp_path / "a.parquet")


def test_without_pyarrow_the_mend_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pip install 'unwarp\[parquet\]'"):
        read(put(tmp_path, "PAR1", "a.parquet"))
