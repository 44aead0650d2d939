"""Kinds of ranges: the values that each allows, and its text."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from unwarp.range_kinds import MAX_SEED, Choice, Real, Seed, Whole


def test_greatest_seed_is_that_of_numpy() -> None:
    """NumPy takes every seed that is allowed, and no greater one."""
    np.random.RandomState(MAX_SEED)
    with pytest.raises(ValueError, match="Seed must be between"):
        np.random.RandomState(MAX_SEED + 1)
    assert not Seed().allows(MAX_SEED + 1)


def test_real_numbers_are_within_bounds() -> None:
    """The lower bound is excluded and the upper one included; words and truths are no numbers."""
    numbers = Real(0.5, 2.0)
    assert [numbers.allows(x) for x in (0.5, 0.6, 1, 2.0, 2.1)] == [False, True, True, True, False]
    for value in (True, "1", None, 1j, math.inf, -math.inf, math.nan, [1.0]):
        assert not numbers.allows(value)
    assert Real(0).allows(1e300) and not Real(0).allows(math.inf) and not Real(0).allows(True)
    assert Real(0, is_optional=True).allows(None) and not Whole(0).allows(None)


def test_bounds_are_values() -> None:
    """A bound that is said to be allowed is a value, and numbers beyond a bound are none."""
    assert Real(0, has_low=True).allows(0) and "at least 0" in str(Real(0, has_low=True))
    assert not Seed(can_be_state=False).allows(None)
    assert Whole(0).allows(10**30) and not Real(0, 1).allows(1.5) and Choice(("a",)).allows("a")


def test_ranges_are_said_in_words() -> None:
    """The text of a range has its type, its ends, its unit and whether None is allowed."""
    words = {
        Whole(2): "a whole number of at least 2",
        Whole(0, 9_999, is_optional=True): "a whole number from 0 to 9,999, or None",
        Real(0.5): "a finite number above 0.5",
        Real(0, 9, True, "steps"): "a finite number of steps above 0 and at most 9, or None",
        Choice(("a", "b")): "one of a, b",
        Seed(False): "a whole number from 0 to 4,294,967,295",
        Seed(): "a whole number from 0 to 4,294,967,295, a numpy.random.RandomState, or None",
    }
    assert {str(range): text for range, text in words.items()} == {t: t for t in words.values()}


def test_random_states_need_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NumPy no value is a random state, and a seed can be checked all the same."""
    state = np.random.RandomState(0)
    assert Seed().allows(state) and not Seed(can_be_state=False).allows(state)
    monkeypatch.delitem(sys.modules, "numpy")
    assert Seed().allows(3) and not Seed().allows(state)
