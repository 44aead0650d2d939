"""Pictures or series packed in a `.zip` file."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

import numpy as np

from unwarp.data.form import Output
from unwarp.data.formats.images import Place, is_hidden, is_picture, read_places, refuse_masks
from unwarp.data.formats.recordings import is_recording, read_recordings
from unwarp.data.formats.registry import formats, hinted_reader
from unwarp.data.hints import Hints
from unwarp.data.limits import check_expansion, check_size
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


@hinted_reader(".zip", description="pictures or series, packed", encode=encode_zip)
def read_zip(path: Path, hints: Hints) -> Source:
    """Read pictures or series from a `.zip` file.

    Args:
        path: The file.
        hints: The user's hints.

    Returns:
        Images (N, C, H, W), as for `read_folder`; or series, from one file or from a file a
        recording.

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
                return _read_series(archive, path, members, hints)
            refuse_masks(names, str(path))
            places = [Place(name, path, archive, name) for name in dict.fromkeys(names)]
            return read_places(places, str(path), hints)
    except (BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is damaged or no .zip file: {error}; pack it again") from error


def _read_series(archive: ZipFile, path: Path, members: list[str], hints: Hints) -> Source:
    """The series of a packed file, or of several with a recording each."""
    names = [name for name in members if not is_hidden(name) and _is_inside(name)]
    names = [name for name in names if is_recording(name) or _is_series(name)]
    if not names:
        raise DataError(
            f"{path} contains no pictures and no series; pack such files, or unpack it first"
        )
    size = sum(archive.getinfo(name).file_size for name in names)
    check_size(size, f"{path}: its {len(names):,} files")
    check_expansion(size, path.stat().st_size, f"{path}: its {len(names):,} files")
    with TemporaryDirectory() as folder:
        archive.extractall(folder, names)
        try:
            if len(names) > 1:
                files = [Path(folder) / name for name in sorted(names) if is_recording(name)]
                return _in_memory(read_recordings(files, hints, Path(folder)))
            file = Path(folder) / names[0]
            return _in_memory(formats()[file.suffix.lower()].read(file, hints))
        except DataError as error:
            reason = str(error).replace(f"{folder}/", f"{path}:")
            raise DataError(f"{path} contains no pictures, but series: {reason}") from error


def _in_memory(source: Source) -> Source:
    """The source without maps of files that are deleted."""
    is_map = isinstance(source.x, np.memmap)
    return replace(source, x=np.array(source.x)) if is_map else source


def _is_series(name: str) -> bool:
    """Whether a file name is that of a format of series."""
    item = formats().get(Path(name).suffix.lower())
    return item is not None and item.reader is not None and Path(name).suffix.lower() != ".zip"


def _is_inside(name: str) -> bool:
    """Whether the name of a member is a plain relative path."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not (path.is_absolute() or ".." in path.parts or ":" in path.parts[0])
