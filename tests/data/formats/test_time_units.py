"""Times of a column that names its unit are in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unwarp.data.formats.time_units import in_seconds, unit_of
from unwarp.data.opening import as_source


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Time (ms)", "ms"),
        ("time [h]", "h"),
        ("t_ms", "ms"),
        ("elapsedMs", "ms"),
        ("Zeit/min", "min"),
        ("time µs", "us"),
        ("timestamp_ns", "ns"),
        ("seconds", "s"),
        ("day", "days"),
        ("time", None),
        ("Date (UTC)", None),
        ("", None),
    ],
)
def test_units_are_named(name: str, unit: str | None) -> None:
    """A unit stands in brackets, after a slash, or as the last word."""
    assert unit_of(name) == unit


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s", "min", "h", "days", None])
def test_pandas_agrees_on_units(unit: str | None) -> None:
    """Seconds are those of `pandas.Timedelta`; without a unit numbers stay."""
    times = np.array([0.0, 3.0, 20.0])
    expected = times if unit is None else pd.to_timedelta(times, unit=unit).total_seconds()
    np.testing.assert_allclose(in_seconds(times, unit), expected, rtol=1e-9)


@pytest.mark.parametrize("head", ["id,t_ms,v", "id,Time (ms),v", "id,time,v\n-,ms,mV"])
def test_long_tables_are_in_seconds(head: str, tmp_path: Path) -> None:
    """The unit of the name or of a row of units holds; the description says so."""
    rows = "".join(f"s{i},{20 * k},{k % 5}\n" for i in range(3) for k in range(12))
    (tmp_path / "a.csv").write_text(f"{head}\n{rows}")
    source = as_source(tmp_path / "a.csv")
    np.testing.assert_allclose(np.asarray(source.times)[0], np.arange(12) / 50)
    assert "(ms, converted to seconds)" in source.description


def test_column_tables_are_in_seconds(tmp_path: Path) -> None:
    """A column per series has the times of its column of times, in seconds."""
    series = {f"s{i}": np.arange(30) for i in range(8)}
    table = pd.DataFrame({"Time (ms)": 20 * np.arange(30)} | series)
    table.to_csv(tmp_path / "a.csv", index=False)
    source = as_source(tmp_path / "a.csv")
    np.testing.assert_allclose(np.asarray(source.times)[0], np.arange(30) / 50)
    assert "(ms, converted to seconds)" in source.description


def test_names_of_steps_are_in_seconds(tmp_path: Path) -> None:
    """Times that name the columns of a wide table are in seconds if they have a unit."""
    names = [f"{20 * k} ms" for k in range(12)]
    pd.DataFrame(np.eye(12)[:5], columns=names).to_csv(tmp_path / "a.csv", index=False)
    source = as_source(tmp_path / "a.csv")
    np.testing.assert_allclose(np.asarray(source.times)[0], np.arange(12) / 50)
