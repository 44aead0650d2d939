"""Reading of samples from a folder of pictures or from a file.

The estimator, the command line and `unwarp.data.read` all call the function `read`.
"""

from __future__ import annotations

from pathlib import Path

from unwarp.data.formats.images import IMAGE_SUFFIXES, class_names, read_folder
from unwarp.data.formats.registry import formats
from unwarp.data.source import Source, describe
from unwarp.errors import DataError, missing_source_error
from unwarp.storage import expand


def read(source: str | Path) -> Source:
    """Read a folder of pictures, or a file of series or arrays.

    The suffix of the file name, in upper or lower case, selects the format; the command
    `unwarp info` lists the suffixes. A user's module can add a format with the decorator
    `unwarp.data.formats.registry.reader`. No file is ever unpickled.

    Args:
        source: The path; `~` is the home folder.

    Returns:
        The samples, with the labels, names and time stamps that the file contains. For a folder,
        the names are the paths of the pictures. If every picture is in a direct subfolder, the
        names of the subfolders are the labels.

    Raises:
        DataError: The path does not exist or cannot be read, the format is not supported, the file
            is damaged or contains Python objects, or its arrays do not fit together.
        ConfigError: `source` is no path, or the home folder is unknown.
    """
    path = expand(source)
    try:
        return _read(source, path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{source} cannot be read: {reason}; check the path") from error


def _read(source: str | Path, path: Path) -> Source:
    """Read a path; `source` is the path as the user wrote it, for messages."""
    registered = formats()
    suffixes = ", ".join(sorted(filter(None, registered)))
    if not str(source) or not path.exists():
        raise missing_source_error(source, suffixes)
    if path.is_dir():
        x, names = read_folder(path)
        return Source(x, names, class_names(names), describe(x, x.shape[1:]))
    if not path.is_file():
        raise DataError(
            f"{path} is neither a file nor a folder but a pipe, a device or a socket; "
            "save the data to a file"
        )
    file_format = registered.get(path.suffix.lower())
    if file_format is None or not (file_format.accepts is None or file_format.accepts(path)):
        is_picture = path.suffix.lower() in IMAGE_SUFFIXES
        mend = "for pictures, give their folder" if is_picture else "convert it to one of these"
        raise DataError(
            f"{path} is not in a supported format; supported are a folder of pictures, "
            f"{suffixes}; {mend}"
        )
    return file_format.read(path)
