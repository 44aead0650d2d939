"""A model of series, shared by the tests of data that belong to them."""

from __future__ import annotations

import pytest
import torch

from tests.data.recordings import recordings
from tests.estimators.series import fit_series
from unwarp import Unwarper


@pytest.fixture(scope="package")
def model() -> Unwarper:
    """A model of series of one length; no test changes it."""
    torch.set_num_threads(1)
    return fit_series(recordings(), sampling_rate=10.0)
