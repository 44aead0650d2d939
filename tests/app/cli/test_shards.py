"""Shards from the command line: made, checked, learned from, and refused if damaged."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.app.cli import main
from unwarp.data.opening import as_source

X = pictures(40)[:, 0]


def run(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, in this process."""
    output, errors, code = io.StringIO(), io.StringIO(), 0
    with (
        redirect_stdout(output),
        redirect_stderr(errors),
        patch.object(sys, "argv", ["unwarp", *map(str, words)]),
    ):
        try:
            main.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, output.getvalue(), errors.getvalue()


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of shards that the command made."""
    np.save(tmp_path / "x.npy", X)
    words = ("data", "make", tmp_path / "x.npy", "--out", tmp_path / "s", "--rows-per-shard", 16)
    assert run(*words) == (0, f"wrote 40 samples to {tmp_path / 's'}\n", errors_of(3))
    return tmp_path / "s"


def errors_of(n: int) -> str:
    """Lines about the progress of n parts."""
    return "".join(f"{k + 1} of {n} parts\n" for k in range(n))


def test_shards_are_made_and_checked(shards: Path) -> None:
    """The folder holds the array; a check counts its files, and names a damaged one."""
    np.testing.assert_array_equal(as_source(shards).x[:], X)
    code, output, _ = run("data", "check", shards, "--json")
    assert code == 0 and json.loads(output)["files"] == 3
    (shards / "samples-00001.npy").write_bytes(b"")
    code, output, errors = run("data", "check", shards)
    assert code == 2 and not output and "samples-00001.npy has 0 bytes" in errors
    code, _, errors = run("fit", shards, "--out", shards.parent / "run")
    assert code == 2 and "samples-00001.npy" in errors


@pytest.mark.slow
def test_runs_learn_from_shards(shards: Path) -> None:
    """A run on shards has the scores of a run on the array, whose order is the same."""
    metrics = []
    for source in (shards, shards.parent / "x.npy"):
        out = shards.parent / f"run of {source.name}"
        assert run("fit", source, "--out", out, "--steps", 3, "-q", "--refine", "none")[0] == 0
        metrics.append(json.loads((out / "metrics.json").read_text())["warped"]["scores"])
    assert metrics[0] == metrics[1] and metrics[0]


def test_results_are_written_in_parts(shards: Path) -> None:
    """`align` writes shards that are aligned, `embed` a table in parts; both twice without harm."""
    model, out = shards.parent / "model", shards.parent / "out"
    estimator = Unwarper("affine", max_steps=2, n_clusters=2, refine="none").fit(X)
    estimator.save(model)
    for _ in range(2):
        words = ("align", model, shards, "--out", out, "--rows-per-part", 15)
        code, output, errors = run(*words)
        assert (code, output) == (0, f"wrote 40 aligned samples to {out}\n"), errors
    aligned = as_source(out).x[:]
    assert np.abs(aligned.astype(int) - estimator.align(X)).max() <= 1
    table = shards.parent / "codes"
    assert run("embed", model, shards, "--out", f"{table}/", "--rows-per-part", 15, "-q")[0] == 0
    assert len(list(table.glob("part-*"))) == 3 and run("data", "check", table)[0] == 0
    assert run("align", model, shards, "--out", out, "--rows-per-part", 9)[0] == 2
    for words in (
        ("embed", model, shards, "--out", f"{table}.csv"),
        ("embed", model, shards, "--modes", "--out", f"{table}.csv"),
        ("align", model, shards, "--out", f"{table}.npz"),
    ):
        code, _, errors = run(*words, "--rows-per-part", 9)
        assert code == 2 and "--rows-per-part 9 is for a folder" in errors
    assert run("align", model, shards, "--out", shards)[0] == 2
    assert run("align", model, shards.parent / "x.npy", "--out", out)[0] == 2
    assert (as_source(out).x[:] == aligned).all()


def test_parts_of_data_sets(tmp_path: Path) -> None:
    """Built-in data sets give the part that is asked for; other options are refused in one line."""
    for part, n in (("train", 200), ("test", 200)):
        code, output, _ = run("data", "make", "bumps", "--out", tmp_path / part, "--part", part)
        assert code == 0 and len(as_source(tmp_path / part)) == n, output
    train, test = (as_source(tmp_path / part) for part in ("train", "test"))
    assert train.labels is not None and not np.array_equal(train.x[:], test.x[:])
    assert run("data", "make", "bumps", "--out", tmp_path / "x", "--shard-mb", 0)[0] == 2
    code, _, errors = run("data", "make", "bumps", "--out", tmp_path / "train", "--part", "test")
    assert code == 2 and "other work" in errors
