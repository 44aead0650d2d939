"""Trace: 200 series of four classes, from the installed package tslearn.

Each series is a transient of a simulated process. `pip install 'unwarp[series]'` installs tslearn.
Only its data file is read; the package is not imported.

References:
    Roverso (2000), Multivariate temporal classification by windowed wavelet decomposition and
    recurrent neural networks.
    Dau et al. (2019), The UCR time series archive.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError
from unwarp.range_kinds import Choice

PART_SHAPE = (100, 275, 1)
"""Shape of each part in the file: series, time steps and channels."""


def load(part: str = "train") -> Dataset:
    """Load 100 series; the split is that of the UCR archive.

    Args:
        part: `train` or `test`.

    Returns:
        Series (100, 1, 275), each with mean 0 and standard deviation 1, with labels 1 to 4. tslearn
        rounds the values to five decimals. The archive states no licence.

    Raises:
        DataError: The part is unknown, tslearn is not installed, or its file is damaged or has
            another shape.
    """
    if not Choice(("train", "test")).allows(part):
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
    if x.shape != PART_SHAPE or labels.shape != PART_SHAPE[:1]:
        raise DataError(
            f"{path} should have series {PART_SHAPE}, it has {x.shape}; reinstall tslearn"
        )
    series = torch.from_numpy(np.ascontiguousarray(x.astype(np.float32).transpose(0, 2, 1)))
    source = "Trace (Roverso), UCR archive, as shipped in tslearn"
    return Dataset(series, "trace", source, "", labels.astype(np.int64))
