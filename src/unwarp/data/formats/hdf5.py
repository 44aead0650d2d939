"""HDF5 files: one array of samples.

The package h5py reads them. An array in one piece is mapped from disk. `file.h5:/group/name` names
the array; without a name it is the only one that fits.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unwarp.core import Array
from unwarp.data.blocks import row_blocks
from unwarp.data.form import Form, Output
from unwarp.data.formats.members import as_labels, choose_labels, choose_member
from unwarp.data.formats.registry import hinted_reader
from unwarp.data.hints import Hints
from unwarp.data.limits import check_expansion, check_size
from unwarp.data.source import Source, describe
from unwarp.disk.files import Write
from unwarp.errors import DataError

DEFAULT_NAME = "x"
"""Name of the array in a new file."""


def encode_hdf5(output: Output) -> Write:
    """A function that writes samples as an array of an HDF5 file.

    Args:
        output: The samples.
    """
    import h5py

    def write(stream: BinaryIO) -> None:
        with h5py.File(stream, "w") as file:
            file.create_dataset("sample", data=[str(name) for name in output.names])
            x = np.asanyarray(output.x)
            samples = file.create_dataset(output.form.name or DEFAULT_NAME, x.shape, x.dtype)
            for rows in row_blocks(x):
                samples[rows] = x[rows]

    return write


@hinted_reader(
    ".h5",
    ".hdf5",
    description="an array of samples",
    package="h5py",
    install="unwarp[hdf5]",
    encode=encode_hdf5,
    has_members=True,
)
def read_hdf5(path: Path, hints: Hints) -> Source:
    """Read an array of samples from an HDF5 file.

    Args:
        path: The file.
        hints: The user's hints: the name of the array, and the layout of pictures.

    Returns:
        The samples (N, ...) with the dtype of the file; a memory map if they are stored in one
        piece. Their labels, if the file has an array `labels` or `y`.

    Raises:
        DataError: The file is damaged, or has no array of samples, or several.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            sets = datasets_of(file)
            shapes = {name: tuple(item.shape) for name, item in sets.items()}
            name = choose_member(path, shapes, hints.member)
            x = read_dataset(path, sets[name])
            label = choose_labels(shapes, len(x))
            labels = as_labels(sets[label][()]) if label else None
    except DataError:
        raise
    except Exception as error:  # a damaged file makes h5py raise nearly anything
        raise DataError(f"{path} is damaged or no HDF5 file: {error}; write it again") from error
    words = f"{describe(x, hints.image_shape, layout=hints.layout)}; array {name}"
    return Source(x, None, labels, words, form=Form(name=name))


def datasets_of(file: Any) -> dict[str, Any]:
    """The arrays of numbers in an HDF5 file, by name.

    Args:
        file: The opened file, or a group of it.
    """
    import h5py

    sets: dict[str, Any] = {}

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape and item.dtype.kind in "biuf":
            sets[name] = item

    file.visititems(add)
    return sets


def read_dataset(path: Path, dataset: Any) -> Array:
    """The values of an array, mapped from disk if possible.

    Args:
        path: The file.
        dataset: The array, as h5py opens it.

    Raises:
        DataError: It does not fit in the memory.
    """
    offset = None if dataset.chunks or dataset.external else dataset.id.get_offset()
    if offset is not None and math.prod(dataset.shape):
        return np.memmap(path, dataset.dtype, "r", offset, dataset.shape)
    n_bytes, noun = math.prod(dataset.shape) * dataset.dtype.itemsize, f"{path}: {dataset.name}"
    check_size(n_bytes, noun)
    if not (dataset.is_virtual or dataset.external):  # the values of such arrays are in other files
        check_expansion(n_bytes, dataset.id.get_storage_size(), noun)
    return np.asarray(dataset[()])
