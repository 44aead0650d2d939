"""Inputs of scores: every score refuses what is no array of its kind, by name."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
import pytest

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.checks import check_call

CODES, LABELS = np.arange(8.0).reshape(4, 2), np.array(["a", "b", "a", "b"])


def toy(
    codes: Array,
    labels: Array,
    train_codes: Array,
    log_weights: Array,
    k: int = 3,
    share: float = 0.5,
    seed: int = 0,
    whole: bool = True,
    kind: str = "forest",
) -> float:
    """A score with an input of each kind and a setting of each type."""
    return 0.0


def call(**changes: Any) -> None:
    """Check a call of the score with some arguments changed."""
    weights = np.full((3, 4), -np.inf)
    right = {"codes": CODES, "labels": LABELS, "train_codes": CODES[:3], "log_weights": weights}
    check_call(right | changes, signature(toy).parameters)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("codes", (None, "codes.npy", 3.0, CODES[:0], CODES[0]), "give numbers"),
        ("codes", (CODES * 1j, CODES.astype(str), CODES.astype(object)), "give numbers"),
        ("codes", (CODES * np.nan, CODES + np.inf), "give finite numbers"),
        ("codes", (CODES[:3],), "codes has 3 rows, labels 4; give one row for each sample"),
        ("labels", (None, 3, LABELS[:0]), "give one value for each sample"),
        ("labels", (LABELS[:2],), "codes has 4 rows, labels 2"),
        ("train_codes", (CODES[0], [[1.0], [1.0, 2.0]]), "give "),
    ],
)
def test_wrong_inputs_are_named(name: str, values: tuple[Any, ...], words: str) -> None:
    """Other types, no rows, too few axes, values that are not finite, and other rows."""
    for value in values:
        with pytest.raises(DataError, match=rf"{name}.*{words}|{words}"):
            call(**{name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("k", (0, -1, 1.5, "3", None, True)),
        ("share", (-0.1, 1.1, np.nan, "a", None)),
        ("seed", (-1, 2**32, 0.5)),
        ("whole", ("no", None, 2)),
        ("kind", (None, 3, ["forest"])),
    ],
)
def test_wrong_settings_are_named(name: str, values: tuple[Any, ...]) -> None:
    """A setting has the type of its default."""
    for value in values:
        with pytest.raises(ConfigError, match=rf"^{name}=.*; give "):
            call(**{name: value})


def test_right_calls_pass() -> None:
    """Labels of any type, weights of 0, fewer reference samples, and settings in range."""
    call()
    call(labels=[1, 2, 3, 4], k=np.int64(1), share=0, seed=0, whole=np.False_, kind="boosting")
