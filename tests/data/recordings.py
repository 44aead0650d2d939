"""Six series of one length, for tests of data that belong to series."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.estimators.series import waves

N, LENGTH = 6, 40


def recordings() -> np.ndarray[Any, Any]:
    """Six series of 40 steps."""
    return np.stack(waves([LENGTH] * N))
