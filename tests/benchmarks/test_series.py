"""The benchmark of series: its cells, and a page that follows from the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.series_sets import SETS

from benchmarks import cells, series, series_page


def put(folder: Path, name: str, **record: Any) -> None:
    path = folder / series.FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))


def test_cells_are_distinct() -> None:
    """There are many cells, and no name occurs twice."""
    assert len(set(series.NAMES)) == len(series.NAMES)
    assert set(series.QUICK) <= set(series.NAMES)
    for kind in ("choice", "raw", "dtw", "auto", "one-stage"):
        assert {f"{name}/{kind}/0" for name in SETS} <= set(series.NAMES)


def test_fork_recipes_have_three_latents() -> None:
    """Recipes of fork trajectories have three content dimensions."""
    assert {recipe.n_content for recipe in series.FORKS.values()} == {3}
    assert not series.FORKS["none"].warp.factors


def test_row_joins_cells_and_marks_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of a set joins its cells, and a star marks harm by alignment."""
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    sizes = {"n_train": 50, "n_test": 150, "channels": 1, "length": 150, "classes": 2}
    put(tmp_path, "ucr/GunPoint/raw/0", sizes=sizes, scores={"raw_1nn": 0.9})
    put(tmp_path, "ucr/GunPoint/choice/0", choice="smooth", saved=[14.0, 26.0], scores={})
    put(tmp_path, "ucr/GunPoint/dtw/0", scores={"dtw_1nn": 0.91, "window_percent": 3})
    for seed, score in enumerate((0.95, 0.8, 0.875)):
        put(
            tmp_path,
            f"ucr/GunPoint/auto/{seed}",
            seconds=10.0,
            scores={"aligned_1nn": score, "codes_1nn": 0.7},
        )
    row = series_page.joined(series_page.summary(series.NAMES), "ucr/GunPoint")
    assert (row["auto_aligned_1nn"], row["auto_aligned_1nn_low"], row["choice_saved"]) == (
        0.875,
        0.8,
        20.0,
    )
    assert series_page.harmed(row)
    line = series_page.recordings([row]).splitlines()[-1]
    words = (
        "| GunPoint | 50, 150, 150 | smooth (20) | 0.900 | 0.875 (0.800) * "
        "| - | 0.910 (3 %) | 0.700 | 10 |"
    )
    assert line == words
    assert not series_page.harmed(row | {"auto_aligned_1nn": 0.88})  # .02 may be lost
    assert not series_page.harmed(row | {"auto_aligned_1nn": 0.84, "n_test": 30})  # or two samples
