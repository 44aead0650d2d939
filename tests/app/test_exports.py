"""Files of results: written whole or not at all, and checked before work begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.app import exports, part_exports
from unwarp.app.exports import write_aligned, write_embedding, write_modes
from unwarp.app.inspection import evaluate_folder
from unwarp.data import mapped, prepared
from unwarp.data.form import Form
from unwarp.data.hints import Hints
from unwarp.data.making import make_shards
from unwarp.data.opening import as_source
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage.files import check_writable, make_folder, write_file


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
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="it holds files"):
        write_embedding(tmp_path / "no-model", "no-such-data", tmp_path)
    (tmp_path / "codes.csv").mkdir()
    with pytest.raises(ConfigError, match="it is a folder"):
        write_modes(tmp_path / "no-model", "no-such-data", tmp_path / "codes.csv")


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
    for write, name in ((write_embedding, "x.npz"), (write_modes, "x.npz"), (write_modes, "x")):
        with pytest.raises(ConfigError, match=r"must end in \.csv"):
            write(tmp_path / "model", "digits", tmp_path / name)
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


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".tif", ".h5", "/"])
def test_large_results_equal_small_ones(
    suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Results that are made in chunks and kept in a file are those that are made at once."""
    for package in {".tif": ["tifffile"], ".h5": ["h5py"]}.get(suffix, []):
        pytest.importorskip(package, reason=f"{package} is not installed")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 255, (9, 12, 12), np.uint8))
    options = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    Unwarper("affine", **options).fit(tmp_path / "x.npy").save(tmp_path / "model")
    few, many = tmp_path / f"few{suffix}", tmp_path / f"many{suffix}"
    write_aligned(tmp_path / "model", str(tmp_path / "x.npy"), few)
    monkeypatch.setattr(exports, "MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(mapped, "MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(prepared, "SAMPLES_PER_CHUNK", 4)
    write_aligned(tmp_path / "model", str(tmp_path / "x.npy"), many)
    a, b = as_source(few), as_source(many)
    np.testing.assert_array_equal(np.asarray(a.x), np.asarray(b.x))


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blobs at several places as pictures, class numbers and at half size, and a model of them."""
    folder = tmp_path_factory.mktemp("blobs")
    y, x = np.mgrid[:24, :24]
    places = np.random.default_rng(0).integers(8, 16, (12, 2, 1, 1))
    squares = (x - places[:, 0]) ** 2 + (y - places[:, 1]) ** 2
    blobs = (255 * np.exp(-squares / 12)).astype(np.uint8)
    for name, values in (
        ("x", blobs),
        ("half", blobs[:, ::2, ::2]),
        ("classes", np.where(squares < 9, 7, 0).astype(np.int32)),
    ):
        np.save(folder / f"{name}.npy", values)
    np.save(folder / "one.npy", blobs[3:4])
    model = Unwarper("rigid", max_steps=30, n_clusters=2, device="cpu")
    model.fit(folder / "x.npy").save(folder / "model")
    return folder


@pytest.mark.parametrize("name", ["half", "classes"])
def test_other_data_are_aligned(shifted: Path, name: str, tmp_path: Path) -> None:
    """Other data of the same frames come in their own size and type; classes stay classes."""
    out, other = tmp_path / "out.npy", str(shifted / f"{name}.npy")
    n = write_aligned(shifted / "model", str(shifted / "x.npy"), out, other=other)
    values, aligned = np.load(other), np.load(out)
    expected = Unwarper.load(shifted / "model").align(shifted / "x.npy", values)
    np.testing.assert_array_equal(aligned, expected)
    assert n == len(values) and aligned.dtype == values.dtype
    assert name == "half" or set(np.unique(aligned)) <= {0, 7}


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Late bumps as series of 40 steps, counts of 80, a curve at times of its own, and a model."""
    folder, rng = tmp_path_factory.mktemp("late"), np.random.default_rng(0)
    steps, late = np.arange(40), rng.integers(-4, 5, (12, 1))
    np.save(folder / "x.npy", np.exp(-(((steps - 20 - late) / 3) ** 2)))
    np.save(folder / "counts.npy", rng.poisson(2, (12, 80)))
    times = np.arange(4, 30, 0.5)
    curves = np.exp(-(((times - 20 - late) / 3) ** 2))
    rows = [f"{i},{t},{v}" for i, row in enumerate(curves) for t, v in zip(times, row, strict=True)]
    (folder / "curve.csv").write_text("id,time,value\n" + "\n".join(rows) + "\n")
    model = Unwarper("time-shift", max_steps=30, n_clusters=2, device="cpu", domain="series")
    model.fit(folder / "x.npy").save(folder / "model")
    model.fit(folder / "curve.csv").save(folder / "curve-model")
    return folder


def test_other_data_are_paired_by_name(late: Path, tmp_path: Path) -> None:
    """Series of a table in another order get the lags of the series with their names."""
    lines = (late / "curve.csv").read_text().splitlines(keepends=True)
    blocks = [lines[1 + 52 * i :][:52] for i in range(12)]
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("".join([lines[0], *(line for block in blocks[::-1] for line in block)]))
    written, messages = [], list[str]()
    for other in (late / "curve.csv", mixed):
        out = tmp_path / f"{len(written)}.csv"
        paths = (late / "curve-model", str(late / "curve.csv"), out)
        write_aligned(*paths, other=str(other), on_message=messages.append)
        written.append(out.read_text())
    assert written[0] == written[1] and "by name" in messages[-1]


def test_counts_keep_their_sums(late: Path, tmp_path: Path) -> None:
    """Counts at another rate are moved as counts: whole, and as many as before in the middle."""
    out, other = tmp_path / "out.npy", str(late / "counts.npy")
    write_aligned(late / "model", str(late / "x.npy"), out, other=other, counts=True)
    aligned, counts = np.load(out), np.load(other)
    model = Unwarper.load(late / "model")
    expected = model.align(late / "x.npy", counts, counts=True)
    np.testing.assert_array_equal(aligned, expected)
    assert aligned.dtype == counts.dtype and (aligned.sum(1) <= counts.sum(1)).all()


def test_other_times_are_those_of_the_file(late: Path, tmp_path: Path) -> None:
    """A table of curves at times of their own is aligned by these times."""
    out = tmp_path / "out.npy"
    write_aligned(late / "model", str(late / "x.npy"), out, other=str(late / "curve.csv"))
    aligned = np.load(out)
    peaks = np.nanargmax(aligned, -1) * (39 / (aligned.shape[-1] - 1))
    assert np.ptp(peaks) <= 1


@pytest.mark.parametrize("to", ["3", "one.npy"])
@pytest.mark.parametrize("limit", [0, 1 << 30])
def test_samples_are_aligned_to_one(
    shifted: Path, to: str, limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number and a file name the sample to which all are aligned, also in chunks."""
    monkeypatch.setattr(exports, "MAX_BYTES_IN_MEMORY", limit)
    monkeypatch.setattr(prepared, "SAMPLES_PER_CHUNK", 5)
    source, goal = str(shifted / "x.npy"), str(shifted / to) if "." in to else to
    write_aligned(shifted / "model", source, tmp_path / "out.npy", to=goal)
    expected = Unwarper.load(shifted / "model").align(source, to=3)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected)


@pytest.mark.parametrize("to", ["12", "-1", "nobody", "x.npy"])
def test_unknown_goals_are_refused(shifted: Path, to: str, tmp_path: Path) -> None:
    """A number beyond the samples, an unknown name and a file of many are refused."""
    goal = str(shifted / to) if "." in to else to
    with pytest.raises(DataError, match=r"^to='.*; give "):
        write_aligned(shifted / "model", str(shifted / "x.npy"), tmp_path / "a.npy", to=goal)
    assert not (tmp_path / "a.npy").exists()


def test_names_are_goals(folder: Path, tmp_path: Path) -> None:
    """A sample of a folder is named by its file; transparent pictures stay transparent."""
    write_aligned(folder / "model", str(folder / "in"), tmp_path / "out", to="1/3.png")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png"))[3] == "3.png"


def test_reading_options_are_used(tmp_path: Path) -> None:
    """Options say how to read a source in another layout, for all commands with a source."""
    x = np.random.default_rng(0).integers(0, 255, (12, 2, 12, 12), np.uint8)
    options = {"max_steps": 1, "n_clusters": 2, "device": "cpu", "layout": "channels_first"}
    Unwarper("identity", **options).fit(x).save(tmp_path / "model")
    np.save(tmp_path / "x.npy", np.moveaxis(x, 1, 3))
    hints = {"layout": "channels_last"}
    source, out = str(tmp_path / "x.npy"), tmp_path / "out.npy"
    assert write_aligned(tmp_path / "model", source, out, hints=hints) == 12
    assert np.load(out).shape == (12, 12, 12, 2)
    assert write_embedding(tmp_path / "model", source, tmp_path / "e.csv", hints=hints) == 12
    assert evaluate_folder(tmp_path / "model", source, "cpu", hints=hints).scores


def test_large_arrays_become_shards(shifted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for a large array on disk gets shards; a small array and pictures get files."""
    array = as_source(shifted / "x.npy")
    assert not part_exports.is_large(array)
    monkeypatch.setattr(part_exports, "MIN_BYTES_FOR_PARTS", 0)
    assert part_exports.is_large(array) and not part_exports.is_large(
        Source(np.asarray(array.x).copy())
    )
    assert not part_exports.is_large(replace(array, form=Form(["0.png"] * len(array))))
    n = write_aligned(shifted / "model", str(shifted / "x.npy"), shifted / "parts", to="3")
    write_aligned(shifted / "model", str(shifted / "x.npy"), shifted / "whole.npy", to="3")
    parts, whole = as_source(shifted / "parts").x, np.load(shifted / "whole.npy")
    assert n == len(array)
    assert np.abs(parts[:].astype(int) - whole).max() <= 1
    with pytest.raises(DataError, match="give as many"):
        few = shifted / "few.npy"
        np.save(few, whole[:3])
        write_aligned(shifted / "model", str(shifted / "x.npy"), shifted / "new", other=str(few))


def test_replaced_goals_are_other_work(shifted: Path, tmp_path: Path) -> None:
    """A file to align to that holds other values is refused; the same values are not."""
    array = np.load(shifted / "x.npy")
    make_shards(array, tmp_path / "s")
    arguments = (shifted / "model", str(tmp_path / "s"), tmp_path / "out")
    goal = tmp_path / "goal.npy"
    for k in (3, 3, 4):
        np.save(goal, array[k : k + 1])
        if k == 3:
            write_aligned(*arguments, to=str(goal))
    with pytest.raises(ConfigError, match="other work"):
        write_aligned(*arguments, to=str(goal))
