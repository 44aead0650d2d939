"""Data sets of the UEA archive of multivariate series, from `.ts` files.

The files are those of the archive of 2018, which has 30 data sets.

Reference:
    Bagnall et al. (2018), The UEA multivariate time series classification archive.
"""

from __future__ import annotations

from pathlib import Path

from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.datasets.ucr import published_file, resampled_dataset


def load(
    part: str = "train", name: str = "BasicMotions", folder: str | Path | None = None
) -> Dataset:
    """Load a part of a data set, with series of one length.

    All series are resampled to the length of the longest series of the training part; see
    `unwarp.datasets.ucr.resampled_dataset`.

    Args:
        part: `train` or `test`.
        name: Name of the data set and of its folder in the archive.
        folder: Folder of the archive; None for `$UNWARP_DATA/uea`.

    Returns:
        Series (N, C, T) with their labels.

    Raises:
        DataError: The part or the data set is unknown, or the folder or a file is missing or
            damaged.
    """
    series, train = source(part, name, folder), source("train", name, folder)
    return resampled_dataset(series, train, f"uea/{name}", "UEA archive (Bagnall et al. 2018)")


def source(part: str, name: str, folder: str | Path | None = None) -> Source:
    """Read a part of a data set as published.

    Lengths may differ, and values may be missing.

    Args:
        part: `train` or `test`.
        name: Name of the data set.
        folder: Folder of the archive; None for `$UNWARP_DATA/uea`.

    Returns:
        Series (N, C, T) or a list of N arrays (C, T_i), with their labels.

    Raises:
        DataError: The part or the data set is unknown, or the folder or a file is missing or
            damaged.
    """
    return read(published_file("uea", part, name, ".ts", folder))
