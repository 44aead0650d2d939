"""A path of a user as arrays: a folder of pictures, or a file of a registered format."""

from __future__ import annotations

from pathlib import Path

from unwarp.data.formats.images import SUFFIXES, class_names, read_folder
from unwarp.data.formats.registry import formats
from unwarp.data.source import Source, describe
from unwarp.errors import DataError, no_such_source


def read(source: str | Path) -> Source:
    """The samples at `source`: a folder of pictures, or a file of one of the `formats`.

    `unwarp info` lists the formats; a module of yours registers more with `reader`.

    Raises:
        DataError: Nothing there, an unknown or damaged file, Python objects in it, or arrays that do not fit together.
    """
    path, members = Path(source).expanduser(), formats()
    suffixes = ", ".join(sorted(filter(None, members)))
    if not str(source) or not path.exists():
        raise no_such_source(source, suffixes)
    if path.is_dir():
        x, names = read_folder(path)
        return Source(x, names, class_names(names), describe(x, x.shape[1:]))
    member = members.get(path.suffix.lower())
    if member is None or not (member.accepts is None or member.accepts(path)):
        mend = (
            "for pictures, give their folder" if path.suffix.lower() in SUFFIXES else "convert it"
        )
        raise DataError(f"{path} is not of a known kind; known are a folder, {suffixes}: {mend}")
    return member.read(path)
