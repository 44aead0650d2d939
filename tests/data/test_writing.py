"""Results are written in the form of the samples, never over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.data.opening import as_source
from unwarp.data.writing import check_output, output_format, write
from unwarp.errors import ConfigError, DataError

RANDOM = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pictures in several modes, with a subfolder."""
    modes = {"L": 1, "RGB": 3, "RGBA": 4, "LA": 2}
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for mode, n in modes.items():
        pixels = RANDOM.integers(0, 256, (10, 12, n), dtype=np.uint8)
        Image.fromarray(pixels[..., 0] if n == 1 else pixels).save(folder / f"{mode}.png")
    picture = Image.fromarray(RANDOM.integers(0, 256, (10, 12, 3), dtype=np.uint8))
    picture.quantize(16).save(folder / "deep" / "P.png")
    picture.convert("1").save(folder / "deep" / "one.tif")
    return folder


def test_folder_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    """Names, modes, sizes and visible pixels of all files are those that were read."""
    source = as_source(folder)
    write(f"{tmp_path}/out/", source.x, like=source, alpha=source.form.alpha)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        with (
            Image.open(path) as old,
            Image.open(tmp_path / "out" / path.relative_to(folder)) as new,
        ):
            assert (old.mode, old.size, old.format) == (new.mode, new.size, new.format)
            pair = [np.asarray(image.convert("RGBA")).astype(float) for image in (old, new)]
            shares = [pixels[..., 3:] / 255 for pixels in pair]
            np.testing.assert_array_equal(*shares)
            assert np.abs((pair[0] - pair[1])[..., :3] * shares[0]).max() <= 1


def test_inputs_are_never_written(folder: Path, tmp_path: Path) -> None:
    """Neither the folder that was read, nor one in it, nor a folder with files is written."""
    x = as_source(folder).x
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "today.txt").write_text("rain")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for out in (folder, folder / "aligned", tmp_path / "diary", tmp_path / "diary/today.txt/x"):
        with pytest.raises(ConfigError, match="choose another place with --out"):
            write(out, x, like=str(folder))
    with pytest.raises(ConfigError, match="is read as a part of"):
        check_output(folder / "L.png", [folder])
    for like in (f"{folder}/deep/*.tif", [folder / "deep/one.tif"]):
        with pytest.raises(ConfigError, match="is read as a part of"):
            write(folder / "deep/one.tif", x[:1], like=like)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_failure_leaves_no_folder(folder: Path, tmp_path: Path) -> None:
    """An error while files are made leaves neither a folder nor a part of one."""
    source = as_source(folder)
    with pytest.raises(DataError, match="alpha"):
        write(tmp_path / "out", source.x, like=source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize(
    ("shape", "dtype", "name"),
    [
        ((12, 10, 11), np.uint8, "00.png"),
        ((3, 3, 10, 11), np.uint8, "0.png"),
        ((3, 10, 11, 3), np.uint8, "0.png"),
        ((3, 1, 10, 11), np.uint16, "0.png"),
        ((3, 1, 10, 11), np.float32, "0.tif"),
        ((3, 2, 30, 31), np.uint8, "0.tif"),
    ],
)
def test_arrays_become_files(
    tmp_path: Path, shape: tuple[int, ...], dtype: type, name: str
) -> None:
    """Pictures of an array become files of a type that holds them, with their numbers as names."""
    x = RANDOM.integers(0, 200, shape).astype(dtype)
    if name.endswith(".tif"):
        pytest.importorskip("tifffile", reason="tifffile is not installed")
    source = as_source(x) if x.ndim == 4 else as_source(x[:, None])
    write(tmp_path / "out", np.asarray(source.x), like=source)
    again = as_source(tmp_path / "out")
    assert again.names is not None and again.names[0] == name and again.x.dtype == dtype
    expected = np.moveaxis(x, 3, 1) if shape[-1] == 3 else np.asarray(source.x)
    np.testing.assert_array_equal(again.x, expected)


def test_sizes_are_undone(tmp_path: Path) -> None:
    """A list of pictures of several sizes is written in these sizes."""
    from unwarp.data.hints import Hints

    pictures = [RANDOM.integers(0, 256, (8 + k, 9), dtype=np.uint8) for k in range(3)]
    source = as_source(pictures, hints=Hints(sizes="pad"))
    write(tmp_path / "out", source.x.restore(source.x.x), like=source)
    for k, picture in enumerate(pictures):
        with Image.open(tmp_path / "out" / f"{k}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), picture)
    with pytest.raises(ConfigError, match="several; write a folder"):
        write(tmp_path / "out.gif", source.x.restore(source.x.x), like=source)


def test_format_is_that_of_the_suffix(tmp_path: Path) -> None:
    """A slash, a folder or no suffix mean a folder; an unknown suffix is refused with a list."""
    assert output_format("a.d/") == output_format("a") == output_format(tmp_path) == ""
    assert output_format("a.NPY") == ".npy"
    for name in ("a.docx", "a.png", "a.ts"):
        with pytest.raises(ConfigError, match=rf"out={name} ends in .*\.npz"):
            output_format(name)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package of a format, the error says what to install, before any work."""
    monkeypatch.setattr("unwarp.data.formats.tiff.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'unwarp\[tiff\]'"):
        output_format("a.tif")


def test_number_of_samples_is_checked(tmp_path: Path) -> None:
    """As many samples are written as were read."""
    with pytest.raises(DataError, match="x holds 2 samples, like holds 3"):
        write(tmp_path / "a.npy", np.zeros((2, 8, 8)), like=np.zeros((3, 8, 8)))
