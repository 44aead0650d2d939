"""Pictures of many files as one array.

The files lie in a folder or a `.zip` file, match a pattern, or are listed. Each gives one picture,
or several: the frames of an animation, the pages of a stack. Pictures may differ in their numbers
of channels, and in size if the user says how to bring them to one.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.form import Form, Picture, white_of, widen
from unwarp.data.formats.registry import formats
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.limits import check_size
from unwarp.data.sizes import Sizing
from unwarp.data.source import Source, describe
from unwarp.errors import DataError

IMAGE_FOLDERS = frozenset(
    ("data", "frames", "image", "images", "imgs", "img", "input", "inputs", "pictures", "raw")
)
"""Names of folders, in lower case, that hold pictures beside a folder of masks."""

MASK_FOLDERS = frozenset(
    (
        "annotations",
        "ground_truth",
        "groundtruth",
        "gt",
        "label",
        "labels",
        "mask",
        "masks",
        "seg",
        "segmentation",
        "segmentations",
    )
)
"""Names of folders, in lower case, that hold masks of the pictures in another folder."""


@dataclass(frozen=True)
class Place:
    """A file of pictures, on the disk or in a `.zip` file.

    Attributes:
        name: Its name in the collection, with forward slashes.
        path: Its path, or that of the `.zip` file.
        archive: The opened `.zip` file; None for a file on the disk.
        member: Its name in the `.zip` file.
    """

    name: str
    path: Path
    archive: ZipFile | None = None
    member: str = ""

    @property
    def address(self) -> str:
        """Where the file is, in words."""
        return f"{self.path}:{self.member}" if self.archive else str(self.path)

    def open(self) -> BinaryIO:
        """The opened file.

        Raises:
            DataError: The member of the `.zip` file is damaged, encrypted or too large.
        """
        if self.archive is None:
            return self.path.open("rb")
        check_size(self.archive.getinfo(self.member).file_size, self.address)
        try:
            return io.BytesIO(self.archive.read(self.member))
        except (BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
            raise DataError(
                f"{self.address} cannot be read: {error}; pack the archive again, without a "
                "password"
            ) from error
        except Exception as error:  # the unpackers raise errors of their own
            raise DataError(f"{self.address} is damaged: {error}; pack it again") from error


def picture_suffixes() -> tuple[str, ...]:
    """Suffixes of picture files, in lower case."""
    return tuple(suffix for suffix, item in formats().items() if item.decode is not None)


def is_picture(path: str | Path) -> bool:
    """Whether the suffix of a path is that of a picture file.

    Args:
        path: The path.
    """
    return Path(path).suffix.lower() in picture_suffixes()


def read_folder(folder: str | Path, hints: Hints = NO_HINTS) -> Source:
    """Read all pictures in a folder and its subfolders, sorted by path.

    Hidden files and files with other suffixes are skipped.

    Args:
        folder: The folder.
        hints: The user's hints.

    Returns:
        Images (N, C, H, W) in the dtype of the files, with their paths relative to `folder` as
        names. If every picture is in a direct subfolder, the subfolders are the labels.

    Raises:
        DataError: The folder has no picture, pictures and their masks lie side by side, pictures
            differ in size or dtype, or a file is damaged.
    """
    places = folder_places(Path(folder))
    return read_places(places, str(folder), hints)


def folder_places(folder: Path) -> list[Place]:
    """All files of pictures in a folder, sorted by path.

    Those of subfolders count, hidden ones do not.

    Args:
        folder: The folder.

    Raises:
        DataError: There are none, or pictures and their masks lie side by side.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds the pictures")
    paths = (path for path in folder.rglob("*") if path.is_file() and is_picture(path))
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    names = [name for name in names if not is_hidden(name)]
    if not names:
        raise DataError(
            f"{folder} contains no pictures; supported suffixes are {', '.join(picture_suffixes())}"
        )
    refuse_masks(names, str(folder))
    return [Place(name, folder / name) for name in names]


def read_files(paths: Sequence[str | Path], hints: Hints = NO_HINTS, root: str = "") -> Source:
    """Read pictures from files.

    Args:
        paths: The files, in the order of the result.
        hints: The user's hints.
        root: Folder that names are relative to; empty for the deepest one that holds all files.

    Returns:
        Images (N, C, H, W), as for `read_folder`.

    Raises:
        DataError: A file is no picture, or as for `read_folder`.
    """
    return read_places(*file_places(paths, root), hints)


def file_places(paths: Sequence[str | Path], root: str = "") -> tuple[list[Place], str]:
    """Files of pictures, and the collection in words.

    Args:
        paths: The files, in the order of the result.
        root: Folder that names are relative to; empty for the deepest one that holds all files.

    Raises:
        DataError: A file is no picture.
    """
    files = [Path(path).expanduser() for path in paths]
    strange = next((path for path in files if not (path.is_file() and is_picture(path))), None)
    if strange is not None:
        raise DataError(
            f"{strange} is no picture file; supported suffixes are {', '.join(picture_suffixes())}"
        )
    base = Path(root or os.path.commonpath([path.parent.resolve() for path in files]))
    names = [Path(os.path.relpath(path.resolve(), base.resolve())).as_posix() for path in files]
    places = [Place(name, path) for name, path in zip(names, files, strict=True)]
    return places, str(files[0]) if len(files) == 1 else str(base)


def is_hidden(name: str) -> bool:
    """Whether a file or a folder above it is hidden.

    Args:
        name: Path relative to the collection, with forward slashes.
    """
    parts = PurePosixPath(name).parts
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)


def refuse_masks(names: Iterable[str], where: str) -> None:
    """Refuse a folder of pictures beside a folder of their masks.

    Args:
        names: Paths of pictures relative to the collection (N), with forward slashes.
        where: The collection in words, for the error.

    Raises:
        DataError: There are two such folders.
    """
    folders: dict[tuple[str, ...], set[str]] = {}
    for name in names:
        *parents, _ = PurePosixPath(name).parts
        for k, part in enumerate(parents):
            folders.setdefault(tuple(parents[:k]), set()).add(part)
    for above, parts in sorted(folders.items()):
        masks = sorted(part for part in parts if part.lower() in MASK_FOLDERS)
        pictures = sorted(part for part in parts if part.lower() in IMAGE_FOLDERS)
        if masks and pictures:
            place = "/".join((where, *above))
            raise DataError(
                f"{place} holds {pictures[0]}/ and {masks[0]}/, which look like pictures and their "
                f"masks; give {place}/{pictures[0]} to learn from, and move {masks[0]}/ along with "
                f"align(X, other=masks); to read both, give the pattern {place}/*/*"
            )


def read_places(places: Sequence[Place], where: str, hints: Hints) -> Source:
    """Read pictures from opened places.

    Args:
        places: Files of pictures, in the order of the result.
        where: The collection in words, for errors.
        hints: The user's hints.

    Returns:
        Images (N, C, H, W), as for `read_folder`.

    Raises:
        DataError: As for `read_folder`.
    """
    names, files, pictures = _decode_all(places, where, hints)
    sizing = find_sizing(pictures, where, hints)
    decisions = [sizing.description, *decisions_on(pictures)]
    form = Form(files, [picture.mode for picture in pictures], sizing if sizing.is_needed else None)
    x, alpha = _stack(pictures, sizing, where)
    words = "; ".join(filter(None, [describe(x, layout="channels_first"), *decisions]))
    form = Form(form.files, form.modes, form.sizing, alpha)
    source = Source(x, names, class_names(files), words, "image", form=form)
    return replace(source, layout="channels_first")


def _decode_all(
    places: Sequence[Place], where: str, hints: Hints
) -> tuple[list[str], list[str], list[Picture]]:
    """Names, files and pixels of all pictures, each file decoded once."""
    names, files = [], []
    pictures: list[Picture] = []
    tray: Array | None = None
    for row, place in enumerate(places):
        frames = decode_place(place, hints, len(places) == 1)
        if not pictures:
            n_bytes = sum(frame.pixels.nbytes for frame in frames) * (len(places) - 1)
            check_size(n_bytes, f"{where}: its {len(places):,} pictures")
            tray = _tray_for(frames, len(places))
        frames = _lay(frames, row, tray)
        frames = _share_modes(frames, pictures[-1] if pictures else None)
        is_single = len(frames) == 1
        names += [place.name if is_single else f"{place.name}[{k}]" for k in range(len(frames))]
        files += [place.name] * len(frames)
        pictures += frames
    return names, files, pictures


def _tray_for(frames: list[Picture], n: int) -> Array | None:
    """An empty array (N, C, H, W) for pictures like the first; None if that has several frames."""
    return (
        None if len(frames) > 1 else np.empty((n, *frames[0].pixels.shape), frames[0].pixels.dtype)
    )


def _lay(frames: list[Picture], row: int, tray: Array | None) -> list[Picture]:
    """Pictures, laid in a row of an array if they fit, so that they need no other memory."""
    if tray is None or len(tray) < 2 or len(frames) > 1 or frames[0].alpha is not None:
        return frames
    pixels = frames[0].pixels
    if pixels.shape != tray.shape[1:] or pixels.dtype != tray.dtype:
        return frames
    tray[row] = pixels
    return [replace(frames[0], pixels=tray[row], stack=tray)]


def _share_modes(frames: list[Picture], last: Picture | None) -> list[Picture]:
    """Pictures with the mode of an earlier one if it is equal, to save memory."""
    if last is None or not all(frame.mode == last.mode for frame in frames):
        return frames
    return [replace(frame, mode=last.mode) for frame in frames]


def decode_place(place: Place, hints: Hints, is_alone: bool) -> list[Picture]:
    """The pictures of a place.

    Args:
        place: A file of pictures.
        hints: The user's hints.
        is_alone: Whether the user gave this file alone.

    Raises:
        DataError: The file is damaged.
    """
    decode = formats()[Path(place.name).suffix.lower()].decode
    assert decode is not None  # `is_picture` has checked it
    with place.open() as stream:
        return decode(stream, place.address, hints, is_alone)


def find_sizing(pictures: list[Picture], where: str, hints: Hints) -> Sizing:
    """The sizing of pictures.

    Args:
        pictures: All pictures.
        where: The collection in words, for errors.
        hints: The user's hints.

    Raises:
        DataError: The pictures differ in size, and no hint says how to bring them to one.
    """
    shapes = [(picture.pixels.shape[1], picture.pixels.shape[2]) for picture in pictures]
    try:
        return Sizing.of(shapes, hints.sizes, hints.frame)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def decisions_on(pictures: list[Picture]) -> Iterator[str]:
    """What was decided about the channels of pictures, in words."""
    if any(getattr(picture.mode, "palette", ()) for picture in pictures):
        yield "palettes read as colours"
    if any(picture.alpha is not None for picture in pictures):
        yield "transparent pixels over black"
    if len({len(picture.pixels) for picture in pictures}) > 1:
        yield "grey pictures read as colour"


def _stack(pictures: list[Picture], sizing: Sizing, where: str) -> tuple[Array, Array | None]:
    """Pictures (N, C, H, W) and their alpha channels; empties the list, to save memory."""
    channels, dtype = common_type(pictures, where)
    whole = pictures[0].stack
    is_whole = whole is not None and all(picture.stack is whole for picture in pictures)
    if is_whole and whole is not None and len(whole) == len(pictures) and not sizing.is_needed:
        return whole, None
    n, size, alpha = len(pictures), sizing.size, None
    check_size(n * channels * size[0] * size[1] * dtype.itemsize, f"{where}: its {n:,} pictures")
    x = np.empty((n, channels, *size), dtype)
    if any(picture.alpha is not None for picture in pictures):
        alpha = np.full((n, *size), white_of(dtype), dtype)
    for row in reversed(range(n)):
        picture = pictures.pop()
        x[row] = sizing.apply(row, widen(picture.pixels, channels, dtype))
        if picture.alpha is not None and alpha is not None:
            alpha[row] = sizing.apply(row, picture.alpha[None], fill=0)[0]
    return x, alpha


def common_type(pictures: list[Picture], where: str) -> tuple[int, np.dtype[Any]]:
    """Number of channels and dtype that all pictures can have.

    Args:
        pictures: All pictures.
        where: The collection in words, for errors.

    Raises:
        DataError: The pictures differ in channels or in type.
    """
    channels = {len(picture.pixels) for picture in pictures}
    dtypes = {picture.pixels.dtype for picture in pictures}
    if len(channels) > 1 and channels != {1, 3}:
        counts = ", ".join(map(str, sorted(channels)))
        raise DataError(f"{where}: the pictures have {counts} channels; give those of one number")
    wide = np.dtype(np.uint16)
    if len(dtypes) > 1 and dtypes != {np.dtype(np.uint8), wide}:
        words = ", ".join(sorted(map(str, dtypes)))
        raise DataError(
            f"{where}: the pictures are of several types ({words}), whose values cannot be "
            "compared; save all as one type"
        )
    return max(channels), wide if len(dtypes) > 1 else dtypes.pop()


def class_names(names: list[str]) -> NDArray[np.str_] | None:
    """Labels of pictures: the names of their subfolders.

    Args:
        names: Paths of pictures relative to a folder (N), with forward slashes.

    Returns:
        Labels (N,); None unless every picture is in a direct subfolder of the folder.

    >>> class_names(["cat/1.png", "dog/1.png"])
    array(['cat', 'dog'], dtype='<U3')
    """
    if all(name.count("/") == 1 for name in names):
        return np.array([name.split("/")[0] for name in names], dtype=np.str_)
    return None
