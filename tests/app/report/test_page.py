"""The page of a report is one file that needs no other."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from unwarp.app.outcome import Outcome
from unwarp.app.report import sections
from unwarp.app.report.illustrations import Illustration, Plot
from unwarp.app.report.page import render_page, write_report
from unwarp.app.report.section import Check, Section, Table

FEW = Check(True, "Perhaps.", "Wait.", is_certain=False)
SECTION = Section(
    "A <title>",
    ("First & last.",),
    (Check(True, "Passed.", "Wait."), Check(False, "Failed.", "Mend it.")),
    Table(("score", "a", "b"), (("accuracy", "1", "2"), ("speed", "2", "")), ("2", "")),
    {"recipe": "AE(warp='x')"},
    (Illustration("drawn", "Caption.", b"png"), Illustration("broken", failure="ValueError: <no>")),
)


def test_page_escapes_text() -> None:
    """Texts of the data and of errors cannot become tags."""
    page = render_page("<b>data</b>", [SECTION])
    assert "<h1>A &lt;title&gt;</h1>" in page and "First &amp; last." in page
    assert "<b>data" not in page and "<no>" not in page
    assert "AE(warp='x')" in unescape(page)


def test_page_names_failed_figures() -> None:
    """A figure that failed is named with the error, beside those that were drawn."""
    page = unescape(render_page("data", [SECTION]))
    assert "The figure “broken” could not be drawn: ValueError: <no>" in page
    assert page.count("<img") == 1 and "<figcaption>Caption.</figcaption>" in page


def test_page_marks_best_scores() -> None:
    """The best cell of a row is bold, and an empty one never is."""
    page = render_page("data", [SECTION])
    cells = re.findall(r'<td data-head="(\w+)"( class="best")?>(\w*)</td>', page)
    assert cells[:3] == [("score", "", "accuracy"), ("a", "", "1"), ("b", ' class="best"', "2")]
    assert cells[3:] == [("score", "", "speed"), ("a", "", "2"), ("b", "", "")]


def test_page_advises_on_failed_checks() -> None:
    """Advice follows only those checks that have not passed."""
    page = render_page("data", [SECTION])
    assert '<span class="verdict passed">passed</span> Passed.' in page and "Wait." not in page
    assert '<span class="verdict attention">attention</span> Failed.' in page
    assert "Mend it." in page


def test_page_begins_with_the_next_step() -> None:
    """What to do next stands before all text, and a doubtful check is not green."""
    page = render_page("data", [replace(SECTION, lead="Train <longer>.", checks=(FEW,))])
    assert page.index("<b>Next step.</b> Train &lt;longer&gt;.") < page.index("First &amp; last.")
    assert '<span class="verdict few">too few</span> Perhaps.' in page and "Wait." not in page
    assert "Next step" not in render_page("data", [SECTION])


def test_page_unfolds_settings() -> None:
    """Settings are in a list that is folded on the screen and left out on paper."""
    page = render_page("data", [replace(SECTION, settings={"warp.shift": "1"})])
    assert "<details" in page and "<dt>warp.shift</dt><dd>1</dd>" in page
    assert "<details" not in render_page("data", [SECTION])


def test_page_needs_no_other_file() -> None:
    """Figures are inside the page, which links to nothing and follows light and dark."""
    page = render_page("data", [SECTION])
    assert not re.search(r'(src|href)="(?!data:)|url\(|@import', page)
    assert "prefers-color-scheme: dark" in page


def test_write_survives_a_failing_figure(
    series_run: Outcome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A figure that raises is named on the page; the others are drawn and written."""

    def fail(outcome: Outcome) -> None:
        raise ValueError("no luck")

    monkeypatch.setattr(sections, "TRAINING", Plot("training", fail, lambda outcome: ""))
    page = write_report(series_run, tmp_path).read_text()
    assert "The figure “training” could not be drawn: ValueError: no luck" in page
    files = {path.name for path in tmp_path.iterdir()}
    assert {"report.html", "gallery.png", "moving.gif", "latent_space.png"} <= files
    assert "training.png" not in files and page.count("could not be drawn") == 1
