"""Files and folders are written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unwarp.errors import CheckpointError
from unwarp.storage import write_folder


def test_failed_write_changes_nothing(tmp_path: Path) -> None:
    """A failed write changes nothing and leaves no temporary files."""
    folder = tmp_path / "model"
    write_folder(folder, {"config.json": "{}", "weights": {"x": torch.ones(2)}})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TypeError):
        write_folder(folder, {"config.json": "{}", "broken": 3})  # type: ignore[dict-item]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_other_folders_are_kept(tmp_path: Path) -> None:
    """A folder without a model is not replaced."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.tex").write_text("precious")
    with pytest.raises(CheckpointError, match="not a model folder"):
        write_folder(tmp_path / "model", {"config.json": "{}"})
    assert (tmp_path / "model" / "thesis.tex").read_text() == "precious"
