"""EDF files and WFDB records: channels, rates, units; skipped without their packages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.errors import ConfigError, DataError

X = np.random.default_rng(0).normal(size=(2, 200))


def test_edf_is_a_recording(tmp_path: Path) -> None:
    """A folder of EDF files has a series each, in physical units."""
    edfio = pytest.importorskip("edfio", reason="edfio is not installed")
    for name in ("a.edf", "b.edf"):
        signals = [edfio.EdfSignal(row, 100, label=f"lead {k}") for k, row in enumerate(X)]
        edfio.Edf(signals).write(tmp_path / name)
    source = read(tmp_path)
    np.testing.assert_allclose(source.x, [X, X], atol=1e-3)
    assert source.form.channels == ("lead 0", "lead 1") and source.times[0][100] == 1
    assert read(tmp_path, Hints(value_columns=("lead 1",))).x.shape == (2, 200)
    with pytest.raises(ConfigError, match="value_columns='C3' is no channel of"):
        read(tmp_path, Hints(value_columns=("C3",)))
    (tmp_path / "a.edf").write_bytes((tmp_path / "a.edf").read_bytes()[:300])
    with pytest.raises(DataError, match=r"a\.edf is damaged"):
        read(tmp_path)


@pytest.mark.filterwarnings("ignore")  # wfdb uses what pandas no longer likes
def test_wfdb_is_a_recording(tmp_path: Path) -> None:
    """A record is read from its header, in physical units."""
    wfdb = pytest.importorskip("wfdb", reason="wfdb is not installed")
    wfdb.wrsamp("r1", 50, ["mV", "mV"], ["I", "II"], X.T, fmt=["16", "16"], write_dir=str(tmp_path))
    source = read(tmp_path / "r1.hea")
    np.testing.assert_allclose(source.x, [X], atol=1e-3)
    assert source.names == ["r1"] and source.times[0][50] == 1
    (tmp_path / "r1.dat").unlink()
    with pytest.raises(DataError, match=r"r1\.hea is damaged"):
        read(tmp_path / "r1.hea")


@pytest.mark.parametrize(("suffix", "extra"), [(".edf", "edf"), (".hea", "wfdb")])
def test_missing_package_is_named(
    tmp_path: Path, suffix: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "edfio", None)
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(DataError, match=rf"pip install 'unwarp\[{extra}\]'"):
        read(write_file(tmp_path, f"a{suffix}", "0"))
