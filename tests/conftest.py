"""Seeds and threads for every test; the folder of real data where the environment names one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Before any fixture of a wider scope trains: sums over threads differ in their last bits."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.set_num_threads(1)


@pytest.fixture
def real_data() -> Path:
    """The folder that UNWARP_DATA names."""
    folder = os.environ.get("UNWARP_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("UNWARP_DATA does not name a folder with the real data sets")
    return Path(folder)
