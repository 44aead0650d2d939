"""Tables in Parquet files: the same series as in `.csv`, damage refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.formats.text_files import as_lists, write_file
from unwarp.data.formats.files import read
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def frames() -> dict[str, pd.DataFrame]:
    """Frames of each layout, by a name for it."""
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


@pytest.mark.parametrize("layout", frames().keys())
def test_parquet_equals_csv(tmp_path: Path, layout: str) -> None:
    """A frame gives one source from both formats: values, names, labels, times, description."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    frame = frames()[layout]
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=layout == "named rows")
    parquet, csv = read(tmp_path / "a.parquet"), read(tmp_path / "a.csv")
    assert as_lists(parquet) == as_lists(csv)
    assert (parquet.names, parquet.description) == (csv.names, csv.description)
    for a, b in ((parquet.labels, csv.labels), (parquet.times, csv.times)):
        assert (a is None) == (b is None)
        assert (
            a is None or b is None or all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))
        )


def test_parquet_damage_is_refused(tmp_path: Path) -> None:
    """A file that is cut short, has no row or has a word for a number is named."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    frames()["long"].to_parquet(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for end in (0, 4, len(content) // 2, len(content) - 1):
        (tmp_path / "a.parquet").write_bytes(content[:end])
        with pytest.raises(DataError, match=r"a\.parquet is damaged or cut short"):
            read(tmp_path / "a.parquet")
    pd.DataFrame({"id": [], "time": [], "x": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has 0 rows of 3 columns"):
        read(tmp_path / "a.parquet")
    pd.DataFrame({"a": [1, 2], "b": ["x", "3"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="row 1, column 'b': 'x' is not a number"):
        read(tmp_path / "a.parquet")


def test_absent_pyarrow_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pip install 'unwarp\[parquet\]'"):
        read(write_file(tmp_path, "a.parquet", "PAR1"))
