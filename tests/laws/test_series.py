"""The contract of formats of series: what is written is read again as the same series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.formats.registry import formats, recording_readers
from unwarp.data.opening import as_source
from unwarp.data.source import Source
from unwarp.data.writing import output_format, write
from unwarp.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
TIMES = 3 + np.arange(20) / 8
SOURCES = {
    "names": Source(RNG.normal(size=(6, 20)), [*"abcdef"], domain="series", times=TIMES),
    "channels": Source(RNG.normal(size=(4, 3, 20)), [*"uvwx"], domain="series", times=TIMES),
    "numbers": Source(RNG.normal(size=(9, 20)).astype(np.float32), domain="series"),
    "few": Source(RNG.normal(size=(2, 20)), ["left", "right"], domain="series", times=TIMES),
    "lengths": Source([*(RNG.normal(size=(1, n)) for n in (20, 12, 7))], domain="series"),
    "clocks": Source(
        RNG.normal(size=(3, 5)),
        ["p", "q", "r"],
        domain="series",
        times=np.arange(15.0).reshape(3, 5),
    ),
}
TABLES = (".csv", ".parquet", ".feather", ".npz")


def check_equal(a: Source, b: Source, has_names: bool = True) -> None:
    """Check that two sources hold the same series, names and times."""
    rows = [np.atleast_2d(row) for row in a.x], [np.atleast_2d(row) for row in b.x]
    for x, y in zip(*rows, strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-7)
    if a.names is not None and has_names:
        assert [*map(str, a.names)] == [*map(str, b.names if b.names is not None else [])]
    if a.times is not None:
        assert b.times is not None
        expected = np.broadcast_to(a.times, np.shape(b.times))
        np.testing.assert_allclose(b.times, expected)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("suffix", TABLES)
def test_series_are_read_as_written(name: str, suffix: str, tmp_path: Path) -> None:
    """A file of series gives them back, with names and times."""
    package = formats()[suffix].package
    if package:
        pytest.importorskip(package, reason=f"{package} is not installed")
    source = SOURCES[name]
    write(tmp_path / f"a{suffix}", source.x, like=source)
    check_equal(source, as_source(tmp_path / f"a{suffix}"))


@pytest.mark.parametrize("name", SOURCES)
def test_folder_has_a_file_a_series(name: str, tmp_path: Path) -> None:
    """Series of any origin become a folder with a table for each, and come back."""
    source = SOURCES[name]
    write(f"{tmp_path}/out/", source.x, like=source)
    again = as_source(tmp_path / "out")
    check_equal(source, again, source.names is not None)


@pytest.mark.parametrize("bits", ["u1", "i2", "i3", "i4", "f4", "f8"])
def test_recordings_go_out_as_they_came(bits: str, tmp_path: Path) -> None:
    """WAV files keep rate, sample format, channels, names and labels."""
    from unwarp.data.recording_form import WaveForm

    n, is_float = 8 * int(bits[1]), bits[0] == "f"
    for name in ("one/a.wav", "one/b.wav", "two/c.wav"):
        low, high = (0, 256) if n == 8 else (-100_00, 100_00)
        values = RNG.integers(low, high, (2, 50)).astype(float) / (1e4 if is_float else 1)
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(WaveForm(8000, n, is_float).encode(values, None, ()))
    source = as_source(tmp_path / "in")
    assert source.x.shape == (3, 2, 50) and [*source.names] == ["one/a", "one/b", "two/c"]
    assert source.labels is not None and source.labels.tolist() == ["one", "one", "two"]
    np.testing.assert_allclose(source.times[0], np.arange(50) / 8000)
    write(f"{tmp_path}/out/", source.x, like=tmp_path / "in")
    for path in (tmp_path / "in").rglob("*.wav"):
        twin = tmp_path / "out" / path.relative_to(tmp_path / "in")
        if bits == "f8":  # series are read as float32
            np.testing.assert_allclose(read(twin).x, read(path).x)
        else:
            assert twin.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".wav", ".npy", ".npz", ".mat", ".parquet"])
def test_recordings_survive_any_cut(suffix: str, tmp_path: Path) -> None:
    """Wherever a file of a recording is cut, it is read, or refused by its name."""
    assert suffix in recording_readers()
    x, folder = RNG.normal(size=(1, 40)), tmp_path / "in"
    folder.mkdir()
    path = folder / f"a{suffix}"
    if suffix == ".wav":
        path.write_bytes(recording(x))
    else:
        if formats()[suffix].package:
            pytest.importorskip(formats()[suffix].package)
        write(path, x, like=Source(x, domain="series"))
    content = path.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 25)):
        path.write_bytes(content[:end])
        try:
            as_source(folder)
        except DataError as error:
            assert path.name in str(error)


def recording(x: np.ndarray) -> bytes:
    """A WAV file of floating-point numbers."""
    from unwarp.data.recording_form import WaveForm

    return WaveForm(100, 32, True).encode(x, None, ())


def test_unknown_format_lists_the_others() -> None:
    """A suffix that series cannot be written as is refused with those that can."""
    with pytest.raises(ConfigError, match=r"\.csv.*\.parquet"):
        output_format("a.docx")
