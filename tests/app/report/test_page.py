"""The page of a report: one file that needs no other."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from unwarp.app.outcome import Outcome
from unwarp.app.report import sections
from unwarp.app.report.illustrations import Illustration, Plot
from unwarp.app.report.page import html, write
from unwarp.app.report.section import Check, Section, Table

SECTION = Section(
    "A <title>",
    ("First & last.",),
    (Check(True, "Fine.", "Wait."), Check(False, "Odd.", "Mend it.")),
    Table(("", "a", "b"), (("score", "1", "2"), ("pace", "2", "")), ("2", "")),
    {"recipe": "AE(warp='x')"},
    (Illustration("still", "Words.", b"png"), Illustration("lost", failure="ValueError: <no>")),
)


def test_page_escapes_words() -> None:
    """Words of the data and of errors cannot become tags."""
    page = html("<b>data</b>", [SECTION])
    assert "<h1>A &lt;title&gt;</h1>" in page and "First &amp; last." in page
    assert "<b>data" not in page and "<no>" not in page
    assert "AE(warp='x')" in unescape(page)


def test_page_names_missing_figures() -> None:
    """A missing figure is named with the reason, beside those that were drawn."""
    page = unescape(html("data", [SECTION]))
    assert "The figure “lost” is missing: ValueError: <no>" in page
    assert page.count("<img") == 1 and "<figcaption>Words.</figcaption>" in page


def test_page_marks_best_scores() -> None:
    """The best cell of a row stands out, and an empty one never does."""
    page = html("data", [SECTION])
    assert '<td>score</td><td>1</td><td class="best">2</td>' in page
    assert "<td>pace</td><td>2</td><td></td>" in page


def test_page_advises_where_not_good() -> None:
    """Advice stands only behind signs that are not good."""
    page = html("data", [SECTION])
    assert '<span class="verdict good">good</span> Fine.' in page and "Wait." not in page
    assert '<span class="verdict look">look</span> Odd.' in page and "Mend it." in page


def test_page_needs_no_other_file() -> None:
    """Figures are inside the page, which links to nothing and follows light and dark."""
    page = html("data", [SECTION])
    assert not re.search(r'(src|href)="(?!data:)|url\(|@import', page)
    assert "prefers-color-scheme: dark" in page


def test_write_survives_a_failing_figure(
    series_run: Outcome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A figure that raises is named on the page; the others are drawn and written."""

    def failing(outcome: Outcome) -> None:
        raise ValueError("no luck")

    monkeypatch.setattr(sections, "TRAINING", Plot("training", failing, lambda outcome: ""))
    page = write(series_run, tmp_path).read_text()
    assert "The figure “training” is missing: ValueError: no luck" in page
    files = {path.name for path in tmp_path.iterdir()}
    assert {"report.html", "gallery.png", "moving.gif", "latent_space.png"} <= files
    assert "training.png" not in files and page.count("is missing") == 1
