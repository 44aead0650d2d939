"""Results in parts are those of one call, each row once, despite kills."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.data import prepared
from unwarp.data.making import make_shards
from unwarp.data.opening import as_source
from unwarp.data.part_folder import LOG, MANIFEST, PLAN, read_record
from unwarp.data.source import Source
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import ConfigError, DataError
from unwarp.estimators import part_results
from unwarp.estimators.part_results import (
    AlignedParts,
    EmbeddingParts,
    PartResults,
    embedding_table,
    facts_of_results,
    identity_of_model,
    identity_of_source,
    write_results,
)

X = pictures(40)
SERIES = np.sin(np.arange(50) / 4 + np.random.default_rng(0).uniform(0, 2, (30, 1)))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, fitted: Unwarper) -> Path:
    """A model, and the same pictures as an array and as shards of 7 rows."""
    root = tmp_path_factory.mktemp("parts")
    fitted.save(root / "model")
    np.save(root / "x.npy", X)
    source = Source(X, [f"p{k}" for k in range(40)], np.arange(40) % 3)
    make_shards(source, root / "shards", rows_per_shard=7)
    return root


def no_loading(self: ShardedArray, dtype: object = None, copy: object = None) -> np.ndarray:
    """Stands for `ShardedArray.__array__`, which loads all samples."""
    raise AssertionError("all samples were loaded")


def table_of(folder: Path) -> pd.DataFrame:
    """The rows of all parts of a table, in the order of the manifest."""
    record = read_record(folder / MANIFEST)
    assert record is not None
    return pd.concat([read_part(folder / part["name"]) for part in record["parts"]]).reset_index(
        drop=True
    )


def read_part(path: Path) -> pd.DataFrame:
    """A part of a table, in either format."""
    if path.suffix == ".npy":
        return pd.DataFrame.from_records(np.load(path, allow_pickle=False))
    return pd.read_parquet(path)


@pytest.mark.parametrize("rows", [1, 6, 40, 99])
def test_aligned_parts_are_aligned(
    rows: int, root: Path, fitted: Unwarper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aligned shards hold what `align` returns, with names and labels; nothing else is loaded."""
    monkeypatch.setattr(ShardedArray, "__array__", no_loading)
    results = AlignedParts(fitted, fitted.open(root / "shards"), rows_per_part=rows)
    assert write_results(results, tmp_path / "out") == 40
    aligned = as_source(tmp_path / "out")
    assert aligned.x.dtype == X.dtype and len(aligned.x.shards) == -(-40 // rows)
    difference = aligned.x[:].astype(int) - fitted.align(X)
    assert np.abs(difference).max() <= 1  # a value may be rounded to its other neighbour
    assert (difference != 0).mean() < 0.001
    assert list(aligned.names)[3] == "p3" and aligned.labels.tolist()[:4] == [0, 1, 2, 0]


def test_default_parts_are_exact(
    root: Path, fitted: Unwarper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of whole chunks have the bits of one call."""
    monkeypatch.setattr(prepared, "SAMPLES_PER_CHUNK", 4)
    monkeypatch.setattr(part_results, "SAMPLES_PER_CHUNK", 4)
    monkeypatch.setattr(part_results, "MAX_ROWS_OF_PART", 14)
    results = AlignedParts(fitted, fitted.open(root / "shards"))
    write_results(results, tmp_path / "out")
    assert results.rows == 12
    np.testing.assert_array_equal(as_source(tmp_path / "out").x[:], fitted.align(X))


@pytest.mark.parametrize("has_pyarrow", [True, False])
def test_tables_have_each_row_once(
    has_pyarrow: bool, root: Path, fitted: Unwarper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts of a table join to the table of one call, in both formats, with units."""
    if has_pyarrow:
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    else:
        monkeypatch.setattr(part_results, "find_spec", lambda name: None)
    source = fitted.open(root / "shards")
    results = EmbeddingParts(fitted, source, rows_per_part=9)
    write_results(results, tmp_path / "out")
    table = table_of(tmp_path / "out")
    expected = embedding_table(fitted, fitted.prepare_samples(X), source.row_names)
    assert list(table) == list(expected) and list(table["sample"]) == [f"p{k}" for k in range(40)]
    columns = [name for name in table if name != "sample"]
    np.testing.assert_allclose(table[columns], expected[columns], rtol=1e-4, atol=1e-5)
    record = read_record(tmp_path / "out" / MANIFEST)
    assert record is not None and record["units"] == fitted.transform_params(X).attrs["units"]
    assert record["n_samples"] == 40


@pytest.mark.parametrize("to", [None, 5])
def test_series_keep_their_times(to: int | None, tmp_path: Path) -> None:
    """Aligned series with time stamps have those of the model; others have none."""
    model = Unwarper("time", max_steps=2, n_clusters=2, refine="none").fit(SERIES)
    make_shards(SERIES, tmp_path / "s", rows_per_shard=8)
    results = AlignedParts(model, model.open(tmp_path / "s"), rows_per_part=11, to=to)
    write_results(results, tmp_path / "out")
    aligned = as_source(tmp_path / "out")
    assert aligned.times is None and aligned.domain == "series"
    np.testing.assert_allclose(aligned.x[:], model.align(SERIES, to=to), atol=1e-5)
    stamps = np.arange(50) / 10 + 3
    model.fit(SERIES, times=stamps)
    source = model.open(SERIES, times=stamps)
    write_results(AlignedParts(model, source, rows_per_part=11, to=to), tmp_path / "timed")
    aligned = as_source(tmp_path / "timed")
    np.testing.assert_allclose(aligned.times, model.times_)
    expected = model.align(SERIES, times=stamps, to=to)
    np.testing.assert_allclose(aligned.x[:], expected, atol=1e-5)


def test_other_data_are_in_parts(root: Path, fitted: Unwarper, tmp_path: Path) -> None:
    """Masks in shards are aligned part by part, in their own type."""
    masks = (X > 100).astype(np.uint8) * 7
    make_shards(masks, tmp_path / "masks", rows_per_shard=9)
    other = fitted.open(tmp_path / "masks")
    source = fitted.open(root / "shards")
    write_results(AlignedParts(fitted, source, rows_per_part=15, other=other), tmp_path / "out")
    aligned = as_source(tmp_path / "out").x
    np.testing.assert_array_equal(aligned[:], fitted.align(X, other=masks))
    assert aligned.dtype == np.uint8 and set(np.unique(aligned[:])) == {0, 7}


@pytest.mark.parametrize("rows", [10, 30])
def test_integers_are_in_no_mixture(rows: int, tmp_path: Path) -> None:
    """Integers that belong to series with gaps are refused; floating-point numbers are not."""
    series = SERIES.copy()
    series[25, 20:23] = np.nan
    model = Unwarper("time", max_steps=2, n_clusters=2, refine="none", missing="interpolate").fit(
        series
    )
    numbers = np.random.default_rng(1).integers(0, 9, series.shape)
    for values, x in ((numbers, SERIES), (numbers * 1.0, series), (numbers, series)):
        source, other = model.open(x), Source(values, domain="series")
        results = AlignedParts(model, source, rows_per_part=rows, other=other)
        out = tmp_path / f"{values.dtype}-{np.isnan(x).any()}"
        if values.dtype.kind == "i" and x is series:
            with pytest.raises(DataError, match="give other as floating-point numbers"):
                write_results(results, out)
        else:
            write_results(results, out)
            expected = model.align(x, other=values)
            np.testing.assert_allclose(as_source(out).x[:], expected, atol=1e-3)


KILLED = """
import os, sys
from unwarp import Unwarper
from unwarp.estimators import part_results
whole = part_results.{kind}.encode
def encode(self, number):
    if number == 3:
        os.kill(os.getpid(), 9)
    return whole(self, number)
part_results.{kind}.encode = encode
model = Unwarper.load(sys.argv[1])
results = part_results.{kind}(model, model.open(sys.argv[2]), {{"a": 1}}, 6)
part_results.write_results(results, sys.argv[3])
"""


@pytest.mark.parametrize("kind", [AlignedParts, EmbeddingParts])
def test_interrupts_keep_parts(
    kind: Any, root: Path, fitted: Unwarper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C the same call computes only the parts that are missing."""
    numbers: list[int] = []
    whole = kind.encode

    def encode(self: PartResults, number: int) -> Any:
        numbers.append(number)
        if numbers == [0, 1, 2]:
            raise KeyboardInterrupt
        return whole(self, number)

    monkeypatch.setattr(kind, "encode", encode)
    results = kind(fitted, fitted.open(root / "shards"), {"a": 1}, 9)
    with pytest.raises(KeyboardInterrupt):
        write_results(results, tmp_path)
    write_results(results, tmp_path)
    assert numbers == [0, 1, 2, 2, 3, 4]
    write_results(results, tmp_path)
    assert len(numbers) == 6 and not (tmp_path / PLAN).exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [AlignedParts, EmbeddingParts])
def test_kills_lose_and_double_no_row(
    kind: Any, root: Path, fitted: Unwarper, tmp_path: Path
) -> None:
    """After a kill, parts that are complete stay, and the others are those of a whole call."""
    out, code = tmp_path / "out", KILLED.format(kind=kind.__name__)
    words = [sys.executable, "-c", code, *map(str, (root / "model", root / "shards", out))]
    assert subprocess.run(words, env=os.environ, check=False).returncode == -9
    assert (out / PLAN).exists() and len((out / LOG).read_text().splitlines()) == 3
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*-0000[012].*")}
    results = kind(fitted, fitted.open(root / "shards"), {"a": 1}, 6)
    assert write_results(results, out) == 40 and len(before) == 3
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before
    write_results(kind(fitted, fitted.open(root / "shards"), {"a": 1}, 6), tmp_path / "whole")
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "whole").iterdir())
    if kind is EmbeddingParts:
        assert table_of(out).equals(table_of(tmp_path / "whole"))
    else:
        np.testing.assert_array_equal(*(as_source(p).x[:] for p in (out, tmp_path / "whole")))


def test_other_results_are_refused(root: Path, fitted: Unwarper, tmp_path: Path) -> None:
    """A folder of other facts, sizes or contents stays as it is."""
    source = fitted.open(root / "shards")
    write_results(EmbeddingParts(fitted, source, {"model": "a"}, 20), tmp_path / "out")
    for other in (
        EmbeddingParts(fitted, source, {"model": "b"}, 20),
        EmbeddingParts(fitted, source, {"model": "a"}, 10),
        AlignedParts(fitted, source, {"model": "a"}, 20),
    ):
        with pytest.raises(ConfigError, match="other work"):
            write_results(other, tmp_path / "out")
    with pytest.raises(DataError, match="table"):
        as_source(tmp_path / "out")


@pytest.mark.parametrize("to", [40, 99, -1, np.int64(99)])
def test_goal_outside_is_refused(root: Path, fitted: Unwarper, to: Any, tmp_path: Path) -> None:
    """The number of a sample that does not exist is refused before anything is written."""
    results = AlignedParts(fitted, fitted.open(root / "shards"), rows_per_part=11, to=to)
    with pytest.raises(DataError, match=rf"to={to} is no row of shards, .* 0 to 39"):
        write_results(results, tmp_path / "out")
    with pytest.raises(DataError, match="is no row"):
        results.encode(0)
    assert not (tmp_path / "out").exists()


def test_missing_parts_are_told(root: Path, fitted: Unwarper, tmp_path: Path) -> None:
    """A complete folder that lost a part is no success."""
    results = AlignedParts(fitted, fitted.open(root / "shards"), rows_per_part=20)
    write_results(results, tmp_path / "out")
    (tmp_path / "out" / "samples-00001.npy").unlink()
    with pytest.raises(DataError, match=r"samples-00001\.npy is missing"):
        write_results(results, tmp_path / "out")


def test_identities_tell_changes(root: Path, tmp_path: Path) -> None:
    """A weight, a shard or a file that changes gives another identity; a name is its own."""
    model = identity_of_model(root / "model")
    assert model == identity_of_model(root / "model")
    np.save(tmp_path / "x.npy", X)
    before = identity_of_source(str(tmp_path / "x.npy"))
    np.save(tmp_path / "x.npy", X[:30])
    assert before != identity_of_source(str(tmp_path / "x.npy"))
    make_shards(X[::-1].copy(), tmp_path / "s")
    sources = [str(tmp_path / "s"), str(root / "shards"), str(tmp_path), "bumps", "digits"]
    assert len({identity_of_source(source) for source in sources}) == 5
    np.savez(tmp_path / "z.npz", a=X, b=X)
    sources = [f"{tmp_path / 'z.npz'}:{name}" for name in "ab"]
    assert len({identity_of_source(source) for source in sources}) == 2
    for name in "ab":
        (tmp_path / "classes" / name).mkdir(parents=True)
    np.save(tmp_path / "classes" / "a" / "x.npy", X)
    sources = [str(tmp_path / "classes"), str(tmp_path / "classes" / "*" / "x.npy")]
    before = [identity_of_source(source) for source in sources]
    (tmp_path / "classes" / "a" / "x.npy").rename(tmp_path / "classes" / "b" / "x.npy")
    assert not set(before) & {identity_of_source(source) for source in sources}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    assert identity_of_model(tmp_path / "model") != model


def test_facts_tell_results_apart(tmp_path: Path) -> None:
    """Another model, source or option gives other facts; the same gives the same."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(name)
    calls = [
        ("a", "bumps", {}),
        ("b", "bumps", {}),
        ("a", "digits", {}),
        ("a", "bumps", {"layout": "channels_first"}),
        ("a", "bumps", {"to": "3"}),
        ("a", "bumps", {"other": "digits"}),
    ]
    facts = [
        repr(facts_of_results(tmp_path / folder, source, **options))
        for folder, source, options in (*calls, calls[0])
    ]
    assert len(set(facts)) == len(calls) and facts[0] == facts[-1]
