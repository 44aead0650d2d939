"""The clean digits, read once."""

from __future__ import annotations

import pytest

from unwarp.datasets import Dataset, digits


@pytest.fixture(scope="session")
def clean() -> Dataset:
    """The 1,000 clean test digits."""
    return digits.load("test")
