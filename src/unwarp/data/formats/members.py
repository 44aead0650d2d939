"""Choice of one array among those of an HDF5 or MATLAB file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unwarp.core import Array
from unwarp.data.formats.numpy_files import LABEL_KEYS
from unwarp.errors import DataError

MAX_NAMES_IN_MESSAGE = 12
"""Largest number of arrays that a message lists."""

Shape = tuple[int, ...]


def choose_member(path: Path, shapes: Mapping[str, Shape], member: str) -> str:
    """The name of the array of samples in a file.

    Args:
        path: The file, for errors.
        shapes: Shape of each array of numbers in the file, by name.
        member: Name that the user gave; empty if none.

    Returns:
        The given name; else the only array of pictures (3 or 4 axes), or, if there is none, the
        only one with two axes.

    Raises:
        DataError: There is no such array, or several fit.

    >>> choose_member(Path("a.h5"), {"x": (5, 8, 8), "y": (5,)}, "")
    'x'
    """
    if member:
        names = [name for name in shapes if name.strip("/") == member.strip("/")]
        if not names:
            raise DataError(f"{path} has no array {member!r}; it holds {_listed(shapes)}")
        return names[0]
    pictures = [name for name, shape in shapes.items() if len(shape) in (3, 4)]
    tables = [name for name, shape in shapes.items() if len(shape) == 2 and min(shape) > 1]
    names = [name for name in pictures or tables if _last(name) not in LABEL_KEYS]
    if len(names) == 1:
        return names[0]
    reason = f"holds {len(names)} arrays of samples" if names else "holds no array of samples"
    mend = f"name one, as {path}:{names[0]}" if names else "save pictures as (N, H, W)"
    raise DataError(f"{path} {reason}: {_listed(shapes)}; {mend}")


def choose_labels(shapes: Mapping[str, Shape], count: int) -> str:
    """The name of the array of labels; empty if there is none.

    Args:
        shapes: Shape of each array in the file, by name.
        count: Number of samples.
    """
    names = (name for name in shapes if _last(name) in LABEL_KEYS)
    return next((name for name in names if _is_vector(shapes[name], count)), "")


def _is_vector(shape: Shape, count: int) -> bool:
    return max(shape, default=0) == count and sum(n > 1 for n in shape) <= 1


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _listed(shapes: Mapping[str, Shape]) -> str:
    """Names and shapes for a message."""
    words = [f"{name} {shape}" for name, shape in list(shapes.items())[:MAX_NAMES_IN_MESSAGE]]
    more = len(shapes) - len(words)
    return (", ".join(words) or "no array of numbers") + (f" and {more} more" if more > 0 else "")


def sample_axis(path: Path, shape: Shape, labels: int | None, image_shape: Shape | None) -> int:
    """The axis of an array that counts samples, first or last.

    MATLAB users store pictures as (H, W, N) or (H, W, C, N), others as (N, H, W).

    Args:
        path: The file, for errors.
        shape: Shape of the array, with 3 or 4 axes.
        labels: Number of labels in the file; None if there are none.
        image_shape: Shape (H, W) or (C, H, W) that the user gave; None if unknown.

    Returns:
        0, or the number of axes less 1.

    Raises:
        DataError: Both readings are possible.

    >>> sample_axis(Path("a.mat"), (28, 28, 1000), None, None)
    2
    """
    last = len(shape) - 1
    readings = {0: shape[1:], last: shape[:-1]}
    possible = [axis for axis in readings if labels in (None, shape[axis])]
    if len(possible) == 2 and image_shape:
        size = image_shape[-2:]
        possible = [axis for axis in possible if size in _sizes(readings[axis])]
    elif len(possible) == 2:
        possible = [axis for axis in possible if any(h == w for h, w in _sizes(readings[axis]))]
    if len(possible) == 1:
        return possible[0]
    first_size, last_size = (_sizes(readings[axis])[0] for axis in (0, last))
    raise DataError(
        f"{path} holds an array {shape}, which reads two ways: {shape[0]} pictures of "
        f"{first_size[0]} x {first_size[1]} (image_shape={first_size}), or {shape[-1]} pictures of "
        f"{last_size[0]} x {last_size[1]} (image_shape={last_size}); set image_shape to one of "
        "them, or store the samples along the first axis"
    )


def _sizes(shape: Shape) -> list[tuple[int, int]]:
    """Heights and widths that a picture with two or three axes may have."""
    if len(shape) == 2:
        return [(shape[0], shape[1])]
    is_first = shape[0] < min(shape[1:])
    pairs = [(shape[1], shape[2]), (shape[0], shape[1])]
    return pairs[:1] if is_first else pairs[1:]


def as_labels(values: Array) -> Array:
    """Labels (N,) from an array of N numbers.

    Args:
        values: The array.
    """
    return values.reshape(-1)
