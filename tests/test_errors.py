"""Errors: each is the library's own, and a standard one."""

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
def test_every_error_is_the_library_s_own_and_a_standard_one(error: type[Exception]) -> None:
    assert issubclass(error, UnwarpError)
    assert issubclass(error, ValueError | RuntimeError)
