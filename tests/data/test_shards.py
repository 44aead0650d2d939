"""A folder of shards is opened as one array, and every damage is named."""

from __future__ import annotations

import json
import signal
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.weights import weights as flat_weights
from unwarp import AE, Unwarper
from unwarp.data import samples
from unwarp.data.fingerprint import dataset_facts
from unwarp.data.making import make_shards
from unwarp.data.opening import as_source
from unwarp.data.part_folder import MANIFEST, MARK, is_part_folder
from unwarp.data.sample_rows import SampleRows
from unwarp.data.samples import Samples, StoredSamples
from unwarp.data.schema import Schema
from unwarp.data.shards import check_shards, read_shards
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import DataError, UnwarpError
from unwarp.models import Net
from unwarp.training import Callback, Row, State, train
from unwarp.training.checkpoint import Checkpoint

RNG = np.random.default_rng(0)
SQUARES = (np.mgrid[:16, :16].T[None] - RNG.uniform(4, 12, (40, 1, 1, 2))) ** 2
PICTURES = np.round(255 * np.exp(-SQUARES.sum(-1) / 12)).astype(np.uint8)
SERIES = np.sin(np.arange(60) / 5 + RNG.uniform(0, 2, (40, 2, 1))).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Shards of 40 pictures, of 7 rows each."""
    labels = np.arange(40) % 3
    make_shards(as_source(PICTURES), tmp_path / "s", rows_per_shard=7)
    make_shards(
        samples.Source(PICTURES, labels=labels, names=[f"p{k}" for k in range(40)]),
        tmp_path / "named",
        rows_per_shard=7,
    )
    return tmp_path / "s"


def no_loading(self: ShardedArray, dtype: object = None, copy: object = None) -> np.ndarray:
    """Stands for `ShardedArray.__array__`, which loads all samples."""
    raise AssertionError("all samples were loaded")


@pytest.mark.parametrize(
    ("x", "bound"),
    [
        (PICTURES, 256 << 20),
        (PICTURES, 0),
        (PICTURES[:, :12, :, None].repeat(3, -1), 0),
        (SERIES, 0),
    ],
)
def test_fit_equals_memory(
    x: np.ndarray, bound: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, results and reloaded results are bit-equal to those of the same array in memory."""
    make_shards(x, tmp_path / "s", rows_per_shard=7)
    arguments = {"max_steps": 3, "batch_size": 8, "n_clusters": 2, "refine": "none"}
    domain = "series" if x is SERIES else "image"
    memory = Unwarper(domain=domain, **arguments).fit(x)
    monkeypatch.setattr(samples, "MAX_BYTES_IN_MEMORY", bound)
    monkeypatch.setattr(ShardedArray, "__array__", no_loading)
    stored = Unwarper(domain=domain, **arguments).fit(tmp_path / "s")
    assert stored.schema_ == memory.schema_ and stored.plan_ == memory.plan_
    weights = stored.model_.state_dict()
    for name, value in memory.model_.state_dict().items():
        assert np.array_equal(weights[name].numpy(), value.numpy()), name
    for method in ("align", "transform", "transform_params", "template", "predict"):
        results = [getattr(memory, method)(source) for source in (x, str(tmp_path / "s"))]
        np.testing.assert_array_equal(*results)
        assert type(results[0]) is type(results[1])


def test_stored_samples_are_shards(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples that stay in shards are those of the array, rows of rows too, and none are loaded."""
    monkeypatch.setattr(samples, "MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(ShardedArray, "__array__", no_loading)
    source, rows = as_source(folder), np.array([30, 2, 9])
    (schema, stored), (expected, memory) = (Schema.fit(s) for s in (source, as_source(PICTURES)))
    assert isinstance(stored, StoredSamples) and schema == expected
    assert dataset_facts(stored) == dataset_facts(memory)
    parts = [data.subset(rows).subset(np.array([2, 0])) for data in (stored, memory)]
    assert parts[0].load().x.equal(parts[1].load().x) and len(parts[0]) == 2
    part = source.subset(rows)
    assert isinstance(part.x, ShardedArray)
    np.testing.assert_array_equal(part.x[:], PICTURES[rows])


def test_large_shards_are_read_in_blocks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a size, training reads shards in blocks, and goes on after a stop to the bit."""
    monkeypatch.setattr(samples, "MAX_BYTES_IN_MEMORY", 0)
    small = Schema.fit(as_source(folder))[1]
    assert small.rows_per_block == 0 == small.load().rows_per_block
    monkeypatch.setattr(samples, "MAX_BYTES_IN_ANY_ORDER", 100)
    monkeypatch.setattr(samples, "BYTES_PER_BLOCK", 5 * PICTURES[0].nbytes)
    large = Schema.fit(as_source(folder))[1]
    assert large.rows_per_block == 5 == SampleRows(large, np.arange(30)).rows_per_block
    data = Schema.fit(as_source(PICTURES))[1]
    assert data.rows_per_block == 0
    weights = [
        run_in_blocks(large, folder.parent / "a"),
        run_in_blocks(large, folder.parent / "b", 3),
    ]
    assert torch.equal(*weights) and not torch.equal(weights[0], run_in_blocks(data, folder / "c"))


class Interrupt(Callback):
    """Presses Ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the signal at the step."""
        if state.step == self.step:
            signal.raise_signal(signal.SIGINT)


def run_in_blocks(data: Samples, checkpoint: Path, stop: int | None = None) -> torch.Tensor:
    """Weights after some steps, with an interruption after one of them."""
    recipe = AE(n_content=2, net=Net("mlp", (8,), (8,)))
    for interrupts in ([Interrupt(stop)], []) if stop else ([],):
        model = recipe.build(data.shape, seed=0)
        callbacks = (*interrupts, Checkpoint(checkpoint))
        with suppress(KeyboardInterrupt):
            train(model, recipe.players(model), data, steps=12, batch_size=8, callbacks=callbacks)
    return flat_weights(model)


def test_facts_are_read(folder: Path) -> None:
    """Names and labels come with the samples; sizes of files are compared at once."""
    named = read_shards(folder.with_name("named"))
    assert named.names is not None and named.labels is not None
    assert list(named.names[:2]) == ["p0", "p1"] and named.labels.tolist()[:4] == [0, 1, 2, 0]
    assert check_shards(folder) == 6 and check_shards(folder.with_name("named")) == 8


def test_flipped_bit_is_found(folder: Path) -> None:
    """One other bit is found by the checksum, and the shard is named."""
    path = folder / "samples-00003.npy"
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes(content)
    read_shards(folder)  # opening compares only sizes
    with pytest.raises(DataError, match=r"samples-00003\.npy has another checksum"):
        check_shards(folder)


@pytest.mark.parametrize("damage", ["missing", "short", "long", "other"])
def test_damaged_shard_is_named(damage: str, folder: Path) -> None:
    """A shard that is missing, or has another size or shape, is named when the folder is opened."""
    path = folder / "samples-00002.npy"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other":
        path.write_bytes(content.replace(b"(7, 16, 16)", b"(7, 8, 32) "))
    else:
        path.write_bytes(content[:-1] if damage == "short" else content + b"0")
    with pytest.raises(DataError, match=r"samples-00002\.npy"):
        as_source(folder)


@pytest.mark.parametrize(
    "change",
    [
        {MARK: 99},
        {"parts": None},
        {"parts": [{"name": "x"}]},
        {"companions": 3},
        {"dtype": "<f4"},
        {"dtype": "nonsense"},
        {"shape": 5},
        {"content": "table"},
        {"parts": []},
        {"n_samples": 41},
        {"n_samples": "40"},
        {"image_shape": "16"},
        {"domain": 3},
        {"domain": "tastes"},
        {"layout": None},
        {"description": 5},
        {MARK: "1"},
        {"companions": [{"name": "../x", "rows": 1, "n_bytes": 1, "sha256": ""}]},
        {"companions": [{"name": "x", "rows": 1, "n_bytes": "1", "sha256": ""}]},
    ],
)
def test_damaged_manifest_is_refused(change: dict[str, object], folder: Path) -> None:
    """Any change of the manifest gives an error that a user can read."""
    record = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(record | change))
    with pytest.raises(UnwarpError):
        as_source(folder)


NEEDED = ["n_samples", "shape", "dtype", "domain", "layout", "image_shape", "description", "parts"]


@pytest.mark.parametrize("key", [MARK, "companions", *NEEDED])
def test_missing_facts_are_named(key: str, folder: Path) -> None:
    """A manifest without a fact that is needed is damaged; the error names file and fact."""
    record = json.loads((folder / MANIFEST).read_text())
    del record[key]
    (folder / MANIFEST).write_text(json.dumps(record))
    with pytest.raises(DataError, match=rf"manifest\.json is damaged.*{key}.*again"):
        as_source(folder)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_cut_manifest_is_damaged(share: float, folder: Path) -> None:
    """A manifest that was not copied to its end is damaged, with and without the shards."""
    content = (folder / MANIFEST).read_bytes()
    (folder / MANIFEST).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"manifest\.json is damaged .*copy it again, or delete"):
        as_source(folder)
    with pytest.raises(DataError, match="is damaged"):
        make_shards(PICTURES, folder, rows_per_shard=7)


def test_other_folders_are_no_shards(tmp_path: Path) -> None:
    """A folder without a manifest of Unwarp holds no shards, whatever its files."""
    assert not is_part_folder(tmp_path)
    for text in ("{}", "no JSON", "[1]"):
        (tmp_path / MANIFEST).write_text(text)
        assert not is_part_folder(tmp_path)
        with pytest.raises(DataError, match="holds no shards"):
            check_shards(tmp_path)


def test_rate_of_recordings_is_kept(tmp_path: Path) -> None:
    """Shards of recordings have the clock of the files that they were made from."""
    (tmp_path / "wav").mkdir()
    for k in range(6):
        with wave.open(str(tmp_path / "wav" / f"r{k}.wav"), "wb") as file:
            file.setparams((1, 2, 200, 0, "NONE", ""))
            file.writeframes((900 * np.sin(np.arange(80) / 5 + k)).astype("<i2").tobytes())
    make_shards(tmp_path / "wav", tmp_path / "s", rows_per_shard=4)
    clocks = [Schema.fit(as_source(tmp_path / name))[0].clock for name in ("wav", "s")]
    assert clocks[0] == clocks[1] and clocks[0].sampling_rate == pytest.approx(200)
