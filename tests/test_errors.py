"""Errors of the library."""

from __future__ import annotations

import pytest

from unwarp.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    NotInvertibleError,
    TrainingError,
    UnwarpError,
)


@pytest.mark.parametrize(
    "error", [DataError, ConfigError, CheckpointError, TrainingError, NotInvertibleError]
)
def test_errors_are_standard_errors(error: type[Exception]) -> None:
    """Every error is an `UnwarpError` and a standard exception."""
    assert issubclass(error, UnwarpError)
    assert issubclass(error, ValueError | RuntimeError)
