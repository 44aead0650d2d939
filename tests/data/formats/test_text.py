"""Text files as numbered lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.data.formats.text import numbered_lines, quote
from unwarp.errors import DataError


def test_lines_have_their_numbers(tmp_path: Path) -> None:
    """Blank lines count but are left out, whatever ends a line; tabs at its end stay."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\n\n  b\t\rc")
    expected = [(1, "a"), (3, "b\t"), (4, "c")]
    assert numbered_lines(path) == [(f"{path}, line {n}", line) for n, line in expected]
    path.write_text(" \n")
    with pytest.raises(DataError, match="is empty"):
        numbered_lines(path)


def test_long_quotes_are_shortened() -> None:
    """A long cell does not fill the message."""
    assert len(quote("x" * 100)) < 50
