"""Where published files lie: a folder by its argument goes before the one of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.datasets.home import home
from unwarp.errors import DataError


def test_argument_goes_before_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either there is no folder, and the message says where the files come from."""
    for name in ("toy", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("UNWARP_DATA", str(tmp_path))
    assert home("toy", None, "a.org") == tmp_path / "toy"
    assert home("toy", tmp_path / "elsewhere", "a.org") == tmp_path / "elsewhere"
    with pytest.raises(DataError, match=r"put the files of a\.org there, set UNWARP_DATA"):
        home("absent", None, "a.org")
