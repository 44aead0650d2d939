"""The thesis benchmark: cells have recipes of their kind; the page follows from the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import cells, thesis, thesis_page
from unwarp.warps import Affine2d, Identity


def test_cells_have_their_recipe() -> None:
    """Every cell that trains has a recipe of its kind."""
    assert len(set(thesis.NAMES)) == len(thesis.NAMES)
    for name in thesis.NAMES:
        source, strategy, kind, _ = name.split("/")
        if kind in ("warp", "identity", "shear"):
            recipe, own = thesis.plan(source, strategy, kind), thesis.RECIPES[source, strategy]
            assert isinstance(recipe.warp, Identity) == (kind == "identity")
            assert isinstance(recipe.warp, Affine2d) or kind != "shear"
            if kind == "identity":
                assert recipe.n_content == own.n_content + len(own.warp.factors)
            assert thesis.SOURCES[source].steps[strategy] > 0


def test_table_shows_medians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table shows medians over the result files that exist."""
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    names = [f"affine/beta-vae/warp/{seed}" for seed in range(4)]
    (tmp_path / thesis_page.FOLDER).mkdir()
    for name, score in zip(names[:3], (0.25, 0.75, 0.5), strict=True):
        record = {"seconds": 10 * score, "images_per_second": 100, "environment": {"threads": 2}}
        record |= {"scores": {"acc": score, "template_acc": 1.0}}
        (tmp_path / thesis_page.FOLDER / f"{name.replace('/', '-')}.json").write_text(
            json.dumps(record)
        )
    rows = thesis_page.summary(names)
    assert rows["affine/beta-vae/warp"] == {
        "seeds": 3,
        "seconds_at_most": 7.5,
        "threads": 2,
        "images_per_second": 100,
        "acc": 0.5,
        "template_acc": 1.0,
    }
    line = thesis_page.table(rows, ["affine"], thesis_page.DIGITS).splitlines()[-1]
    assert "| 50.0 (100.0) |" in line and "beta-VAE, with warp" in line and "| 8 s (2) |" in line
