"""Workers of Ray write the parts that one process writes, even if one of them is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.pictures import pictures
from unwarp import Unwarper, distributed
from unwarp.app.exports import write_aligned
from unwarp.data import prepared
from unwarp.data.formats.picture_rows import PictureRows
from unwarp.data.making import make_shards
from unwarp.data.opening import as_source
from unwarp.data.part_folder import LOG, MANIFEST, read_record
from unwarp.distributed.results import PartWorker, open_samples, raise_error
from unwarp.errors import CheckpointError, ConfigError, DataError

X = pictures(60)

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:ray",  # Ray Data sets its own settings that it deprecates
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, fitted: Unwarper) -> Path:
    """A model, and pictures as shards."""
    root = tmp_path_factory.mktemp("distributed")
    fitted.save(root / "model")
    make_shards(X.astype(np.float32), root / "shards", rows_per_shard=16)
    return root


@pytest.fixture(scope="module")
def fitted() -> Unwarper:
    """A small model of pictures with floating-point values."""
    model = Unwarper("affine", max_steps=10, n_clusters=2, refine="none", device="cpu")
    return model.fit(X.astype(np.float32))


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two workers on this computer, which end with the tests."""
    ray = pytest.importorskip("ray", reason="ray is not installed")
    pytest.importorskip("ray.data", reason="ray is not installed with its part for data")
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80 << 20,
        logging_level="error",
    )
    yield
    ray.shutdown()


def processes_of_workers() -> list[int]:
    """Processes below this one that hold a `PartWorker`."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            names[int(folder.name)] = (folder / "cmdline").read_text()
        except OSError:
            continue

    def is_below(pid: int) -> bool:
        while pid in parents:
            if parents[pid] == os.getpid():
                return True
            pid = parents[pid]
        return False

    return [pid for pid, name in names.items() if "PartWorker" in name and is_below(pid)]


def test_workers_write_parts(root: Path, fitted: Unwarper, tmp_path: Path) -> None:
    """A worker by itself writes the parts that it is asked for, and returns their records."""
    arguments = [str(path) for path in (root / "model", root / "shards", tmp_path)]
    worker = PartWorker("align", *arguments, {"to": None, "counts": False}, 25)
    records = worker({"part": np.array([0, 2])})
    assert records["name"].tolist() == ["samples-00000.npy", "samples-00002.npy"]
    assert records["rows"].tolist() == [25, 10]
    aligned = fitted.align(X.astype(np.float32))
    np.testing.assert_allclose(np.load(tmp_path / "samples-00002.npy"), aligned[50:], atol=1e-3)


def test_mistakes_are_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders without a model, other files and senseless numbers are refused before any work."""
    pytest.importorskip("ray.data", reason="ray is not installed with its part for data")
    with pytest.raises(CheckpointError):
        distributed.align(root / "shards", tmp_path / "none", tmp_path / "out")
    for to, kind in (
        (99, DataError),
        (np.int64(99), DataError),
        (-1, ConfigError),
        ("3", ConfigError),
    ):
        with pytest.raises(kind, match=r"^to="):
            distributed.align(root / "shards", root / "model", tmp_path / "out", to=to)
    assert not (tmp_path / "out").exists()
    for option in ("rows_per_part", "workers"):
        with pytest.raises(ConfigError, match=option):
            distributed.embed(root / "shards", root / "model", tmp_path / "out", **{option: 0})
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(ConfigError, match="holds files"):
        distributed.embed(root / "shards", root / "model", tmp_path)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ConfigError, match=r"pip install 'unwarp\[ray\]'"):
        distributed.align(root / "shards", root / "model", tmp_path / "out")


def test_errors_of_workers_are_typed(root: Path, tmp_path: Path) -> None:
    """A worker returns an error of Unwarp as text, and the program raises it again."""
    arguments = [str(path) for path in (root / "model", root / "shards", tmp_path)]
    worker = PartWorker("align", *arguments, {"to": np.zeros((3, 3)), "counts": False}, 25)
    (text,) = worker({"part": np.array([1])})["error"]
    with pytest.raises(DataError, match=r"^to") as caught:
        raise_error(str(text))
    assert type(caught.value).__name__ == text.partition(":")[0]
    raise_error("")


def test_begun_work_is_finished(root: Path, tmp_path: Path) -> None:
    """The plan of `unwarp align` is that of workers, with a sample to align to, too."""
    pytest.importorskip("ray.data", reason="ray is not installed with its part for data")
    for to in (None, 3):
        out, text = tmp_path / f"out-{to}", None if to is None else str(to)
        write_aligned(root / "model", str(root / "shards"), out, to=text)
        names = read_record(out / MANIFEST)
        row = None if to is None else np.int64(to)
        assert distributed.align(root / "shards", root / "model", out, to=row) == 60
        assert read_record(out / MANIFEST) == names


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are read from /proc")
def test_killed_workers_lose_no_row(
    cluster: None,
    root: Path,
    fitted: Unwarper,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker is killed on the way; every row is there once, and equals `Unwarper.align`."""
    out, killed = tmp_path / "out", list[int]()

    def kill_one() -> None:
        while not killed:
            log = out / LOG
            if (
                log.exists()
                and log.read_bytes().count(b"\n") >= 3
                and (pids := processes_of_workers())
            ):
                os.kill(pids[0], signal.SIGKILL)
                killed.append(log.read_bytes().count(b"\n"))
            time.sleep(0.01)

    thread = threading.Thread(target=kill_one, daemon=True)
    thread.start()
    n = distributed.align(root / "shards", root / "model", out, rows_per_part=2, workers=2)
    thread.join(10)
    assert n == 60 and killed and killed[0] < 30
    aligned = as_source(out).x
    assert len(aligned.shards) == 30
    monkeypatch.setattr(prepared, "SAMPLES_PER_CHUNK", 2)  # as many as a part has
    np.testing.assert_allclose(aligned[:], fitted.align(X.astype(np.float32)), atol=1e-6)


@pytest.fixture(scope="module")
def reader(root: Path) -> Unwarper:
    """A small model of pictures of bytes, saved as `bytes`."""
    model = Unwarper("affine", max_steps=2, n_clusters=2, refine="none", device="cpu").fit(X)
    model.save(root / "bytes")
    return model


@pytest.fixture(scope="module")
def places(root: Path) -> dict[str, Path]:
    """The same samples as a folder of images, a Parquet file and an array."""
    (root / "images").mkdir()
    for k, picture in enumerate(X):
        Image.fromarray(picture.squeeze()).save(root / "images" / f"p{(7 * k) % 60:02}.png")
    np.save(root / "x.npy", X)
    return {"images": root / "images", "array": root / "x.npy"}


def test_images_are_not_decoded(places: dict[str, Path], reader: Unwarper) -> None:
    """Opened images have the names, labels and rows of the door, and are read by rows."""
    source, expected = open_samples(reader, places["images"]), reader.open(places["images"])
    assert isinstance(source.x, PictureRows)
    assert list(source.names or ()) == list(expected.names or ())
    rows = np.array([5, 0, 59])
    np.testing.assert_array_equal(
        reader.prepare_samples(source.subset(rows)).x,
        reader.prepare_samples(expected.subset(rows)).x,
    )


@pytest.mark.slow
@pytest.mark.parametrize("form", ["images", "array"])
def test_samples_need_no_shards(
    form: str,
    cluster: None,
    root: Path,
    places: dict[str, Path],
    reader: Unwarper,
    tmp_path: Path,
) -> None:
    """Images and arrays are read by the workers; a second call computes nothing."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    lines: list[str] = []
    for _ in range(2):
        n = distributed.embed(
            places[form],
            root / "bytes",
            tmp_path / "out",
            rows_per_part=20,
            workers=2,
            on_message=lines.append,
        )
        assert n == 60
    source = reader.open(places[form])
    table = table_of(tmp_path / "out")
    assert table["sample"].tolist() == source.row_names.tolist()
    columns = [name for name in table if name.startswith("content_")]
    np.testing.assert_allclose(table[columns], reader.transform(source), atol=1e-4)
    assert lines.count("3 of 3 parts") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_parquet_needs_no_shards(cluster: None, tmp_path: Path) -> None:
    """Series of a Parquet file have the rows and names of the door; a killed worker loses none."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    x = np.sin(np.arange(40) / 4 + np.linspace(0, 3, 30)[:, None]).astype(np.float32)
    frame = pd.DataFrame(x).add_prefix("t").assign(id=[f"s{k}" for k in range(30)])
    frame.to_parquet(tmp_path / "x.parquet")
    model = Unwarper("time", max_steps=3, n_clusters=2, refine="none", device="cpu")
    model.fit(tmp_path / "x.parquet").save(tmp_path / "model")
    out, stop = tmp_path / "out", threading.Event()
    thread = threading.Thread(target=kill_one_of, args=(out, 2, stop), daemon=True)
    thread.start()
    n = distributed.embed(
        tmp_path / "x.parquet", tmp_path / "model", out, rows_per_part=2, workers=2
    )
    stop.set()
    thread.join(10)
    source = model.open(tmp_path / "x.parquet")
    table = table_of(out)
    assert n == 30 and table["sample"].tolist() == source.row_names.tolist()
    columns = [name for name in table if name.startswith("content_")]
    np.testing.assert_allclose(table[columns], model.transform(source), atol=1e-4)


def table_of(folder: Path) -> pd.DataFrame:
    """The rows of all parts of a table, in the order of the manifest."""
    record = read_record(folder / MANIFEST)
    assert record is not None
    parts = [pd.read_parquet(folder / part["name"]) for part in record["parts"]]
    return pd.concat(parts).reset_index(drop=True)


def kill_one_of(out: Path, n_parts: int, stop: threading.Event) -> None:
    """Kill a worker as soon as some parts are complete."""
    log = out / LOG
    while not stop.is_set():
        is_due = log.exists() and log.read_bytes().count(b"\n") >= n_parts
        if is_due and (pids := processes_of_workers()):
            os.kill(pids[0], signal.SIGKILL)
            return
        time.sleep(0.01)
