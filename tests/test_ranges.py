"""Ranges of arguments: the same values are refused through every door."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from unwarp.errors import ConfigError
from unwarp.range_kinds import MAX_SEED, Choice, Real, Seed, Whole
from unwarp.ranges import (
    ARGUMENTS,
    PASSES,
    RECIPE_RANGES,
    SAMPLE_COUNT,
    check_arguments,
    check_value,
)

IMPOSSIBLE: list[tuple[str, Any]] = [
    ("random_state", -1),
    ("random_state", MAX_SEED + 1),
    ("random_state", 1.5),
    ("random_state", True),
    ("random_state", np.random.default_rng(0)),
    ("max_seconds", "5"),
    ("max_seconds", -1),
    ("max_seconds", math.nan),
    ("max_seconds", math.inf),
    ("max_steps", 2.0),
    ("max_steps", 2**40),
    ("n_content", 10**9),
    ("batch_size", 10**9),
    ("sampling_rate", math.nan),
    ("missing", ["mask"]),
    ("precision", None),
    ("scale", np.array([1, 2])),
    ("device", np.array(["cpu", "cpu"])),
    ("image_shape", (12, True)),
    ("image_shape", 12),
    ("verbose", "no"),
    ("verbose", None),
    ("verbose", -1),
    ("max_seconds", 10**400),
]


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_impossible_arguments_are_named(name: str, value: Any) -> None:
    """One line with the argument, its value and its range."""
    with pytest.raises(ConfigError, match=rf"^{name}=.* is not allowed; give ") as caught:
        check_arguments({name: value})
    assert "\n" not in str(caught.value) and str(ARGUMENTS[name]) in str(caught.value)


def test_unprintable_numbers_are_named() -> None:
    """Python prints no number of so many digits; the message says its type."""
    for value in (-(10**5000), 10**5000):
        with pytest.raises(ConfigError, match=r"^max_seconds=<int> is not allowed; give a finite"):
            check_arguments({"max_seconds": value})


def test_possible_arguments_pass() -> None:
    """Ends of ranges, numbers of NumPy, and names without a range."""
    for seed in (0, MAX_SEED, np.uint32(MAX_SEED), None, np.random.RandomState(0)):
        check_arguments({"random_state": seed, "max_seconds": np.float32(0.5), "warp": 3})
    check_arguments({"n_content": np.int64(1), "batch_size": 2, "max_steps": None})
    for verbose in (True, False, 0, 3, np.True_):
        check_arguments({"verbose": verbose, "scale": None, "image_shape": [3, np.int64(4)]})
    for name in ("max_seconds", "sampling_rate"):
        check_arguments({name: 1e-9})


def test_ranges_need_no_numpy() -> None:
    """The command line checks arguments before NumPy and torch are imported."""
    script = "import sys, unwarp.ranges; print(sys.modules.keys() & {'numpy', 'torch'})"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


ENDS = {
    "n_content": (ARGUMENTS["n_content"], 1, 2**16),
    "n_clusters": (ARGUMENTS["n_clusters"], 1, 2**32 - 1),
    "max_steps": (ARGUMENTS["max_steps"], 1, 2**40 - 1),
    "batch_size": (ARGUMENTS["batch_size"], 2, 2**20),
    "random_state": (ARGUMENTS["random_state"], 0, 2**32 - 1),
    "recipe: n_content": (RECIPE_RANGES["n_content"], 1, 2**16),
    "refinements": (RECIPE_RANGES["refinements"], 0, 64),
    "pose_clusters": (RECIPE_RANGES["pose_clusters"], 0, 10_000),
    "pose_updates": (RECIPE_RANGES["pose_updates"], 0, 100_000),
    "starts": (RECIPE_RANGES["starts"], 1, 1024),
    "passes": (PASSES, 1, 1000),
    "n": (SAMPLE_COUNT, 1, 2**31 - 1),
}
"""The least and the greatest value of each whole number that a user may choose."""


@pytest.mark.parametrize("name", ENDS)
def test_ends_of_ranges_are_allowed(name: str) -> None:
    """Both ends are values, and the next number is none; the message names the ends."""
    range, low, high = ENDS[name]
    for value in (low, high):
        check_value(name, value, range)
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=f"^{name}={value} is not allowed; give ") as caught:
            check_value(name, value, range)
        assert f"from {low:,} to {high:,}" in str(caught.value)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_none_is_allowed_where_it_is_said(name: str) -> None:
    """An argument accepts None if and only if its range in words does."""
    range = ARGUMENTS[name]
    assert range.allows(None) == str(range).endswith("or None")
    if isinstance(range, Whole | Real | Seed):
        assert range.allows(None), "None is the default of these arguments"


@pytest.mark.parametrize("length", [78, 79, 5000])
def test_long_values_are_shortened(length: int) -> None:
    """A message quotes up to 80 characters of a value, in one line."""
    value = "x" * length
    with pytest.raises(ConfigError) as caught:
        check_value("missing", value, Choice(("a",)))
    quote = repr(value) if length == 78 else "'" + "x" * 76 + "..."
    assert str(caught.value) == f"missing={quote} is not allowed; give one of a"
    with pytest.raises(ConfigError, match=r"^missing=array\(\[\[1\], \[2\]\]\) is"):
        check_value("missing", np.array([[1], [2]]), Choice(("a",)))
