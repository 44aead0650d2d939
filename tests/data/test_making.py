"""Shards hold the samples that the source holds, in its type, and a kill costs no finished one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unwarp.data import making
from unwarp.data.hints import Hints
from unwarp.data.making import identity_of, make_shards
from unwarp.data.opening import as_source
from unwarp.data.part_folder import LOG, MANIFEST, PLAN
from unwarp.data.source import Source
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import ConfigError, DataError

X = np.random.default_rng(0).integers(0, 256, (10, 9, 12)).astype(np.uint8)


def files(folder: Path) -> dict[str, bytes]:
    """Contents of all files of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "f4", ">f8", "?"])
@pytest.mark.parametrize("rows", [1, 3, 10, 99])
def test_shards_hold_the_array(dtype: str, rows: int, tmp_path: Path) -> None:
    """Any type and any number of rows in a shard give the values and the type back."""
    x = X.astype(dtype)
    assert make_shards(x, tmp_path / "s", rows_per_shard=rows) == 10
    opened = as_source(tmp_path / "s").x
    assert isinstance(opened, ShardedArray) and opened.dtype == x.dtype.newbyteorder("=")
    np.testing.assert_array_equal(opened[:], x)
    assert len(opened.shards) == -(-10 // rows)


def test_size_of_shards(tmp_path: Path) -> None:
    """A shard has at most the size asked for, and one sample or more."""
    make_shards(X, tmp_path / "a", shard_mb=3 * 108 / (1 << 20))
    assert [len(shard) for shard in as_source(tmp_path / "a").x.shards] == [3, 3, 3, 1]
    make_shards(X, tmp_path / "b", shard_mb=1e-9)
    assert len(as_source(tmp_path / "b").x.shards) == 10
    for options in ({"rows_per_shard": 0}, {"shard_mb": 0}):
        with pytest.raises(ConfigError, match=next(iter(options))):
            make_shards(X, tmp_path / "c", **options)


@pytest.mark.parametrize("names", [["a", "b", "ü"], [3, 1, 2], None])
@pytest.mark.parametrize("labels", [np.array(["x", "y", "x"]), np.array([0, 1, 0]), None])
def test_facts_come_back(names: Any, labels: Any, tmp_path: Path) -> None:
    """Names, labels, times, domain and layout of a source are those of its shards."""
    source = Source(np.eye(3), names, labels, domain="series", times=[0.0, 0.5, 1.5])
    make_shards(source, tmp_path / "s", rows_per_shard=2)
    opened = as_source(tmp_path / "s")
    for mine, yours in ((opened.names, names), (opened.labels, labels)):
        assert (mine is None) == (yours is None)
        assert mine is None or list(mine) == list(yours)
    assert opened.domain == "series" and list(opened.times) == [0.0, 0.5, 1.5]
    assert opened.description == "3 series, 3 time steps, 1 channel, float64 0 to 1"


def write_pictures(folder: Path) -> None:
    """Grey and colour pictures in subfolders, one of them with several frames."""
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for k in range(4):
            Image.fromarray(X[k]).save(folder / label / f"{k}.png")
    frames = [Image.fromarray(x) for x in X[4:7]]
    frames[0].save(folder / "dog" / "a.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(np.stack([X[7], X[8], X[9]], -1)).save(folder / "cat" / "rgb.png")


@pytest.mark.parametrize("kind", ["folder", "pattern"])
def test_folders_are_made_lazily(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards of a folder hold what is read from it at once, and few pictures lie in memory."""
    write_pictures(tmp_path / "pictures")
    path = tmp_path / "pictures" / ("" if kind == "folder" else "**/*")
    whole = as_source(path)
    monkeypatch.setattr(making, "as_source", None)  # which would read all pictures
    make_shards(path, tmp_path / "s", rows_per_shard=4)
    opened = as_source(tmp_path / "s")
    assert opened.x.dtype == whole.x.dtype and opened.layout == whole.layout
    np.testing.assert_array_equal(opened.x[:], whole.x)
    assert list(opened.names) == list(whole.names) and list(opened.labels) == list(whole.labels)


def test_sizes_are_brought_to_one(tmp_path: Path) -> None:
    """Pictures of several sizes need `sizes`, and are then those of a folder that is read."""
    (tmp_path / "p").mkdir()
    for k, width in enumerate((9, 12, 10)):
        Image.fromarray(X[k, :, :width]).save(tmp_path / "p" / f"{k}.png")
    with pytest.raises(DataError, match="sizes"):
        make_shards(tmp_path / "p", tmp_path / "s")
    hints = Hints(sizes="pad")
    make_shards(tmp_path / "p", tmp_path / "s", hints=hints, rows_per_shard=2)
    whole = as_source(tmp_path / "p", None, hints)
    np.testing.assert_array_equal(as_source(tmp_path / "s").x[:], whole.x)
    arrays = [x[:, :width] for x, width in zip(X, (9, 12, 10), strict=False)]
    make_shards(arrays, tmp_path / "t", hints=hints)
    np.testing.assert_array_equal(as_source(tmp_path / "t").x[:, 0][:], whole.x[:, 0])


def test_unequal_series_are_padded(tmp_path: Path) -> None:
    """Series of unequal lengths end in NaN, and keep their times."""
    series = [np.arange(4.0), np.arange(2.0)]
    make_shards(Source(series, times=[[0, 1, 2, 3], [5, 7]]), tmp_path / "s")
    opened = as_source(tmp_path / "s")
    np.testing.assert_array_equal(opened.x[1, 0], [0, 1, np.nan, np.nan])
    assert opened.domain == "series" and opened.times[1].tolist() == [5, 7, 9, 11]


@pytest.mark.parametrize(
    "x", [[np.zeros((8, 8)), np.zeros((9, 8))], np.array(["a", "b"]), np.zeros(3)]
)
def test_other_samples_are_refused(x: Any, tmp_path: Path) -> None:
    """Samples of several shapes, texts and single numbers make no shards."""
    with pytest.raises(DataError, match="X"):
        make_shards(Source(x), tmp_path / "s")
    assert not (tmp_path / "s").exists()


KILLED = """
import os, sys
import numpy as np
from unwarp.data import making, part_folder
whole = part_folder.PartFolder.write
def write(self, name, rows, content):
    if name == "samples-00002.npy":
        os.kill(os.getpid(), 9)
    whole(self, name, rows, content)
part_folder.PartFolder.write = write
making.make_shards(sys.argv[1], sys.argv[2], rows_per_shard=3)
"""


def test_a_kill_keeps_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a kill the folder is refused; the same call adds what is missing, and nothing else."""
    np.save(tmp_path / "x.npy", X)
    out = tmp_path / "s"
    words = [sys.executable, "-c", KILLED, str(tmp_path / "x.npy"), str(out)]
    assert subprocess.run(words, env=os.environ, check=False).returncode == -9
    assert (out / PLAN).exists() and not (out / MANIFEST).exists()
    with pytest.raises(DataError, match="not complete"):
        as_source(out)
    (out / LOG).write_bytes((out / LOG).read_bytes() + b'{"name": "sam')  # a torn line
    with (out / "samples-00001.npy").open("r+b") as file:  # a shard that is damaged meanwhile
        file.seek(-1, 2)
        file.write(bytes([X[5, -1, -1] ^ 1]))
    before = (out / "samples-00000.npy").stat().st_mtime_ns
    make_shards(str(tmp_path / "x.npy"), out, rows_per_shard=3)
    assert (out / "samples-00000.npy").stat().st_mtime_ns == before
    np.testing.assert_array_equal(as_source(out).x[:], X)
    make_shards(str(tmp_path / "x.npy"), tmp_path / "whole", rows_per_shard=3)
    assert files(out) == files(tmp_path / "whole")


def test_nothing_else_is_replaced(tmp_path: Path) -> None:
    """Other files, other shards and the source stay; the same shards are left as they are."""
    out = tmp_path / "s"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        make_shards(X, out)
    (out / "notes.txt").unlink()
    make_shards(X, out, rows_per_shard=4)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    make_shards(X, out, rows_per_shard=4)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    for other, rows in ((X, 5), (X[::-1].copy(), 4), (X.astype(float), 4)):
        with pytest.raises(ConfigError, match="other work"):
            make_shards(other, out, rows_per_shard=rows)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    (tmp_path / "p").mkdir()
    Image.fromarray(X[0]).save(tmp_path / "p" / "0.png")
    with pytest.raises(ConfigError, match="holds files"):
        make_shards(tmp_path / "p", tmp_path / "p")


def test_other_readings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other hints, labels, names or times are other samples, finished or not."""
    rows = ["id,time,u,v", *(f"{i},{t},{i + t},{100 + i}" for i in range(4) for t in range(5))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    u, v = (Hints(table="long", value_columns=(name,)) for name in "uv")

    def interrupt(count: int, *others: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(making, "announce", interrupt)
        make_shards(tmp_path / "t.csv", tmp_path / "s", rows_per_shard=1, hints=u)
    for _ in range(2):  # begun, then complete
        with pytest.raises(ConfigError, match=r"value_columns.*'u'.*'v'"):
            make_shards(tmp_path / "t.csv", tmp_path / "s", rows_per_shard=1, hints=v)
        make_shards(tmp_path / "t.csv", tmp_path / "s", rows_per_shard=1, hints=u)
    np.save(tmp_path / "x.npy", np.eye(3))
    make_shards(tmp_path / "x.npy", tmp_path / "timed", times=[0, 1, 2])
    with pytest.raises(ConfigError, match="other work"):
        make_shards(tmp_path / "x.npy", tmp_path / "timed", times=[0, 1, 3])
    make_shards(Source(X, list("abcdefghij"), np.arange(10)), tmp_path / "named")
    for names, labels in (("abcdefghij", np.zeros(10)), ("abcdefghik", np.arange(10))):
        with pytest.raises(ConfigError, match="names_labels_times"):
            make_shards(Source(X, list(names), labels), tmp_path / "named")


def test_moved_pictures_are_other_samples(tmp_path: Path) -> None:
    """A picture in the folder of another class is another source."""
    write_pictures(tmp_path / "p")
    make_shards(tmp_path / "p", tmp_path / "s")
    make_shards(tmp_path / "p", tmp_path / "s")
    files = [tmp_path / "p" / label / "rgb.png" for label in ("cat", "dog")]
    before = identity_of(files[:1], tmp_path / "p")
    files[0].rename(files[1])
    assert identity_of(files[1:], tmp_path / "p") != before
    with pytest.raises(ConfigError, match="other work"):
        make_shards(tmp_path / "p", tmp_path / "s")


def test_missing_shards_are_told(tmp_path: Path) -> None:
    """A complete folder that lost a shard, or part of one, is no success."""
    make_shards(X, tmp_path / "s", rows_per_shard=4)
    path = tmp_path / "s" / "samples-00001.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"samples-00001\.npy has .* bytes instead"):
        make_shards(X, tmp_path / "s", rows_per_shard=4)
    path.unlink()
    with pytest.raises(DataError, match=r"samples-00001\.npy is missing.*make it again"):
        make_shards(X, tmp_path / "s", rows_per_shard=4)
