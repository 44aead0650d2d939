"""The commands `compare` and `figure`: what they print and write, and what they refuse."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from unwarp.app.cli import main
from unwarp.app.outcome import Outcome


@pytest.fixture
def folders(series_run: Outcome, tmp_path: Path) -> list[Path]:
    """A finished run and its copy."""
    folder = Path(series_run.job.source).parent / "run"
    shutil.copytree(folder, tmp_path / "two")
    return [folder, tmp_path / "two"]


def code_of(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """The exit code of a command."""
    monkeypatch.setattr(sys, "argv", ["unwarp", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main.main()
    return int(end.value.code or 0)


def test_compare_prints_and_writes(
    folders: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The text has data, seeds and scores; the page has templates; JSON has all numbers."""
    page = tmp_path / "page.html"
    assert code_of(monkeypatch, "compare", *folders, "--out", page) == 0
    text = capsys.readouterr().out
    assert "All runs have the same training samples" in text and "seeds: run 0, two 0" in text
    assert "nearest-neighbour (1-NN) accuracy" in text and f"wrote {page}" in text
    assert "Comparison of 2 runs" in page.read_text() and "data:image/png" in page.read_text()
    assert code_of(monkeypatch, "compare", *folders, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["same_data"] is True and record["differences"] == {}


def test_compare_refuses_mistakes(
    folders: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run, a file that is no page, and a page over a file in a run folder are refused."""
    for words, mend in (
        ((folders[0],), "two different run folders"),
        ((*folders, "--out", "page.pdf"), "give a file FILE.html"),
        ((*folders, "--out", folders[1] / "notes.html"), "notes.html"),
    ):
        (folders[1] / "notes.html").write_text("mine")
        assert code_of(monkeypatch, "compare", *words) == 2
        assert mend in capsys.readouterr().err
    assert (folders[1] / "notes.html").read_text() == "mine"


def test_figure_writes_its_format(
    folders: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The suffix decides the format, and the caption is printed."""
    out = tmp_path / "warps.svg"
    assert code_of(monkeypatch, "figure", "warps", folders[0], "--out", out, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["file"] == str(out) and "seed 0" in record["caption"]
    assert "<text" in out.read_text()
    monkeypatch.chdir(tmp_path)
    assert code_of(monkeypatch, "figure", "interpolation", folders[0], "-q") == 0
    assert (tmp_path / "interpolation.pdf").read_bytes().startswith(b"%PDF")


def test_figure_refuses_mistakes(
    folders: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A suffix of another format, a missing figure and a file in the run folder are refused."""
    for words, mend in (
        (("warps", folders[0], "--format", "pdf", "--out", "a.svg"), "ends in .pdf"),
        (("warps", folders[0], "--out", "a.jpg"), "ends in .pdf, .png or .svg"),
        (("chunks", folders[0]), "--set family=mixing-ae"),
        (("warps", folders[1], "--out", folders[1] / "mine.pdf"), "mine.pdf"),
    ):
        (folders[1] / "mine.pdf").write_text("mine")
        assert code_of(monkeypatch, "figure", *words) == 2
        assert mend in capsys.readouterr().err
