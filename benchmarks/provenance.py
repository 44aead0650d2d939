"""Origin of results: the commit and the settings that they were measured with.

    python -m benchmarks.provenance PAGE ...    fail if pages changed, but for marks

A row of a table is marked if one of its results is older than the last change of the code that
trains models. A mark is no failure: numbers may be the same.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TRAINING_CODE = ("src/unwarp/models", "src/unwarp/training", "src/unwarp/warps")
"""Folders by which trained numbers change."""

UNCHANGED = Path(__file__).with_name("unchanged_commits.txt")
"""File of commits that left all numbers as they were, as `benchmarks.unchanged` showed."""

MARK = " \N{DAGGER}"
"""The mark of a row, after its name."""

NOTE = (
    "\N{DAGGER} Measured before the last change of `models/`, `training/` or `warps/`; the "
    "numbers may differ now."
)
"""The line below a table with marks."""

DIRTY = "-dirty"
"""End of a commit with changes that were not committed."""


def git(*arguments: str) -> str | None:
    """Output of a command of git in this checkout; None without git, a history, or success."""
    try:
        result = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def commit() -> str | None:
    """The commit of this checkout, with `-dirty` after it if files differ; None without git."""
    name = git("rev-parse", "--short", "HEAD")
    if name is None:
        return None
    return f"{name}{DIRTY}" if git("status", "--porcelain", "--untracked-files=no") else name


def origin(result: Mapping[str, Any], work: Callable[[], Any]) -> dict[str, Any]:
    """Commit of a result, and hash of the recipe or of the code that states its settings.

    Args:
        result: The result; its `recipe` is hashed, if it has one.
        work: Function that measured it; else the file of its code is hashed.
    """
    recipe = result.get("recipe")
    if recipe is not None:
        settings = json.dumps(recipe, sort_keys=True, default=str).encode()
    else:
        settings = Path(inspect.getfile(work)).read_bytes()
    return {"commit": commit(), "settings": hashlib.sha256(settings).hexdigest()[:12]}


@cache
def last_change() -> str | None:
    """The last commit that changed trained numbers; None without a history."""
    commits = (git("log", "--format=%H", "--", *TRAINING_CODE) or "").split()
    unchanged = {line.split()[0] for line in UNCHANGED.read_text().splitlines()}
    return next((commit for commit in commits if commit not in unchanged), None)


@cache
def _is_at_least(name: str, change: str) -> bool:
    """Whether a commit contains a change."""
    return git("merge-base", "--is-ancestor", change, name) is not None


def is_older(result: Mapping[str, Any]) -> bool:
    """Whether a result may be older than the last change of the code that trains models.

    Args:
        result: The result; one without a commit counts as older.

    Returns:
        False if there is no history.
    """
    change = last_change()
    if change is None:
        return False
    name = str(result.get("commit") or "").removesuffix(DIRTY)
    return not name or not _is_at_least(name, change)


def mark(results: Iterable[Mapping[str, Any]]) -> str:
    """The mark of a row; empty if all of its results are up to date.

    Args:
        results: The results that the row is made of.
    """
    return MARK if any(map(is_older, results)) else ""


def with_note(words: str) -> str:
    """A table with the line that explains marks, if it has any.

    Args:
        words: The table in Markdown, perhaps with text below.
    """
    return f"{words}\n\n{NOTE}" if MARK in words else words


def without_marks(page: str) -> str:
    """A page without marks and the lines that explain them.

    Args:
        page: Text in Markdown.
    """
    return page.replace(f"\n\n{NOTE}", "").replace(MARK, "")


def changed(pages: Iterable[str]) -> list[str]:
    """Pages that differ from their commit in more than marks.

    Args:
        pages: Paths from the root of the checkout.
    """
    pairs = ((page, git("show", f"HEAD:{page}")) for page in pages)
    return [
        page
        for page, text in pairs
        if text is None or without_marks(text) != without_marks((ROOT / page).read_text().strip())
    ]


if __name__ == "__main__":
    if names := changed(sys.argv[1:]):
        sys.exit(f"{', '.join(names)}: the tables do not follow from the result files")
