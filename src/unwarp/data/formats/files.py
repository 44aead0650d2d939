"""Reading of samples from folders, files, patterns and arrays in files.

The estimator, the command line and `unwarp.data.read` all call the function `read`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unwarp.data.formats.images import (
    Place,
    file_places,
    folder_places,
    is_picture,
    read_files,
    read_folder,
)
from unwarp.data.formats.recordings import is_recording, read_recordings, recordings_in
from unwarp.data.formats.registry import Format, formats
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.part_folder import is_part_folder
from unwarp.data.shards import read_shards
from unwarp.data.source import Source
from unwarp.disk.paths import exists, is_pattern, matches, root_of, split_member
from unwarp.errors import DataError, missing_source_error
from unwarp.storage.files import expand


def read(source: str | Path, hints: Hints = NO_HINTS) -> Source:
    """Read a folder, a pattern or a file.

    The suffix of the file name, in upper or lower case, selects the format; the command
    `unwarp info` lists the suffixes. A user's module can add a format with the decorator
    `unwarp.data.formats.registry.reader`. No file is ever unpickled.

    Args:
        source: A folder, a file, a pattern such as `cells/*.tif`, or `FILE:NAME` of an array in a
            file; `~` is the home folder.
        hints: The user's hints on pictures that read two ways.

    Returns:
        The samples, with the labels, names and time stamps that the file contains. For pictures,
        the names are the paths of their files. If every picture is in a direct subfolder, the
        names of the subfolders are the labels.

    Raises:
        DataError: The path does not exist or cannot be read, the format is not supported, the file
            is damaged or contains Python objects, or its arrays do not fit together.
        ConfigError: `source` is no path, or the home folder is unknown.
    """
    expand(source)  # refuses objects that are no paths
    try:
        return _read(source, hints)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{source} cannot be read: {reason}; check the path") from error


def _read(source: str | Path, hints: Hints) -> Source:
    """Read a path; `source` is the path as the user wrote it."""
    text, registered = str(source), formats()
    suffixes = ", ".join(sorted(filter(None, registered)))
    if is_pattern(text) and (paths := matches(text)):
        return _read_matches(text, paths, hints)
    text, member = split_member(text)
    path = Path(text).expanduser()
    if not exists(text):
        raise missing_source_error(source, suffixes)
    if path.is_dir():
        return _read_folder(path, hints)
    if not path.is_file():
        raise DataError(
            f"{path} is neither a file nor a folder but a pipe, a device or a socket; "
            "save the data to a file"
        )
    if is_picture(path):
        _refuse_member(path, member)
        return read_files([path], hints)
    file_format = _format_of(path, registered)
    if not file_format.has_members:
        _refuse_member(path, member)
    return file_format.read(path, replace(hints, member=member))


def _read_folder(folder: Path, hints: Hints) -> Source:
    """Open a folder of shards, or read pictures, or a recording from each file."""
    if is_part_folder(folder):
        return read_shards(folder)
    has_pictures = any(is_picture(path) for path in folder.rglob("*"))
    recordings = [] if has_pictures else recordings_in(folder)
    return read_recordings(recordings, hints, folder) if recordings else read_folder(folder, hints)


def picture_places(source: str | Path) -> tuple[list[Place], str] | None:
    """The files of pictures of a folder or a pattern, not read.

    Args:
        source: A path or a pattern.

    Returns:
        The files in their order, and the collection in words; None for a source that is no folder
        of pictures and no pattern of several pictures.

    Raises:
        DataError: Pictures and their masks lie side by side.
    """
    text = str(source)
    paths = [path for path in matches(text) if is_picture(path)] if is_pattern(text) else []
    if paths:
        return file_places(paths, str(root_of(text)))
    folder = Path(text).expanduser()
    if not folder.is_dir() or is_part_folder(folder):
        return None
    has_pictures = any(is_picture(path) for path in folder.rglob("*"))
    return (folder_places(folder), str(folder)) if has_pictures else None


def _format_of(path: Path, registered: dict[str, Format]) -> Format:
    """The format of a file; of several without a suffix, the one that accepts it."""
    file_format = registered.get(path.suffix.lower())
    if file_format is not None and file_format.accepts and not file_format.accepts(path):
        readers = (item for item in registered.values() if item.accepts and item.accepts(path))
        file_format = None if path.suffix else next(readers, None)
    if file_format is None:
        raise DataError(
            f"{path} is not in a supported format; supported are a folder of pictures, "
            f"{', '.join(filter(None, registered))}; convert it to one of these"
        )
    return file_format


def _refuse_member(path: Path, member: str) -> None:
    """Refuse the name of an array in a file whose arrays have no names."""
    if member:
        raise DataError(f"{path} holds no array {member!r}; leave ':{member}' out")


def _read_matches(pattern: str, paths: list[Path], hints: Hints) -> Source:
    """Read the files of pictures or recordings that match a pattern."""
    pictures = [path for path in paths if is_picture(path)]
    if not pictures and len(paths) == 1:
        return read(paths[0], hints)
    recordings = [path for path in paths if is_recording(path)]
    if not pictures and recordings:
        return read_recordings(recordings, hints, root_of(pattern))
    if not pictures:
        raise DataError(
            f"{pattern} matches {len(paths)} files, but no picture; a pattern gives one collection "
            "of pictures or of recordings, or one file"
        )
    return read_files(pictures, hints, str(root_of(pattern)))
