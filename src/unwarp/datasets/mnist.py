"""MNIST in its published IDX files, from a folder or from `$UNWARP_DATA/mnist`."""

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
from unwarp.datasets.home import home
from unwarp.errors import DataError

IMAGES, LABELS = 2051, 2049
PREFIX = {"train": "train", "test": "t10k"}
URL = "https://ossci-datasets.s3.amazonaws.com/mnist"


def read_idx(path: Path, magic: int) -> np.ndarray[Any, Any]:
    """The array of a gzipped IDX file.

    Raises:
        DataError: Not such a file, a wrong magic number, or bytes missing.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as a gzip file ({error}); fetch it again"
        ) from error
    found = struct.unpack(">i", raw[:4])[0] if len(raw) >= 8 else None
    if found != magic:
        raise DataError(
            f"{path} starts with {found}, an IDX file of this kind starts with {magic}; fetch it again"
        )
    n_axes = 3 if magic == IMAGES else 1
    if len(raw) < 4 + 4 * n_axes:
        raise DataError(f"{path} ends within its header; fetch it again")
    size = struct.unpack(f">{n_axes}i", raw[4 : 4 + 4 * n_axes])
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes)
    if body.size != int(np.prod(size)):
        raise DataError(f"{path} announces {size} bytes, it holds {body.size}; fetch it again")
    return body.reshape(size)


def read_part(root: Path, part: str) -> tuple[Tensor, np.ndarray[Any, Any]]:
    """Pictures (N, 1, H, W) in [0, 1] and classes (N,) of the `train` or the `test` files in `root`.

    Raises:
        DataError: An unknown part, or a file that is absent or damaged.
    """
    if part not in PREFIX:
        raise DataError(f"part={part!r} is unknown; choose train or test")
    x = read_idx(root / f"{PREFIX[part]}-images-idx3-ubyte.gz", IMAGES)
    labels = read_idx(root / f"{PREFIX[part]}-labels-idx1-ubyte.gz", LABELS)
    if len(x) != len(labels):
        raise DataError(
            f"{root}: {len(x)} pictures and {len(labels)} labels for {part}; fetch the files again"
        )
    return torch.from_numpy(x.astype(np.float32) / 255)[:, None], labels.astype(np.int64)


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Upright digits (N, 1, 28, 28) in [0, 1]: 60,000 for `train`, 10,000 for `test`.

    Raises:
        DataError: No folder is known, or a file in it is damaged.
    """
    x, labels = read_part(home("mnist", folder, URL), part)
    return Dataset(x, "mnist", "MNIST (LeCun, Cortes, Burges)", "CC BY-SA 3.0", labels)
