"""`Dataset`: named arrays that belong together, and where they come from."""

from __future__ import annotations

import os
from pathlib import Path

from unwarp.errors import DataError


def home(name: str, folder: str | Path | None, url: str) -> Path:
    """The folder that holds the published files of a data set: `folder`, or else `$UNWARP_DATA/<name>`.

    Raises:
        DataError: There is no such folder; the message says where its files come from.
    """
    root = Path(folder).expanduser() if folder else Path(os.environ.get("UNWARP_DATA", "")) / name
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder; put the files of {url} there, set UNWARP_DATA to the folder that holds {name}/, "
            "or pass folder="
        )
    return root
