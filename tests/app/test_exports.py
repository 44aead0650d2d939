"""Files of results: written whole or not at all, and checked before work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.app.exports import write_embedding
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
