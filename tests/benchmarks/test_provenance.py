"""Results name their origin, and tables mark rows that may be out of date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.provenance import MARK, NOTE

from benchmarks import cells, provenance, thesis_page

OLD, NEW = {"commit": "0ld"}, {"commit": "1234567"}


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history in which only the commit `1234567` has the last change."""
    monkeypatch.setattr(provenance, "last_change", lambda: "change")
    monkeypatch.setattr(provenance, "_is_at_least", lambda name, change: name == "1234567")


@pytest.mark.usefixtures("history")
def test_rows_before_the_change_are_marked() -> None:
    """A commit without the change, or none, marks a row; changes not committed count as theirs."""
    assert provenance.mark([NEW, {"commit": "1234567-dirty"}]) == ""
    for results in ([OLD, NEW], [{}], [{"commit": None}]):
        assert provenance.mark(results) == MARK


def test_no_history_no_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git has no history, as in an archive of the code, no row is marked."""
    monkeypatch.setattr(provenance, "git", lambda *arguments: None)
    provenance.last_change.cache_clear()
    try:
        assert provenance.mark([{}]) == "" and provenance.commit() is None
    finally:
        provenance.last_change.cache_clear()


def test_unchanged_commits_mark_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits that left all numbers as they were do not count as changes."""
    (first, *_) = [line.split()[0] for line in provenance.UNCHANGED.read_text().splitlines()]
    monkeypatch.setattr(provenance, "git", lambda *arguments: f"{first}\nearlier\nearliest")
    provenance.last_change.cache_clear()
    try:
        assert provenance.last_change() == "earlier"
    finally:
        provenance.last_change.cache_clear()


def test_results_name_their_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result file has a commit and a hash that follows from the recipe alone."""
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    hashes = []
    for i, recipe in enumerate(({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2, "b": 2}, None)):
        record = {"scores": {}} | ({} if recipe is None else {"recipe": recipe})
        result = cells.run("origin", f"{i}", lambda record=record: record)  # type: ignore[misc]
        assert result == json.loads((tmp_path / f"origin/{i}.json").read_text())
        assert result["commit"] == provenance.commit()
        hashes.append(result["settings"])
    assert hashes[0] == hashes[1] and len(set(hashes)) == 3


def test_marks_come_and_go() -> None:
    """A table with a mark has a line below that explains it; without them pages are the same."""
    table = f"| a{MARK} | 1 |\n| b | 2 |"
    assert provenance.with_note(table) == f"{table}\n\n{NOTE}"
    assert provenance.without_marks(provenance.with_note(table)) == "| a | 1 |\n| b | 2 |"
    assert provenance.with_note("| b | 2 |") == "| b | 2 |"


@pytest.mark.usefixtures("history")
def test_thesis_marks_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are marked one by one, and say how many kinds their recipe was given."""
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    recipe = {"warp": {"rotation": 180}, "kinds": 9}
    record = {"seconds": 1.0, "environment": {"threads": 1}, "scores": {"acc": 0.5}}
    cells.write(tmp_path / "thesis/circle-ae-warp-0.json", record | OLD | {"recipe": recipe})
    cells.write(tmp_path / "thesis/circle-ae-identity-0.json", record | NEW)
    names = ["circle/ae/warp/0", "circle/ae/identity/0"]
    rows, marks = thesis_page.summary(names), thesis_page.marks_of(names)
    lines = thesis_page.table(rows, ["circle"], thesis_page.CIRCLE, marks).splitlines()
    assert "autoencoder, no warp, same seconds |" in lines[-2]
    assert f"autoencoder, with warp (9 kinds given){MARK} |" in lines[-1]
