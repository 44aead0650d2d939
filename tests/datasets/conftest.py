"""The clean digits, read once."""

from __future__ import annotations

import pytest

from unwarp.data.dataset import Dataset
from unwarp.datasets import digits


@pytest.fixture(scope="session")
def clean() -> Dataset:
    """The 1,000 clean test digits."""
    return digits.load("test")
