"""affNIST in its published MATLAB files; `unwarp.datasets.affine_mnist` draws the same distribution from any digits.

Source: Tieleman (2013), affNIST: MNIST's digits, each deformed at random 32 times, 40 x 40. A file holds a struct
`affNISTdata` whose `image` (1600, N) has a picture in each column and whose `label_int` (1, N) has their classes.

Convention:
    Within a column the pixels go row by row, from left to right and then down, although MATLAB's own arrays go down
    first. `read` holds this against the pictures: ones, turned by 20 degrees at most, must stand upright.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from scipy.io import loadmat

from unwarp.core import Array, Factor
from unwarp.data.dataset import Dataset
from unwarp.datasets.home import home
from unwarp.errors import DataError

SIZE = 40
URL = "https://www.cs.toronto.edu/~tijmen/affNIST/"
FOLDERS = {
    "train": ("training_and_validation_batches", "training_batches", "."),
    "test": ("test_batches",),
}
"""Where the numbered files of a part are looked for, the first found counts."""

SINGLE = {"train": "training.mat", "test": "test.mat"}
"""The one file of a part, where there are no numbered ones."""

FACTORS = (
    Factor("rotation_deg", "deg", -20.0, 20.0),
    Factor("shear", "", -0.2, 0.2),
    Factor("scale_1", "factor", 0.8, 1.2),
    Factor("scale_2", "factor", 0.8, 1.2),
    Factor("shift_1_px", "px", -20.0, 20.0),
    Factor("shift_2_px", "px", -20.0, 20.0),
)
"""Rows of `human_readable_transform` (6, N), with the signs and the order of axes that the file has."""

FEWEST_ONES = 20


def load(part: str = "train", folder: str | Path | None = None, files: int = 1) -> Dataset:
    """Deformed digits (N, 1, 40, 40) in [0, 1] of the first few files; one of 60,000 digits takes 0.4 GB.

    The whole set is larger than most memories: `paths` and `read` give it file by file.

    Args:
        part: `train` or `test`.
        folder: The folder that holds the published files, unpacked; None for `$UNWARP_DATA/affnist`.
        files: How many files to read.

    Raises:
        DataError: The files are absent, damaged or of another kind.
    """
    found = paths(part, folder)
    if not 1 <= files <= len(found):
        raise DataError(
            f"files={files} of {part} cannot be read, there are {len(found)} in {found[0].parent}"
        )
    return _joined([read(path) for path in found[:files]])


def paths(part: str, folder: str | Path | None = None) -> tuple[Path, ...]:
    """The published files of `part` at hand, by number.

    Raises:
        DataError: An unknown part, or none of its files is there.
    """
    if part not in FOLDERS:
        raise DataError(f"part={part!r} is unknown; choose train or test")
    root = home("affnist", folder, URL)
    tried = [[root / name / f"{k}.mat" for k in range(1, 33)] for name in FOLDERS[part]] + [
        [root / SINGLE[part]]
    ]
    for group in tried:
        found = tuple(path for path in group if path.is_file())
        if found:
            return found
    raise DataError(
        f"{root} has no {tried[0][0].relative_to(root)} for {part}; unpack the files of {URL} there"
    )


def read(path: str | Path, order: Literal["C", "F"] = "C") -> Dataset:
    """The deformed digits (N, 1, 40, 40) in [0, 1] of one file, with their classes.

    Args:
        path: The file.
        order: How pixels follow each other in a column: `C` row by row, as published; `F` column by column.

    Raises:
        DataError: Absent, damaged or of another kind, or its digits lie on their side.
    """
    path = Path(path).expanduser()
    table = _struct(path)
    labels = _labels(table, path)
    images = np.reshape(table["image"].T, (len(labels), SIZE, SIZE), order="C")
    images = images if order == "C" else images.transpose(0, 2, 1)
    _check_upright(images[labels == 1], path)
    moved = table.get("human_readable_transform")
    if moved is not None and moved.shape != (len(FACTORS), len(labels)):
        raise DataError(
            f"{path}: human_readable_transform is {moved.shape}, it should be (6, {len(labels)})"
        )
    return Dataset(
        torch.from_numpy(images.astype(np.float32))[:, None] / 255,
        "affnist",
        "affNIST (Tieleman 2013), made from MNIST (LeCun, Cortes, Burges)",
        "free of restrictions, says its author; MNIST is CC BY-SA 3.0",
        labels,
        factors=() if moved is None else FACTORS,
        factor_values=None if moved is None else moved.T.astype(float),
    )


def _struct(path: Path) -> dict[str, Array]:
    """The fields of `affNISTdata` that are used; `loadmat` reads numbers and runs nothing."""
    if not path.is_file():
        raise DataError(f"{path} does not exist; fetch it from {URL}")
    try:
        found = loadmat(path, variable_names=["affNISTdata"])
    except NotImplementedError as error:
        raise DataError(
            f"{path} is a MATLAB 7.3 file, affNIST's are of version 5; fetch it from {URL}"
        ) from error
    except Exception as error:  # a damaged file can break the parser anywhere
        raise DataError(
            f"{path} is damaged or no MATLAB file ({error}); fetch it again from {URL}"
        ) from error
    table = found.get("affNISTdata")
    if table is None or table.dtype.names is None or table.size != 1:
        raise DataError(f"{path} holds no struct affNISTdata; fetch it from {URL}")
    fields = {name: np.asarray(table[name].item()) for name in table.dtype.names}
    image = fields.get("image")
    if (
        image is None
        or image.dtype != np.uint8
        or image.ndim != 2
        or image.shape[0] != SIZE**2
        or not image.size
    ):
        came = "absent" if image is None else f"{image.dtype} {image.shape}"
        raise DataError(
            f"{path}: affNISTdata.image should be uint8 (1600, N), it is {came}; fetch it from {URL}"
        )
    return fields


def _labels(table: dict[str, Array], path: Path) -> Array:
    n = table["image"].shape[1]
    given = table.get("label_int", np.empty((0, 0)))
    if (
        given.shape not in ((1, n), (n, 1))
        or given.dtype.kind not in "iuf"
        or not np.isin(given, np.arange(10)).all()
    ):
        raise DataError(
            f"{path}: label_int should be whole numbers (1, {n}), 0 to 9, it is {given.dtype} {given.shape}"
        )
    return given.ravel().astype(np.int64)


def _check_upright(ones: Array, path: Path) -> None:
    """Refuse ones (n, 40, 40) that are wider than they are high, as they are where rows and columns are confused."""
    if len(ones) < FEWEST_ONES:
        return
    high, wide = ((ones > 127).any(axis).sum() for axis in (2, 1))
    if high <= wide:
        raise DataError(
            f"{path}: its ones lie on their side, so pixels go down first; pass order='F', or order='C'"
        )


def _joined(parts: list[Dataset]) -> Dataset:
    """Data sets of the same kind as one."""
    if len(parts) == 1:
        return parts[0]
    values = [part.factor_values for part in parts if part.factor_values is not None]
    complete = len(values) == len(parts)
    return replace(
        parts[0],
        x=torch.cat([part.x for part in parts]),
        labels=np.concatenate([part.labels for part in parts if part.labels is not None]),
        factors=FACTORS if complete else (),
        factor_values=np.concatenate(values) if complete else None,
    )
