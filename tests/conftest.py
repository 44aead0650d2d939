"""Seeds and threads of every test, and the folder of real data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

settings.register_profile("seeded", derandomize=True, deadline=None)
settings.load_profile("seeded")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Use one thread, since sums over threads differ in their last bits.

    Its scope is the session, so that it precedes fixtures of a wide scope that train.
    """
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Seed all generators and use one thread before each test."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.set_num_threads(1)


@pytest.fixture
def real_data() -> Path:
    """The folder of real data sets in UNWARP_DATA; tests are skipped without it."""
    folder = os.environ.get("UNWARP_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("UNWARP_DATA does not name a folder with the real data sets")
    return Path(folder)
