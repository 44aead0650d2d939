"""Tutorials: each page has a result, a picture, and a row of the table in the README."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import cells, tutorials

NAMES = sorted(page.stem for page in tutorials.PAGES.glob("*.md"))


def test_every_page_is_measured() -> None:
    """The lists of peers and of headlines name every page, and nothing else."""
    assert NAMES == sorted(tutorials.PEERS) == sorted(tutorials.HEADLINES)


@pytest.mark.parametrize("name", NAMES)
def test_page_quotes_its_result(name: str) -> None:
    """A page and the README show the numbers of the result file, and the page its picture."""
    result = json.loads((cells.RESULTS / "tutorials" / f"{name}.json").read_text())
    page = (tutorials.PAGES / f"{name}.md").read_text()
    readme = Path(tutorials.__file__).parents[1].joinpath("README.md").read_text()
    (line,) = re.findall(rf"^\| \[.*\]\(docs/tutorials/{name}\.md\).*$", readme, re.MULTILINE)
    column = tutorials.HEADLINES[name][1]
    for row in result["scores"].values():
        number = tutorials.text_of(row[column])
        assert number in page.split(f"<!-- tutorial-{name} -->")[1]
        assert number in line
    assert (tutorials.PAGES / f"{name}.png").is_file()


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.926, "0.93"), (12.34, "12.3"), (153.3, "153")]
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    """Small numbers have two decimals, larger ones fewer, and missing ones a dash."""
    assert tutorials.text_of(value) == text
