"""Paths as users write them: patterns, and arrays in files.

The command line checks a path before it imports torch, and readers take it apart in the same way.
"""

from __future__ import annotations

from glob import glob, has_magic
from pathlib import Path


def split_member(source: str) -> tuple[str, str]:
    """Path of a file, and name of an array in it.

    Args:
        source: A path, or `PATH:NAME` of an array in the file PATH.

    Returns:
        Path and name; the name is empty unless the part before a colon is a file.

    >>> split_member("stack.h5")
    ('stack.h5', '')
    >>> split_member(f"{__file__}:/images/x")[1]
    '/images/x'
    """
    if exists(source):
        return source, ""
    for i in (i for i, mark in enumerate(source) if mark == ":"):
        if source[i + 1 :] and _expand(source[:i]).is_file():
            return source[:i], source[i + 1 :]
    return source, ""


def is_pattern(source: str) -> bool:
    """Whether a path is a pattern, such as `cells/*.tif`, and no file.

    Args:
        source: A path or a pattern.
    """
    return has_magic(source) and not exists(source)


def matches(pattern: str) -> list[Path]:
    """Files that match a pattern, sorted; hidden files are left out.

    Args:
        pattern: A pattern with `*`, `?` or `[...]`; `**` stands for any number of folders.
    """
    paths = map(Path, glob(str(_expand(pattern)), recursive=True))  # noqa: PTH207
    return sorted(path for path in paths if path.is_file())


def root_of(pattern: str) -> Path:
    """The folder above the first wildcard of a pattern.

    Args:
        pattern: A pattern.

    >>> root_of("cells/day 1/*/x?.tif").as_posix()
    'cells/day 1'
    """
    parts = _expand(pattern).parts
    first = next((i for i, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return Path(*parts[:first])


def files_of(source: str) -> list[str]:
    """Files and folders that a source is read from.

    Args:
        source: A path, a pattern, or `PATH:NAME`.

    Returns:
        The path; all matches of a pattern.

    >>> files_of("digits")
    ['digits']
    """
    if is_pattern(source):
        return [str(path) for path in matches(source)]
    return [split_member(source)[0]]


def absolute(source: str) -> str:
    """A source that means the same in every folder.

    Args:
        source: A path, a pattern, or `PATH:NAME`.

    Returns:
        The same with an absolute path, if the path or a match of the pattern exists.
    """
    path, member = split_member(source)
    if not exists(path) and not (is_pattern(path) and matches(path)):
        return source
    return str(_expand(path).absolute() if not exists(path) else _expand(path).resolve()) + (
        f":{member}" if member else ""
    )


def exists(source: str) -> bool:
    """Whether a path exists; `~` is the home folder.

    Args:
        source: The path; an empty text is none.
    """
    return bool(source) and _expand(source).exists()


def _expand(source: str) -> Path:
    """A path with `~` replaced, unless the home folder is unknown."""
    try:
        return Path(source).expanduser()
    except RuntimeError:
        return Path(source)
