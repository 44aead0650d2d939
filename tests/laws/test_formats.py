"""The contract of formats with a writer: read written files, refuse damage by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.formats.registry import Format, formats, recording_readers
from unwarp.data.source import Source
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
FORMATS = {suffix: item for suffix, item in formats().items() if item.writer}
BYTES_OF_HALF_A_SERIES = 20
"""Fewer bytes than any format takes for a series of `X`."""


@pytest.fixture(params=FORMATS, ids=lambda suffix: suffix or "no suffix")
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file in each format with the series `X`."""
    file_format: Format = FORMATS[request.param]
    if file_format.package:
        pytest.importorskip(file_format.package, reason=f"{file_format.package} is not installed")
    assert file_format.writer is not None
    file_format.writer(tmp_path / f"series{request.param}", X)
    return tmp_path / f"series{request.param}"


def check_refused(path: Path) -> None:
    """Check that reading raises an error that names the file."""
    with pytest.raises(DataError, match=path.name):
        read(path)


def test_format_is_described() -> None:
    """Each format says in words what it is."""
    assert all(item.description for item in formats().values())


def test_format_has_a_writer() -> None:
    """Each built-in format is held to this contract, or to that of pictures or recordings."""
    without_writer = [
        suffix
        for suffix, file_format in formats().items()
        if not (file_format.writer or file_format.encode or file_format.decode)
        and suffix not in (*recording_readers(), ".jsonl")
        and file_format.reader.__module__.startswith("unwarp.")
    ]
    assert not without_writer


def test_format_reads_what_it_writes(path: Path) -> None:
    """Values come back equal, one series a row, also under a suffix in capitals."""
    source = read(path)
    np.testing.assert_array_equal(source.x, X)
    assert source.description and source.domain in ("auto", "series")
    capital = path.rename(path.with_suffix(path.suffix.upper()))
    np.testing.assert_array_equal(read(capital).x, X)


def test_format_refuses_a_truncated_file(path: Path) -> None:
    """A file that ends within its last series is refused by name."""
    path.write_bytes(path.read_bytes()[:-BYTES_OF_HALF_A_SERIES])
    check_refused(path)


def test_format_survives_any_cut(path: Path) -> None:
    """Wherever a file is cut: fewer series, or an error that names it."""
    content = path.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 50)):
        path.write_bytes(content[:end])
        try:
            source = read(path)
        except DataError as error:
            assert path.name in str(error)
        else:
            assert isinstance(source, Source) and len(source.x) <= len(X)


def test_format_refuses_an_empty_file(path: Path) -> None:
    """A file without a byte is refused by name."""
    path.write_bytes(b"")
    check_refused(path)


@pytest.mark.parametrize("seed", range(3))
def test_format_refuses_noise(path: Path, seed: int) -> None:
    """Random bytes, alone or after the start of a true file, are refused by name."""
    noise, start = np.random.default_rng(seed).bytes(400), path.read_bytes()[:40]
    for content in (noise, start + noise):
        path.write_bytes(content)
        check_refused(path)
