"""Fields of an architecture: an impossible value is refused by the name of its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from unwarp.errors import ConfigError
from unwarp.models.architecture import Architecture
from unwarp.warps import Affine2d, Chain, Displacement2d, Rigid2d


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("n_content", 0, "a whole number from 1 to 65,536"),
        ("refinements", -1, "a whole number from 0 to 64"),
        ("pose_clusters", -1, "a whole number from 0 to 10,000"),
        ("pose_updates", -1, "a whole number from 0 to 100,000"),
        ("passes", (2, 0), "a pair, each number a whole number from 1 to 1,000"),
        ("passes", (1, 10**9), "a pair, .* from 1 to 1,000"),
        ("n_content", "3", "a whole number .*"),
        ("crop", float("nan"), "a finite number"),
        ("crop", 1.5, r"in \(0, 1\]"),
        ("encoder", "two-stage", "one of staged, one-stage"),
        ("start", "corner", "one of learned, centroid, moments, search"),
        ("starts", 0, "a whole number from 1 to 1,024"),
        ("prior", 0.0, "positive, or 'learned'"),
    ],
)
def test_impossible_fields_are_named(field: str, value: Any, words: str) -> None:
    """The message names the field, its allowed values and its value."""
    with pytest.raises(ConfigError, match=rf"{field}=.* {field} must be {words}$"):
        replace(Architecture(), **{field: value})


def test_ends_of_ranges_are_allowed() -> None:
    """The smallest allowed values make an architecture."""
    least = Architecture(n_content=1, refinements=0, pose_clusters=0, passes=(1, 1), starts=1)
    assert replace(least, crop=1.0, prior="learned").prior == "learned"


def test_one_stage_refuses_a_mirror() -> None:
    """No network predicts a mirror, so an encoder without a search cannot have one."""
    with pytest.raises(ConfigError, match=r"^encoder='one-stage' .*'rigid'; use encoder='staged'"):
        Architecture(warp=Rigid2d(mirror=True), encoder="one-stage")
    with pytest.raises(ConfigError, match="encoder='one-stage'"):
        Architecture(warp=Chain(Displacement2d(2), Affine2d(mirror=True)), encoder="one-stage")
