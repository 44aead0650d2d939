"""NumPy, MATLAB and HDF5 files that hold one recording each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unwarp.data.formats.registry import formats, recording_reader
from unwarp.data.hints import Hints
from unwarp.data.recording_form import ArrayForm, Recording
from unwarp.errors import DataError

MIN_RATIO_OF_AXES = 2
"""Steps over channels from which the longer axis is that of time."""


@recording_reader(".npy", ".npz", ".mat", ".h5", ".hdf5")
def record_array(path: Path, hints: Hints) -> Recording:
    """Read the array of a file as one recording.

    Args:
        path: The file, with an array (T,), (C, T) or (T, C); the longer axis is that of time.
        hints: The user's hints: the name of the array.

    Raises:
        DataError: The file is damaged, or its axes read two ways.
    """
    source = formats()[path.suffix.lower()].read(path, hints)
    x = np.asarray(source.x)
    if x.ndim > 2 or x.dtype.kind not in "biuf":
        raise DataError(
            f"{path} holds {x.dtype} of shape {x.shape}, and is in a folder with a file a "
            "recording; save (T,), (C, T) or (T, C)"
        )
    table = np.atleast_2d(x)
    if min(table.shape) > 1 and max(table.shape) < MIN_RATIO_OF_AXES * min(table.shape):
        a, b = table.shape
        raise DataError(
            f"{path} holds an array of shape {x.shape}, which reads two ways: {a} channels of {b} "
            f"steps, or {b} channels of {a} steps; save recordings as text tables with a time"
        )
    time_axis = int(table.shape[1] >= table.shape[0])
    values = table if time_axis else table.T
    times = source.times if source.times is None else np.atleast_2d(source.times)[0]
    dtype = values.dtype if values.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    form = ArrayForm(x.dtype, time_axis, x.ndim)
    return Recording(values.astype(dtype), times, (), form)
