"""The contract of formats of pictures: what comes in goes out alike, damage is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.formats.registry import Format, formats
from unwarp.data.hints import Hints
from unwarp.data.layout import arrange_axes
from unwarp.data.opening import as_source
from unwarp.data.writing import as_output, write
from unwarp.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (6, 10, 12), dtype=np.uint8)
FORMATS = {suffix: item for suffix, item in formats().items() if item.encode}
TABLES = (".csv", ".parquet", ".feather", ".mat")
HINTS = {suffix: Hints(image_shape=(10, 12)) for suffix in TABLES}
PACKAGES = {".tif": "tifffile", ".tiff": "tifffile"}
UNITS = (np.uint8, np.uint16)
"""An .mrc file has no bytes without a sign."""


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file in each format with the pictures `X`."""
    suffix = request.param
    file_format: Format = FORMATS[suffix]
    package = file_format.package or PACKAGES.get(suffix, "numpy")
    pytest.importorskip(package, reason=f"{package} is not installed")
    write(tmp_path / f"pictures{suffix}", X[:, None], like=X[:, None])
    return tmp_path / f"pictures{suffix}"


def hints_of(path: Path) -> Hints:
    """What a user has to know about a file of this format."""
    hints = HINTS.get(path.suffix, Hints())
    return hints if path.suffix != ".npy" else Hints(layout="channels_first")


def pictures(path: Path) -> np.ndarray:
    """The pictures (N, H, W) of a file."""
    source = as_source(path, hints=hints_of(path))
    x = arrange_axes(np.asarray(source.x), "image", hints_of(path).image_shape, source.layout)[0]
    assert x.shape[1] == 1 and source.description
    return x[:, 0]


def test_pictures_are_read_as_written(path: Path) -> None:
    """Pixels come back equal, and integers stay integers."""
    x = pictures(path)
    assert x.dtype in UNITS
    np.testing.assert_array_equal(x, X)


def test_pictures_are_written_as_read(path: Path, tmp_path: Path) -> None:
    """What was read goes out in the same format, and comes in again as it was."""
    source = as_source(path, hints=hints_of(path))
    write(tmp_path / f"again{path.suffix}", source.x, like=source)
    np.testing.assert_array_equal(pictures(tmp_path / f"again{path.suffix}"), X)


def test_pictures_survive_any_cut(path: Path) -> None:
    """Wherever a file is cut: fewer pictures, or an error that names it."""
    content = path.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 25)):
        path.write_bytes(content[:end])
        try:
            x = pictures(path)
        except DataError as error:
            assert path.name in str(error) or path.suffix == ".csv"
        else:
            assert len(x) <= len(X)


@pytest.mark.parametrize("seed", range(2))
def test_pictures_refuse_noise(path: Path, seed: int) -> None:
    """Random bytes, alone or after the start of a true file, are refused by name."""
    noise, start = np.random.default_rng(seed).bytes(400), path.read_bytes()[:40]
    for content in (b"", noise, start + noise):
        path.write_bytes(content)
        with pytest.raises(DataError, match=path.name):
            read(path, hints_of(path))


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".mrc", ".zip"])
def test_series_are_no_pictures(suffix: str) -> None:
    """A format of pictures refuses series."""
    if FORMATS[suffix].package:
        pytest.importorskip(FORMATS[suffix].package)
    output = as_output(as_source(np.zeros((3, 5))), np.zeros((3, 5)))
    encode = FORMATS[suffix].encode
    assert encode is not None
    with pytest.raises(ValueError, match="these samples are series"):
        encode(output)
