"""MATLAB files of all versions: one array of samples, with labels.

SciPy reads versions 4 to 7, h5py version 7.3. Pictures may be stored as (H, W, N) or (H, W, C, N),
as MATLAB users do, or as (N, H, W).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Form, Output
from unwarp.data.formats.hdf5 import datasets_of
from unwarp.data.formats.members import (
    Shape,
    as_labels,
    choose_labels,
    choose_member,
    sample_axis,
)
from unwarp.data.formats.registry import REGISTRY, hinted_reader
from unwarp.data.hints import Hints
from unwarp.data.limits import check_size
from unwarp.data.source import Source, describe
from unwarp.errors import DataError

MARK_OF_VERSION_7_3 = b"MATLAB 7.3"
"""Start of a file that is an HDF5 file."""

MAX_BYTES_OF_A_NUMBER = 8


def encode_matlab(output: Output) -> bytes:
    """Samples as an array of a MATLAB file, axes as they came.

    Args:
        output: The samples.
    """
    from scipy.io import savemat

    out, axis = io.BytesIO(), output.form.sample_axis
    x = np.moveaxis(output.x, 0, axis) if axis else output.x
    names = np.array([str(name) for name in output.names], dtype=object)
    savemat(out, {"sample": names, output.form.name or "x": x}, do_compression=True)
    return out.getvalue()


@hinted_reader(
    ".mat", description="an array of samples (MATLAB)", encode=encode_matlab, has_members=True
)
def read_matlab(path: Path, hints: Hints) -> Source:
    """Read an array of samples from a MATLAB file.

    Args:
        path: The file.
        hints: The user's hints: the name of the array, and the shape and layout of pictures.

    Returns:
        The samples (N, ...) with the dtype of the file, and their labels, if the file has an array
        `labels` or `y`.

    Raises:
        DataError: The file is damaged, has no array of samples or several, or its axes read two
            ways.
    """
    try:
        shapes, load = _open(path)
        name = choose_member(path, shapes, hints.member)
        check_size(int(np.prod(shapes[name])) * MAX_BYTES_OF_A_NUMBER, f"{path}: {name}")
        x, axis = load(name), 0
    except DataError:
        raise
    except Exception as error:  # a damaged file makes SciPy raise nearly anything
        raise DataError(f"{path} is damaged or no MATLAB file: {error}; write it again") from error
    counts = {n for n in x.shape if choose_labels(shapes, n)}
    if x.ndim == 2 and hints.image_shape:
        raise DataError(
            f"{path}: {name} has shape {x.shape}, and flattened pictures of MATLAB may be stored "
            "row by row or column by column; save pictures as (H, W, N)"
        )
    if x.ndim > 2:
        axis = sample_axis(path, x.shape, counts.pop() if counts else None, hints.image_shape)
    x = np.moveaxis(x, axis, 0)
    label = choose_labels(shapes, len(x))
    labels = as_labels(load(label)) if label else None
    words = f"{describe(x, hints.image_shape, layout=hints.layout)}; array {name}"
    words += f", samples along axis {axis + 1}" if axis else ""
    return Source(x, None, labels, words, form=Form(name=name, sample_axis=axis))


def _open(path: Path) -> tuple[dict[str, Shape], Callable[[str], Array]]:
    """Shapes of the arrays of numbers by name, and a function that loads one."""
    with path.open("rb") as file:
        start = file.read(len(MARK_OF_VERSION_7_3))
    if start == MARK_OF_VERSION_7_3:
        return _open_version_7_3(path)
    from scipy.io import loadmat, whosmat

    numbers = {"logical", *(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64))}
    numbers |= {"double", "single"}
    shapes = {name: tuple(shape) for name, shape, kind in whosmat(path) if kind in numbers}

    def load(name: str) -> Array:
        values = np.asarray(loadmat(path, variable_names=[name])[name])
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    return shapes, load


def _open_version_7_3(path: Path) -> tuple[dict[str, Shape], Callable[[str], Array]]:
    """The same for a file of version 7.3, whose axes are in reverse order."""
    REGISTRY[".h5"].check_package(f"{path}: reading MATLAB files of version 7.3")
    import h5py

    def load(name: str) -> Array:
        with h5py.File(path, "r") as file:
            values: Any = file[name][()]
        return np.asarray(values).T

    with h5py.File(path, "r") as file:
        sets = datasets_of(file)
        shapes = {
            name: tuple(item.shape[::-1]) for name, item in sets.items() if not name.startswith("#")
        }
    return shapes, load
