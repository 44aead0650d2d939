"""Files of results: whole or not at all, and a place that cannot be written is named before work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.app.exports import write_embedding
from unwarp.errors import ConfigError
from unwarp.storage import check_writable, make_folder, write_file


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "table.csv"
    write_file(path, "a long first text")
    write_file(path, b"b")
    assert path.read_bytes() == b"b"
    assert [p.name for p in path.parent.iterdir()] == ["table.csv"]


def test_a_place_that_cannot_be_written_is_named_with_the_mend(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for wrong in (file / "table.csv", file / "deep" / "table.csv", tmp_path):
        for attempt in (
            lambda path=wrong: write_file(path, "x"),
            lambda path=wrong: check_writable(path),
        ):
            with pytest.raises(
                ConfigError, match=r"cannot write .*; choose another place with --out"
            ):
                attempt()
    with pytest.raises(ConfigError, match=f"cannot write {file}: file exists"):
        make_folder(file)
    assert file.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_wrong_place_is_known_before_the_data_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it is a folder"):
        write_embedding(tmp_path / "no-model", "no-such-data", tmp_path)
