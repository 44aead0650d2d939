"""Sets of the UEA archive of multivariate series (Bagnall et al. 2018), from a folder or from `$UNWARP_DATA/uea`."""

from __future__ import annotations

from pathlib import Path

from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.datasets.ucr import locate, one_length


def load(
    part: str = "train", name: str = "BasicMotions", folder: str | Path | None = None
) -> Dataset:
    """Series (N, C, T) of the set `name`, as published; where lengths differ, resampled by `ucr.one_length`.

    Raises:
        DataError: No folder is known, a set that is not in it, or a damaged file.
    """
    given, train = source(part, name, folder), source("train", name, folder)
    return one_length(given, train, f"uea/{name}", "UEA archive (Bagnall et al. 2018)")


def source(part: str, name: str, folder: str | Path | None = None) -> Source:
    """A part of the set `name` as published: lengths may differ, values may be missing; errors as for `load`."""
    return read(locate("uea", part, name, ".ts", folder))
