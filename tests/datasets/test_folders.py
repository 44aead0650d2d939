"""Folders of published files: an argument has precedence over the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.datasets.folders import published_folder
from unwarp.errors import DataError


def test_folder_argument_has_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either there is no folder, and the message says how to get the files."""
    for name in ("toy", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("UNWARP_DATA", str(tmp_path))
    assert published_folder("toy", None, "a.org") == tmp_path / "toy"
    assert published_folder("toy", tmp_path / "elsewhere", "a.org") == tmp_path / "elsewhere"
    with pytest.raises(DataError, match=r"put the files of a\.org there, set UNWARP_DATA"):
        published_folder("absent", None, "a.org")
