"""The site: its reference names all that is public, and its pages ask other hosts for nothing."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from PIL import Image

import unwarp

DOCS = Path(__file__).parents[1] / "docs"
SINGLE = re.compile(r"\.\. auto(?:class|function):: (?:unwarp\.)?(\w+)")
MODULE = re.compile(r"\.\. automodule:: (unwarp\S*)")
ADDRESS = re.compile(r"(?:src=|url\(|@import |<script|<iframe)[^>\n]*https?://")


def documented() -> list[object]:
    """Objects of the reference: named singly, or public names of a module that is named."""
    text = "\n".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    modules = [importlib.import_module(name) for name in MODULE.findall(text)]
    public = [
        getattr(module, name)
        for module in modules
        for name in getattr(module, "__all__", [name for name in dir(module) if name[0] != "_"])
    ]
    return public + [getattr(unwarp, name) for name in SINGLE.findall(text)]


def test_reference_is_complete() -> None:
    """Every public name of the package stands in the reference of the site."""
    objects = documented()
    missing = [
        name
        for name in dir(unwarp)
        if name != "__version__" and not any(getattr(unwarp, name) is x for x in objects)
    ]
    assert not missing


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_pages_load_nothing(path: Path) -> None:
    """No page shows or runs anything that another host serves."""
    text = path.read_text()
    assert not ADDRESS.search(text)
    assert "](http" not in re.sub(r"(?<!!)\[[^\]]*\]\(http", "", text)


def test_animation_is_small() -> None:
    """The animation of the README moves, takes less than 400 kB, and has a still beside it."""
    readme = (DOCS.parent / "README.md").read_text()
    still, path = (DOCS.parent / name for name in re.findall(r'src(?:set)?="([^"]+)"', readme))
    assert still.is_file() and path.stat().st_size < 400_000
    with Image.open(path) as image:
        assert image.n_frames > 20  # type: ignore[attr-defined]
