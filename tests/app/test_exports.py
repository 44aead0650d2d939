"""Files of results: written whole or not at all, and checked before work begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.app.exports import write_aligned, write_embedding
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.errors import ConfigError
from unwarp.estimators.unwarper import Unwarper
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
    for name in ("x.ts", "x.png", "x.docx", "x.7"):
        with pytest.raises(ConfigError, match=r"out=.*results cannot be written as.*\.npz"):
            write_aligned(tmp_path / "model", "digits", tmp_path / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of transparent pictures of two sizes, and a model of them that moves nothing."""
    folder = tmp_path_factory.mktemp("clear")
    for k, picture in enumerate(np.random.default_rng(0).integers(0, 256, (6, 12, 12, 4))):
        path = folder / "in" / f"{k % 2}" / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.astype(np.uint8)[k % 2 :]).save(path)
    options = {"max_steps": 1, "n_clusters": 2, "device": "cpu", "sizes": "pad"}
    Unwarper("identity", **options).fit(folder / "in").save(folder / "model")
    return folder


def test_files_come_back_as_they_came(folder: Path) -> None:
    """Without a deformation, names, sizes, modes and pixels of all files are the same."""
    messages: list[str] = []
    source = str(folder / "in")
    assert write_aligned(folder / "model", source, folder / "out", "cpu", messages.append) == 6
    assert "6 pictures, 12 x 12, 3 channels, uint8" in messages[0] and "padded" in messages[0]
    for path in (folder / "in").rglob("*.png"):
        with Image.open(path) as old:
            new = Image.open(folder / "out" / path.relative_to(folder / "in"))
            with new:
                assert (old.mode, old.size) == (new.mode, new.size)
                pair = [np.asarray(image).astype(float) for image in (old, new)]
        np.testing.assert_allclose(*(pixels[..., 3] for pixels in pair), atol=1)
        errors = np.abs(pair[0] - pair[1])[..., :3] * pair[0][..., 3:] / 255
        assert errors.max() <= 2


@pytest.mark.parametrize("name", ["x.npy", "x.tif", "x.zip", "x.h5", "x.npz"])
def test_files_hold_all_samples(folder: Path, name: str) -> None:
    """Each format of files holds all samples; an `.npz` begins with their names."""
    for suffix, package in ((".tif", "tifffile"), (".h5", "h5py")):
        if name.endswith(suffix):
            pytest.importorskip(package, reason=f"{package} is not installed")
    write_aligned(folder / "model", str(folder / "in/*/*.png"), folder / name, "cpu")
    if name.endswith(".npz"):
        with np.load(folder / name) as arrays:
            assert arrays.files[0] == "sample" and arrays["sample"][0] == "0/0.png"
    assert len(as_source(folder / name, hints=Hints(sizes="pad"))) == 6


def test_sources_may_be_several_paths(folder: Path) -> None:
    """Paths in lines are one collection, none of which is written."""
    paths = sorted(str(path) for path in (folder / "in/0").iterdir())
    assert write_aligned(folder / "model", "\n".join(paths), folder / "few", "cpu") == 3
    with pytest.raises(ConfigError, match="cannot write"):
        write_aligned(folder / "model", "\n".join(paths), Path(paths[0]), "cpu")
