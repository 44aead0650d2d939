"""Folders with the published files of data sets.

The library downloads nothing. It reads the files from a folder that the user names, or from the
subfolder with the name of the data set in the folder `$UNWARP_DATA` (an environment variable).
"""

from __future__ import annotations

import os
from pathlib import Path

from unwarp.errors import DataError


def published_folder(name: str, folder: str | Path | None, url: str) -> Path:
    """The folder with the published files of a data set.

    Args:
        name: Name of the data set and of its subfolder in `$UNWARP_DATA`.
        folder: The folder, `~` allowed; None for `$UNWARP_DATA/<name>`.
        url: Address of the published files, for the error.

    Returns:
        An existing folder; its files are not checked.

    Raises:
        DataError: The folder does not exist; the message says where to get the files.
    """
    root = Path(folder).expanduser() if folder else Path(os.environ.get("UNWARP_DATA", "")) / name
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder; put the files of {url} there, set UNWARP_DATA to the folder "
            f"that holds {name}/, or pass folder="
        )
    return root
