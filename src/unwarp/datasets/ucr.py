"""Sets of the UCR archive of univariate series (Dau et al. 2019), from a folder or from `$UNWARP_DATA/ucr`."""

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

LICENCE = "none stated; public research archive, to be cited"


def load(part: str = "train", name: str = "GunPoint", folder: str | Path | None = None) -> Dataset:
    """Series (N, 1, T) of the set `name`, as published; where lengths differ, resampled by `one_length`.

    Raises:
        DataError: No folder is known, a set that is not in it, or a damaged file.
    """
    given, train = source(part, name, folder), source("train", name, folder)
    return one_length(given, train, f"ucr/{name}", "UCR archive (Dau et al. 2019)")


def source(part: str, name: str, folder: str | Path | None = None) -> Source:
    """A part of the set `name` as published: lengths may differ, values may be missing; errors as for `load`."""
    return read(locate("ucr", part, name, ".tsv", folder))


def locate(archive: str, part: str, name: str, suffix: str, folder: str | Path | None) -> Path:
    """The file of a part: `folder/name/name_TRAIN.suffix`.

    Raises:
        DataError: No such folder, set or part; the message lists the sets that are there.
    """
    if part not in ("train", "test"):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    root = Path(folder) if folder else Path(os.environ.get("UNWARP_DATA", "")) / archive
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder; set UNWARP_DATA to the folder that holds {archive}/, or pass folder="
        )
    path = root / name / f"{name}_{part.upper()}{suffix}"
    if not path.is_file():
        there = sorted(found.name for found in root.iterdir() if found.is_dir())
        raise DataError(
            f"{path} does not exist; the sets in {root} are {', '.join(there) or 'none'}"
        )
    return path


def one_length(part: Source, train: Source, name: str, origin: str) -> Dataset:
    """A part as a data set whose series all have the length of the longest series of `train`.

    Series are resampled by straight lines where lengths differ; missing values are bridged the same way. To keep
    lengths and gaps, take `source` and `unwarp.readers.pad`.
    """
    length = max(np.shape(row)[-1] for row in train.x)
    x = torch.from_numpy(resample_to(part.x, length, missing="interpolate"))
    return Dataset(x, name, origin, LICENCE, part.labels)
