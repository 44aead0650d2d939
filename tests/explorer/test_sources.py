"""The committed page is the build of the committed sources."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import unwarp

ROOT = Path(__file__).parents[2]
PAGE = Path(unwarp.__file__).parent / "app" / "explorer" / "page"
SOURCES = ROOT / "explorer"
SETTINGS = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
MAX_BYTES = 800_000


def checksum(path: Path) -> str:
    """The SHA-256 of a text, the same for all line endings."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def build_inputs() -> list[Path]:
    """The files from which the page is built."""
    texts = [path for path in (SOURCES / "src").rglob("*") if path.is_file()]
    return [SOURCES / name for name in SETTINGS] + texts


def built_files() -> list[Path]:
    """The files of the page, without the list of checksums."""
    return [path for path in PAGE.rglob("*") if path.is_file() and path.suffix != ".sha256"]


def test_page_is_built_from_sources() -> None:
    """Checksums of sources and page are those of the last build: else `npm run build` is due."""
    lines = (PAGE / "sources.sha256").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    files = [*build_inputs(), *built_files()]
    assert listed == {path.relative_to(ROOT).as_posix(): checksum(path) for path in files}


def test_page_is_light() -> None:
    """All files together stay within a limit."""
    assert 50_000 < sum(path.stat().st_size for path in built_files()) <= MAX_BYTES


def test_page_has_no_inline_code() -> None:
    """Scripts and styles are files of the page, as its content security policy demands."""
    text = (PAGE / "index.html").read_text()
    assert re.findall(r"<script[^>]* src=\"\./assets/", text)
    assert not re.findall(r"<script(?![^>]* src=\"\./)|<style|\son[a-z]+=|javascript:", text)
    assert not re.findall(r"(?:src|href)=\"(?!\./)", text)


def test_scripts_build_no_code() -> None:
    """No script makes code from strings, which the content security policy forbids."""
    scripts = [path.read_text() for path in built_files() if path.suffix == ".js"]
    assert scripts and not [
        text for text in scripts if re.search(r"\bnew Function\b|\beval\(", text)
    ]


def test_lock_file_names_no_registry() -> None:
    """Packages are fixed by version and checksum, from whichever registry they come."""
    text = (SOURCES / "package-lock.json").read_text()
    assert '"integrity"' in text and '"resolved"' not in text
