"""affNIST in its published MATLAB files: deformed digits, 40 x 40 pixels.

affNIST has 32 deformed copies of each digit of MNIST. A file holds a struct `affNISTdata`, with one
image in each column of `image` (1600, N) and the classes in `label_int` (1, N).
`unwarp.datasets.affine_mnist` generates images of the same distribution without a download.

Convention:
    A column has the pixels of an image row by row, from left to right and then down, although
    MATLAB stores arrays column by column. `read` checks this with the digit 1, which is higher than
    wide even when it is rotated by 20 degrees.

Reference:
    Tieleman (2013), affNIST, https://www.cs.toronto.edu/~tijmen/affNIST/.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from scipy.io import loadmat

from unwarp.core import Array, Factor
from unwarp.data.dataset import Dataset
from unwarp.datasets.folders import published_folder
from unwarp.errors import DataError
from unwarp.range_kinds import Choice

SIZE = 40
"""Height and width of an image in pixels."""

URL = "https://www.cs.toronto.edu/~tijmen/affNIST/"
FOLDERS = {
    "train": ("training_and_validation_batches", "training_batches", "."),
    "test": ("test_batches",),
}
"""Folders that may hold the numbered files of a part; the first folder with such files is used."""

MAX_FILES = 32
"""Number of files of a part, named `1.mat` to `32.mat`."""

SINGLE_FILES = {"train": "training.mat", "test": "test.mat"}
"""File with a whole part, used if there are no numbered files."""

FACTORS = (
    Factor("rotation_deg", "deg", -20.0, 20.0),
    Factor("shear", "", -0.2, 0.2),
    Factor("scale_1", "factor", 0.8, 1.2),
    Factor("scale_2", "factor", 0.8, 1.2),
    Factor("shift_1_px", "px", -20.0, 20.0),
    Factor("shift_2_px", "px", -20.0, 20.0),
)
"""Rows of `human_readable_transform` (6, N), with the signs and the order of axes of the file."""

MIN_ONES_TO_CHECK = 20
"""Smallest number of images of the digit 1 for which the order of the pixels is checked."""


def load(part: str = "train", folder: str | Path | None = None, files: int = 1) -> Dataset:
    """Load the deformed digits of the first few files.

    A file has 60,000 digits, which take 0.4 GB of memory. To process all files, which may not fit
    into memory together, loop over `paths` and `read` one at a time.

    Args:
        part: `train` or `test`.
        folder: Folder with the unpacked files; None for `$UNWARP_DATA/affnist`.
        files: Number of files to read.

    Returns:
        Images (N, 1, 40, 40) in [0, 1], with labels 0 to 9 and, if the files have the published
        transforms, `factor_values` (N, 6).

    Raises:
        DataError: The part is unknown, or files are missing, damaged or not of affNIST.
    """
    available = paths(part, folder)
    if not 1 <= files <= len(available):
        raise DataError(
            f"files={files} of {part} cannot be read, there are {len(available)} in "
            f"{available[0].parent}; give 1 to {len(available)}"
        )
    return _concatenate([read(path) for path in available[:files]])


def paths(part: str, folder: str | Path | None = None) -> tuple[Path, ...]:
    """Paths of the published files of a part that exist, by number.

    Args:
        part: `train` or `test`.
        folder: Folder with the unpacked files; None for `$UNWARP_DATA/affnist`.

    Returns:
        One or more paths.

    Raises:
        DataError: The part is unknown, or none of its files exists.
    """
    if not Choice(tuple(FOLDERS)).allows(part):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    root = published_folder("affnist", folder, URL)
    numbered = [
        [root / name / f"{k}.mat" for k in range(1, MAX_FILES + 1)] for name in FOLDERS[part]
    ]
    for candidates in [*numbered, [root / SINGLE_FILES[part]]]:
        existing = tuple(path for path in candidates if path.is_file())
        if existing:
            return existing
    first = numbered[0][0].relative_to(root)
    raise DataError(f"{root} has no {first} for {part}; unpack the files of {URL} there")


def read(path: str | Path, order: Literal["C", "F"] = "C") -> Dataset:
    """Read the deformed digits of one file.

    Args:
        path: The file, `~` allowed.
        order: Order of the pixels in a column: `C` for row by row, as published; `F` for column by
            column.

    Returns:
        Images (N, 1, 40, 40) in [0, 1], with labels 0 to 9 and, if the file has the published
        transforms, `factor_values` (N, 6).

    Raises:
        DataError: The file is missing, damaged or not of affNIST, or its digits are transposed.
    """
    path = Path(path).expanduser()
    fields = _read_struct(path)
    labels = _parse_labels(fields, path)
    images = np.reshape(fields["image"].T, (len(labels), SIZE, SIZE), order="C")
    images = images if order == "C" else images.transpose(0, 2, 1)
    _check_upright(images[labels == 1], path)
    transforms = fields.get("human_readable_transform")
    if transforms is not None and transforms.shape != (len(FACTORS), len(labels)):
        raise DataError(
            f"{path}: human_readable_transform is {transforms.shape}, "
            f"it should be (6, {len(labels)}); fetch it again from {URL}"
        )
    return Dataset(
        torch.from_numpy(images.astype(np.float32))[:, None] / 255,
        "affnist",
        "affNIST (Tieleman 2013), made from MNIST (LeCun, Cortes, Burges)",
        "free of restrictions, says its author; MNIST is CC BY-SA 3.0",
        labels,
        factors=() if transforms is None else FACTORS,
        factor_values=None if transforms is None else transforms.T.astype(float),
    )


def _read_struct(path: Path) -> dict[str, Array]:
    """The fields of `affNISTdata`, with `image` uint8 (1600, N)."""
    table = _load_matlab(path).get("affNISTdata")
    if table is None or table.dtype.names is None or table.size != 1:
        raise DataError(f"{path} has no struct affNISTdata; fetch it from {URL}")
    fields = {name: np.asarray(table[name].item()) for name in table.dtype.names}
    image = fields.get("image")
    if (
        image is None
        or image.dtype != np.uint8
        or image.ndim != 2
        or image.shape[0] != SIZE**2
        or not image.size
    ):
        state = "absent" if image is None else f"{image.dtype} {image.shape}"
        raise DataError(
            f"{path}: affNISTdata.image should be uint8 (1600, N), it is {state}; "
            f"fetch it from {URL}"
        )
    return fields


def _load_matlab(path: Path) -> dict[str, Any]:
    """The variable `affNISTdata` of a MATLAB file; `loadmat` runs no code from it."""
    if not path.is_file():
        raise DataError(f"{path} does not exist; fetch it from {URL}")
    try:
        variables: dict[str, Any] = loadmat(path, variable_names=["affNISTdata"])
    except NotImplementedError as error:
        raise DataError(
            f"{path} is a MATLAB 7.3 file, affNIST's are of version 5; fetch it from {URL}"
        ) from error
    except Exception as error:  # a damaged file can break the parser anywhere
        raise DataError(
            f"{path} is damaged or not a MATLAB file ({error}); fetch it again from {URL}"
        ) from error
    return variables


def _parse_labels(fields: dict[str, Array], path: Path) -> Array:
    """Classes (N,), int64, from `label_int` (1, N) or (N, 1)."""
    n = fields["image"].shape[1]
    labels = fields.get("label_int", np.empty((0, 0)))
    if (
        labels.shape not in ((1, n), (n, 1))
        or labels.dtype.kind not in "iuf"
        or not np.isin(labels, np.arange(10)).all()
    ):
        raise DataError(
            f"{path}: label_int should be whole numbers (1, {n}), 0 to 9, "
            f"it is {labels.dtype} {labels.shape}; fetch it again from {URL}"
        )
    return labels.ravel().astype(np.int64)


def _check_upright(ones: Array, path: Path) -> None:
    """Refuse images of the digit 1 (n, 40, 40) that are wider than high, because transposed."""
    if len(ones) < MIN_ONES_TO_CHECK:
        return
    height, width = ((ones > 127).any(axis).sum() for axis in (2, 1))
    if height <= width:
        raise DataError(
            f"{path}: its digits 1 are wider than high, so pixels go column by column; "
            "pass the other order: order='F', or order='C'"
        )


def _concatenate(parts: list[Dataset]) -> Dataset:
    """Join the data sets of several files; factors are dropped unless every file has them."""
    if len(parts) == 1:
        return parts[0]
    values = [part.factor_values for part in parts if part.factor_values is not None]
    is_complete = len(values) == len(parts)
    return replace(
        parts[0],
        x=torch.cat([part.x for part in parts]),
        labels=np.concatenate([part.labels for part in parts if part.labels is not None]),
        factors=FACTORS if is_complete else (),
        factor_values=np.concatenate(values) if is_complete else None,
    )
