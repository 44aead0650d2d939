"""Files and arrays of a user, checked once, here."""

from __future__ import annotations

from unwarp.data.arrays import as_samples
from unwarp.data.formats.files import read
from unwarp.data.layout import restore_layout
from unwarp.data.scaling import Scaler, fit_scaler
from unwarp.data.series import pad, resample_to
from unwarp.data.source import Source

__all__ = [
    "Scaler",
    "Source",
    "as_samples",
    "fit_scaler",
    "pad",
    "read",
    "resample_to",
    "restore_layout",
]
