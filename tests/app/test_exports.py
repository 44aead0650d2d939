"""Files of results: written whole or not at all, and checked before work begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unwarp.app.exports import write_aligned, write_embedding
from unwarp.errors import ConfigError
from unwarp.storage import check_writable, make_folder, write_file


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    """Folders are made, the old content is gone, and no partial file is left."""
    path = tmp_path / "new" / "deep" / "table.csv"
    write_file(path, "a long first text")
    write_file(path, b"b")
    assert path.read_bytes() == b"b"
    assert [p.name for p in path.parent.iterdir()] == ["table.csv"]


def test_unwritable_path_names_the_option(tmp_path: Path) -> None:
    """A file as a folder, and a folder as a file, are refused and left as they were."""
    file = tmp_path / "file"
    file.write_text("a diary")
    for unwritable in (file / "table.csv", file / "deep" / "table.csv", tmp_path):
        for attempt in (
            lambda path=unwritable: write_file(path, "x"),
            lambda path=unwritable: check_writable(path),
        ):
            with pytest.raises(
                ConfigError, match=r"cannot write .*; choose another place with --out"
            ):
                attempt()
    with pytest.raises(ConfigError, match=f"cannot write {file}: file exists"):
        make_folder(file)
    assert file.read_text() == "a diary"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_output_is_checked_before_the_data(tmp_path: Path) -> None:
    """A wrong file is refused before the model and the samples, which do not exist here."""
    with pytest.raises(ConfigError, match="it is a folder"):
        write_embedding(tmp_path / "no-model", "no-such-data", tmp_path)


@pytest.mark.parametrize("write", [write_aligned, write_embedding])
def test_input_is_not_overwritten(tmp_path: Path, write: Callable[..., int]) -> None:
    """Neither the samples nor a file of the model becomes the output; both stay as they were."""
    np.save(tmp_path / "data.npy", np.ones((3, 4)))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_text("weights")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for out in ("data.npy", "model/model.safetensors", "model/../data.npy"):
        with pytest.raises(ConfigError, match=f"cannot write .*{out}: it is read as a part of"):
            write(tmp_path / "model", str(tmp_path / "data.npy"), tmp_path / out)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    """A suffix that no format of results has is refused before any work."""
    for name in ("x.npz", "x"):
        with pytest.raises(ConfigError, match=r"must end in \.csv"):
            write_embedding(tmp_path / "model", "digits", tmp_path / name)
    for name in ("x.parquet", "x.png", "x.docx", "x.7"):
        with pytest.raises(ConfigError, match=r"out=.*results cannot be written as.*\.npz"):
            write_aligned(tmp_path / "model", "digits", tmp_path / name)
