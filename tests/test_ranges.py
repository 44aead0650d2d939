"""Ranges of arguments: the same values are refused through every door."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from unwarp.errors import ConfigError
from unwarp.ranges import ARGUMENTS, MAX_SEED, Choice, Real, Seed, Whole, check_arguments

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
    assert Real(0, has_low=True).allows(0) and "at least 0" in str(Real(0, has_low=True))
    assert not Seed(can_be_state=False).allows(None)
    assert Whole(0).allows(10**30) and not Real(0, 1).allows(1.5) and Choice(("a",)).allows("a")


def test_ranges_need_no_numpy() -> None:
    """The command line checks arguments before NumPy and torch are imported."""
    script = "import sys, unwarp.ranges; print(sys.modules.keys() & {'numpy', 'torch'})"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"
