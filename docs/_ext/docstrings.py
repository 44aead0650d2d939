"""Docstrings of the library as Sphinx reads them: plain text, with indented lines as code."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

SECTION = re.compile(
    r"(Args|Attributes|Example|Examples|Note|Notes|Raises|Reference|References|Returns|See Also):"
)
QUOTED = re.compile(r"(`[^`]*`)")
REQUEST = re.compile(r"set_\w+_request|set_output|get_metadata_routing")


def without_markup(
    app: Sphinx, what: str, name: str, x: Any, options: Any, lines: list[str]
) -> None:
    """Escape stars and bars, and mark blocks of indented lines above the sections as code."""
    result: list[str] = []
    has_section = is_block = False
    for line in lines:
        has_section |= bool(SECTION.match(line))
        starts_block = line.startswith("    ") and not has_section and not is_block
        if starts_block:
            result += ["", "::", ""]
        is_block = (line.startswith("    ") or (is_block and not line)) and not has_section
        result.append(line if is_block or ">>>" in line else escaped(line))
    lines[:] = result


def escaped(line: str) -> str:
    """A line in which stars and bars outside quoted names are no markup."""
    parts = QUOTED.split(line)
    parts[::2] = [re.sub(r"([*|])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def is_skipped(app: Sphinx, what: str, name: str, x: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the metadata routing of scikit-learn, which is the same for every estimator."""
    return True if REQUEST.fullmatch(name) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both changes; the docstrings are changed before napoleon reads them."""
    app.connect("autodoc-process-docstring", without_markup, priority=100)
    app.connect("autodoc-skip-member", is_skipped)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
