"""Files and arrays of a user, checked once, here."""

from __future__ import annotations

from unwarp.readers.arrays import as_samples
from unwarp.readers.files import Source, read
from unwarp.readers.scaling import Scaler, fit_scaler

__all__ = ["Scaler", "Source", "as_samples", "fit_scaler", "read"]
