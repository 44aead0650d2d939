"""Trajectories of a fork that a person moves at varying speed.

There are 345 series of 7 channels, the position and orientation of the fork. They are read from the
published file `forkTrajectoryData.npz`.

Reference:
    Rhodes and Lee (2023), TimewarpVAE: simultaneous time-warping and representation learning of
    trajectories.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError
from unwarp.range_kinds import Choice

POSE_SHAPE = (200, 7)
"""Shape of a series in the file: time steps and channels."""


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Load the trajectories, 240 for training and 105 for testing.

    Args:
        part: `train` or `test`.
        folder: Folder with the published file; None for `$UNWARP_DATA/fork-trajectories`.

    Returns:
        Series (N, 7, 200) of the position x, y, z and the quaternion rw, rx, ry, rz, centred and
        scaled as published. Labels are the speeds of the first and the second half: `ss`, `sf` or
        `fs`, with s for slow and f for fast. The licence is MIT.

    Raises:
        DataError: The part is unknown, or the file is missing, damaged or has other arrays.
    """
    if not Choice(("train", "test")).allows(part):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    root = Path(folder) if folder else Path(os.environ.get("UNWARP_DATA", "")) / "fork-trajectories"
    path = root / "forkTrajectoryData.npz"
    if not path.is_file():
        raise DataError(
            f"{path} does not exist; set UNWARP_DATA to the folder that holds fork-trajectories/"
        )
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            x, names = archive[part], archive[f"{part}_names_info"]
    except Exception as error:  # a damaged file makes NumPy raise nearly anything
        raise DataError(f"{path} cannot be read ({error}); fetch it again") from error
    if x.shape[1:] != POSE_SHAPE or names.shape != x.shape[:1]:
        raise DataError(f"{path} should have poses (N, 200, 7), it has {x.shape}; fetch it again")
    series = torch.from_numpy(np.ascontiguousarray(x.astype(np.float32).transpose(0, 2, 1)))
    speeds = np.array([name[:2] for name in names])
    return Dataset(series, "fork-trajectories", "Rhodes and Lee 2023", "MIT", speeds)
