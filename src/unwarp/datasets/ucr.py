"""Data sets of the UCR archive of univariate series, from `.tsv` files.

The files are those of the archive of 2018, which has 128 data sets.

Reference:
    Dau et al. (2019), The UCR time series archive.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.series import resample_to
from unwarp.data.source import Source
from unwarp.errors import DataError
from unwarp.range_kinds import Choice

LICENCE = "none stated; public research archive, to be cited"


def load(part: str = "train", name: str = "GunPoint", folder: str | Path | None = None) -> Dataset:
    """Load a part of a data set, with series of one length.

    All series are resampled to the length of the longest series of the training part; see
    `resampled_dataset`.

    Args:
        part: `train` or `test`.
        name: Name of the data set and of its folder in the archive.
        folder: Folder of the archive; None for `$UNWARP_DATA/ucr`.

    Returns:
        Series (N, 1, T) with their labels.

    Raises:
        DataError: The part or the data set is unknown, or the folder or a file is missing or
            damaged.
    """
    series, train = source(part, name, folder), source("train", name, folder)
    return resampled_dataset(series, train, f"ucr/{name}", "UCR archive (Dau et al. 2019)")


def source(part: str, name: str, folder: str | Path | None = None) -> Source:
    """Read a part of a data set as published.

    Lengths may differ, and values may be missing.

    Args:
        part: `train` or `test`.
        name: Name of the data set.
        folder: Folder of the archive; None for `$UNWARP_DATA/ucr`.

    Returns:
        Series (N, T) or a list of N arrays (1, T_i), with their labels.

    Raises:
        DataError: The part or the data set is unknown, or the folder or a file is missing or
            damaged.
    """
    return read(published_file("ucr", part, name, ".tsv", folder))


def published_file(
    archive: str, part: str, name: str, suffix: str, folder: str | Path | None
) -> Path:
    """Path of the file of a part, such as `folder/GunPoint/GunPoint_TRAIN.tsv`.

    Args:
        archive: Name of the archive and of its subfolder in `$UNWARP_DATA`.
        part: `train` or `test`.
        name: Name of the data set.
        suffix: Suffix of the file, with its dot.
        folder: Folder of the archive; None for `$UNWARP_DATA/<archive>`.

    Returns:
        The path of an existing file.

    Raises:
        DataError: The part is unknown, the folder does not exist, or it has no such file; the
            message then lists the data sets in the folder.
    """
    if not Choice(("train", "test")).allows(part):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    root = Path(folder) if folder else Path(os.environ.get("UNWARP_DATA", "")) / archive
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder; set UNWARP_DATA to the folder that holds {archive}/, "
            "or pass folder="
        )
    path = root / name / f"{name}_{part.upper()}{suffix}"
    if not path.is_file():
        names = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
        raise DataError(
            f"{path} does not exist; the sets in {root} are {', '.join(names) or 'none'}"
        )
    return path


def resampled_dataset(part: Source, train: Source, name: str, origin: str) -> Dataset:
    """Make a data set with all series resampled to one length.

    The length is that of the longest series of the training part. Series of other lengths are
    resampled by linear interpolation, and missing values are interpolated, too. To keep the lengths
    and missing values, use `source` and `unwarp.data.pad` instead.

    Args:
        part: Series of the part.
        train: Series of the training part; the longest of them sets the length.
        name: Name of the data set.
        origin: Origin of the data in words, such as a citation.

    Returns:
        Series (N, C, T) with their labels.
    """
    length = max(np.shape(row)[-1] for row in train.x)
    x = torch.from_numpy(resample_to(part.x, length, missing="interpolate"))
    return Dataset(x, name, origin, LICENCE, part.labels)
