"""Links from pages of the site to files of the repository that are no pages."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)\s]+)\)")


def without_outside_links(app: Sphinx, name: str, source: list[str]) -> None:
    """Keep the words of a link that leaves the folder of the site, as code."""
    page = Path(app.env.doc2path(name))
    site = Path(app.srcdir)

    def shorten(link: re.Match[str]) -> str:
        target = (page.parent / link[2].partition("#")[0]).resolve()
        return link[0] if target.is_relative_to(site) else link[1]

    source[0] = LINK.sub(shorten, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the change of the sources."""
    app.connect("source-read", without_outside_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
