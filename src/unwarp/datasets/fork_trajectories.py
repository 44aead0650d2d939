"""Poses of a fork that a hand leads at changing speed (Rhodes and Lee 2023), from `$UNWARP_DATA/fork-trajectories`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Series (N, 7, 200) of x, y, z and the quaternion rw, rx, ry, rz: 240 for `train`, 105 for `test`.

    Values are centred and scaled as published. Labels are the speeds of the two halves: `ss`, `sf`, `fs` (slow, fast).

    Source: Rhodes and Lee 2023, TimewarpVAE: simultaneous time-warping and representation learning of trajectories.

    Raises:
        DataError: No folder is known, or its file is damaged or another one.
    """
    if part not in ("train", "test"):
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
    if x.shape[1:] != (200, 7) or names.shape != x.shape[:1]:
        raise DataError(f"{path} should hold poses (N, 200, 7), it holds {x.shape}; fetch it again")
    series = torch.from_numpy(np.ascontiguousarray(x.astype(np.float32).transpose(0, 2, 1)))
    return Dataset(
        series,
        "fork-trajectories",
        "Rhodes and Lee 2023",
        "MIT",
        np.array([word[:2] for word in names]),
    )
