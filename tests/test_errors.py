"""Errors of the library."""

from __future__ import annotations

import pickle

import pytest

from unwarp.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DivergenceError,
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


def test_divergence_survives_pickle() -> None:
    """An error of a parallel job comes back with its reason and rows."""
    error = DivergenceError("stopped at step 3", "the loss is nan", (4, 1))
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.reason, copy.rows) == (str(error), error.reason, error.rows)
