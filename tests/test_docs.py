"""Pages: links and pictures lead to existing files and headings; table markers are paired."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
)
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def names(page: Path) -> set[str]:
    """What links to headings of a page end in."""
    heads = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Links and pictures of a page exist, and table markers are paired."""
    text = FENCED.sub("", page.read_text())
    for link in LINK.findall(text):
        if link.startswith(("https://", "mailto:")):
            continue
        place, _, heading = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{link} leads nowhere"
        assert not heading or heading in names(target), f"{link}: no such heading"
    opened, closed = (
        re.findall(rf"^<!-- {mark}([\w-]+) -->$", text, re.MULTILINE) for mark in ("", "/")
    )
    assert opened == closed
