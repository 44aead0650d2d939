"""MNIST in its published IDX files: 70,000 handwritten digits, 28 x 28.

Reference:
    LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.datasets.folders import published_folder
from unwarp.errors import DataError
from unwarp.range_kinds import Choice

IMAGE_MAGIC, LABEL_MAGIC = 2051, 2049
"""First number of an IDX file: of a file of images (three axes), and of a file of labels (one)."""

PREFIXES = {"train": "train", "test": "t10k"}
"""Start of the file names of each part."""

URL = "https://ossci-datasets.s3.amazonaws.com/mnist"


def read_idx(path: Path, magic: int) -> np.ndarray[Any, Any]:
    """Read a gzipped IDX file.

    Args:
        path: The file.
        magic: Number that the file must start with, `IMAGE_MAGIC` or `LABEL_MAGIC`.

    Returns:
        Images (N, H, W) or labels (N,), uint8.

    Raises:
        DataError: The file cannot be decompressed, starts with another number, or has more or fewer
            bytes than its header says.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as a gzip file ({error}); fetch it again"
        ) from error
    first = struct.unpack(">i", raw[:4])[0] if len(raw) >= 8 else None
    if first != magic:
        raise DataError(
            f"{path} starts with {first}, an IDX file of this type starts with {magic}; "
            "fetch it again"
        )
    n_axes = 3 if magic == IMAGE_MAGIC else 1
    if len(raw) < 4 + 4 * n_axes:
        raise DataError(f"{path} ends within its header; fetch it again")
    shape = struct.unpack(f">{n_axes}i", raw[4 : 4 + 4 * n_axes])
    values = np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes)
    if values.size != int(np.prod(shape)):
        raise DataError(
            f"{path} announces an array {shape}, it has {values.size} bytes; fetch it again"
        )
    return values.reshape(shape)


def read_part(root: Path, part: str) -> tuple[Tensor, np.ndarray[Any, Any]]:
    """Read the images and the labels of a part.

    Args:
        root: Folder with the four files of MNIST, or of a data set with the same file names.
        part: `train` or `test`.

    Returns:
        Images (N, 1, H, W) in [0, 1], float32, and classes (N,), int64.

    Raises:
        DataError: The part is unknown, or a file is missing or damaged.
    """
    if not Choice(tuple(PREFIXES)).allows(part):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    x = read_idx(root / f"{PREFIXES[part]}-images-idx3-ubyte.gz", IMAGE_MAGIC)
    labels = read_idx(root / f"{PREFIXES[part]}-labels-idx1-ubyte.gz", LABEL_MAGIC)
    if len(x) != len(labels):
        raise DataError(
            f"{root}: {len(x)} images and {len(labels)} labels for {part}; fetch the files again"
        )
    return torch.from_numpy(x.astype(np.float32) / 255)[:, None], labels.astype(np.int64)


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Load upright digits, 60,000 for training and 10,000 for testing.

    Args:
        part: `train` or `test`.
        folder: Folder with the four gzipped files; None for `$UNWARP_DATA/mnist`.

    Returns:
        Images (N, 1, 28, 28) in [0, 1] with labels 0 to 9. The licence is CC BY-SA 3.0.

    Raises:
        DataError: The part is unknown, or the folder or a file is missing or damaged.
    """
    x, labels = read_part(published_folder("mnist", folder, URL), part)
    return Dataset(x, "mnist", "MNIST (LeCun, Cortes, Burges)", "CC BY-SA 3.0", labels)
