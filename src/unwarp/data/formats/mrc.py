"""MRC files of electron microscopy: stacks of pictures, mapped from disk.

The package mrcfile reads them.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Form, Output
from unwarp.data.formats.registry import hinted_reader
from unwarp.data.hints import Hints
from unwarp.data.source import Source, describe
from unwarp.errors import DataError

TYPES = ("int8", "int16", "float32", "uint16", "float16")
"""Types of numbers in the format."""


def encode_mrc(output: Output) -> bytes:
    """Pictures as the sections of an MRC file.

    Args:
        output: The pictures.

    Raises:
        DataError: The pictures have several channels.
    """
    import mrcfile

    x = output.need_pictures(".mrc")
    if x.shape[1] != 1:
        raise DataError(
            f"an .mrc file holds pictures of one channel, these have {x.shape[1]}; "
            "write them as .tif"
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stack.mrcs"
        with mrcfile.new(path) as file:
            file.set_data(_as_type(x[:, 0]))
            file.set_image_stack()
            file.voxel_size = output.form.facts.get("voxel_size", 0.0)
        return path.read_bytes()


def _as_type(x: Array) -> Array:
    """Numbers in a type of the format that holds them."""
    if x.dtype.name in TYPES:
        return x
    return x.astype(np.uint16 if x.dtype.kind in "bu" and x.dtype.itemsize == 1 else np.float32)


@hinted_reader(
    ".mrc",
    ".mrcs",
    description="a stack of pictures",
    package="mrcfile",
    install="unwarp[mrc]",
    encode=encode_mrc,
)
def read_mrc(path: Path, hints: Hints) -> Source:
    """Map a stack of pictures from an MRC file, without loading it.

    Args:
        path: The file.
        hints: Not used.

    Returns:
        Pictures (N, H, W) with the dtype of the file.

    Raises:
        DataError: The file is damaged, holds complex numbers, or is a stack of volumes.
    """
    import mrcfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with mrcfile.mmap(path, mode="r") as file:
                x, voxel = file.data, tuple(float(n) for n in file.voxel_size.tolist())
                is_volume = file.is_volume()
    except Exception as error:  # a damaged file makes mrcfile raise nearly anything
        raise DataError(
            f"{path} is damaged or no .mrc file: {' '.join(str(error).split())}; write it again"
        ) from error
    stack = _as_stack(path, x)
    words = describe(stack, domain="image") + ("; sections of a volume" if is_volume else "")
    return Source(stack, None, None, words, "image", form=Form(facts={"voxel_size": voxel}))


def _as_stack(path: Path, x: Any) -> Array:
    """Pictures (N, H, W) in the byte order of the machine."""
    if x is None or x.ndim not in (2, 3) or x.dtype.kind not in "iuf":
        form = "nothing" if x is None else f"{x.dtype} of shape {x.shape}"
        raise DataError(f"{path} holds {form}; give a stack of pictures (N, H, W)")
    x = x[None] if x.ndim == 2 else x
    return np.asarray(x) if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))
