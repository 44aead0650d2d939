"""Trace, four classes of transients (UCR archive), from the installed `tslearn` package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError

SHAPE = (100, 275, 1)


def load(part: str = "train") -> Dataset:
    """Series (100, 1, 275) of each part as the archive splits them, z-normalised, with classes 1 to 4.

    The package is read, not imported.

    Source: Roverso 2000, Multivariate temporal classification by windowed wavelet decomposition and recurrent neural
    networks; UCR archive (Dau et al. 2019), rounded to five decimals by tslearn.

    Raises:
        DataError: `tslearn` is not installed, or its file is not what it should be.
    """
    if part not in ("train", "test"):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    spec = find_spec("tslearn")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "Trace comes with the package tslearn; install it with: pip install 'unwarp[series]'"
        )
    path = Path(spec.submodule_search_locations[0]) / ".cached_datasets" / "Trace.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            x, labels = archive[f"X_{part}"], archive[f"y_{part}"]
    except Exception as error:  # a damaged file makes NumPy raise nearly anything
        raise DataError(f"{path} cannot be read ({error}); reinstall tslearn") from error
    if x.shape != SHAPE or labels.shape != SHAPE[:1]:
        raise DataError(f"{path} should hold series {SHAPE}, it holds {x.shape}; reinstall tslearn")
    series = torch.from_numpy(np.ascontiguousarray(x.astype(np.float32).transpose(0, 2, 1)))
    return Dataset(
        series,
        "trace",
        "Trace (Roverso), UCR archive, as shipped in tslearn",
        "",
        labels.astype(np.int64),
    )
