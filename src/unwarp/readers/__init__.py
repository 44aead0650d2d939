"""Files and arrays of a user, checked once, here."""

from __future__ import annotations

from unwarp.readers.arrays import as_samples
from unwarp.readers.files import read
from unwarp.readers.layout import as_given
from unwarp.readers.scaling import Scaler, fit_scaler
from unwarp.readers.series import pad, resample_to
from unwarp.readers.source import Source

__all__ = ["Scaler", "Source", "as_given", "as_samples", "fit_scaler", "pad", "read", "resample_to"]
