"""The inventory, which imports nothing heavy, is equal to the registries."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp import datasets, metrics, models, warps
from unwarp._version import __version__
from unwarp.app import inventory
from unwarp.data.formats import files
from unwarp.data.formats.registry import formats
from unwarp.errors import DataError


def test_inventory_equals_the_registries() -> None:
    """Each list holds the names that are registered once everything is imported."""
    assert inventory.inventory() == {
        "unwarp": __version__,
        "warps": sorted(warps.families()),
        "recipes": sorted(models.families()),
        "data sets": list(datasets.names()),
        "scores": sorted(metrics.scores()),
        "file formats": sorted(suffix for suffix in formats() if suffix),
    }


def test_inventory_lists_decorated_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A score is listed in `SCORES`, or decorated by a function of the registry."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "listed.py").write_text("def a(): ...\ndef b(): ...\nSCORES = (a,)\n")
    (tmp_path / "metrics" / "decorated.py").write_text(
        "from unwarp.metrics.registry import score as measure\nfrom functools import cache\n"
        "@measure\ndef c(): ...\n@cache\ndef d(): ...\n@measure(needs=())\ndef e(): ...\n"
    )
    monkeypatch.setattr(inventory, "ROOT", tmp_path)
    assert sorted(inventory._scores()) == ["a", "c", "e"]


@pytest.mark.parametrize("source", ["digits", ".", "~"])
def test_sources_that_exist_pass(source: str) -> None:
    """Built-in data sets and paths come back as they are."""
    assert inventory.check_source(source) == source


@pytest.mark.parametrize("source", ["nowhere", "", "digit"])
def test_mistyped_sources_have_one_message(source: str) -> None:
    """The command line refuses a mistyped path in the words of the library."""
    with pytest.raises(DataError) as early:
        inventory.check_source(source)
    with pytest.raises(DataError) as late:
        files.read(source)
    assert str(early.value) == str(late.value)
