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
    brief,
)


def test_values_are_one_short_line() -> None:
    """Any value has a text of one line and at most 80 characters."""
    for value in (10**5000, "a" * 10**6, "two\nlines", [[1] * 999], b"x"):
        assert len(brief(value)) <= 80 and brief(value).isprintable()


@pytest.mark.parametrize(
    "error", [DataError, ConfigError, CheckpointError, TrainingError, NotInvertibleError]
)
def test_errors_are_standard_errors(error: type[Exception]) -> None:
    """Every error is an `UnwarpError` and a standard exception."""
    assert issubclass(error, UnwarpError)
    assert issubclass(error, ValueError | RuntimeError)
