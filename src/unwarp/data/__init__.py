"""Reading, checking and scaling of a user's files and arrays.

    read                        a file or a folder as a Source
    as_samples, restore_layout  any array-like as images or series, and back
    make_shards, check_shards   collections larger than the memory, as a folder of files
    pad, resample_to            series of unequal lengths as one array
    fit_scaler, Scaler          values in the range that a model expects, and back

`Unwarper` reads and scales by itself; call these functions for models of your own.
"""

from __future__ import annotations

from unwarp.data.arrays import as_samples
from unwarp.data.formats.files import read
from unwarp.data.layout import restore_layout
from unwarp.data.making import make_shards
from unwarp.data.scale_fitting import fit_scaler
from unwarp.data.scaling import Scaler
from unwarp.data.series import pad, resample_to
from unwarp.data.shards import check_shards
from unwarp.data.source import Source

__all__ = [
    "Scaler",
    "Source",
    "as_samples",
    "check_shards",
    "fit_scaler",
    "make_shards",
    "pad",
    "read",
    "resample_to",
    "restore_layout",
]
