"""Pictures packed in a `.zip` file, read without unpacking it."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from unwarp.data.form import Output
from unwarp.data.formats.images import Place, is_hidden, is_picture, read_places, refuse_masks
from unwarp.data.formats.registry import hinted_reader
from unwarp.data.hints import Hints
from unwarp.data.source import Source
from unwarp.errors import DataError


def encode_zip(output: Output) -> bytes:
    """Picture files as they came, packed in a `.zip` file.

    Args:
        output: The pictures.
    """
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for name, content in output.form.contents(output.need_pictures(".zip"), output.alpha):
            archive.writestr(name, content)
    return out.getvalue()


@hinted_reader(".zip", description="pictures, packed", encode=encode_zip)
def read_zip(path: Path, hints: Hints) -> Source:
    """Read pictures from a `.zip` file, without unpacking it.

    Args:
        path: The file.
        hints: The user's hints.

    Returns:
        Images (N, C, H, W), as for `read_folder`.

    Raises:
        DataError: The file is damaged, or holds no picture or a path out of its folder; or as for
            `read_folder`.
    """
    try:
        with ZipFile(path) as archive:
            members = [item.filename for item in archive.infolist() if not item.is_dir()]
            pictures = sorted(filter(is_picture, members))
            unsafe = next((name for name in pictures if not _is_inside(name)), None)
            if unsafe is not None:
                raise DataError(f"{path} holds {unsafe!r}, a path out of its folder; pack it again")
            names = [name for name in pictures if not is_hidden(name)]
            if not names:
                raise DataError(f"{path} contains no pictures; pack pictures, or unpack it first")
            refuse_masks(names, str(path))
            places = [Place(name, path, archive, name) for name in dict.fromkeys(names)]
            return read_places(places, str(path), hints)
    except (BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is damaged or no .zip file: {error}; pack it again") from error


def _is_inside(name: str) -> bool:
    """Whether the name of a member is a plain relative path."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not (path.is_absolute() or ".." in path.parts or ":" in path.parts[0])
