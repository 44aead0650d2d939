"""Search spaces: files, ranges, and fields that a sweep cannot compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unwarp import AE, VAE
from unwarp.core import Domain
from unwarp.errors import ConfigError
from unwarp.estimators.search_space import (
    Between,
    OneOf,
    default_space,
    parse_space,
    read_space,
)
from unwarp.planning.overrides import apply_overrides
from unwarp.planning.presets import PICTURES, SERIES


def test_file_has_lists_and_ranges(tmp_path: Path) -> None:
    """Nested and dotted names mean the same; numbers without a point are numbers."""
    path = tmp_path / "space.yaml"
    path.write_text(
        "n_content: {low: 2, high: 16, log: true}\noptimiser: {lr: {low: 1e-4, high: 1e-2}}\n"
        "net.encoder: [[16], [32, 16]]\ncrop: {low: 0.5, high: 1}\n"
    )
    assert parse_space(read_space(path), AE()) == {
        "n_content": Between(2, 16, log=True, is_whole=True),
        "optimiser.lr": Between(1e-4, 1e-2),
        "net.encoder": OneOf(([16], [32, 16])),
        "crop": Between(0.5, 1),
    }


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "no search space"),
        ({"n_content": {"low": 0, "high": 8}}, "space: n_content=0 is not allowed"),
        ({"n_contents": [1]}, "has no field 'n_contents'"),
        ({"crop": {"low": 0.5, "high": 1.5}}, "space: AE: crop=1.5 is not allowed"),
        ({"crop": {"low": 0.5}}, "give a list of values, or low and high"),
        ({"crop": {"low": "wide", "high": 1}}, "space: crop.low='wide' is not allowed"),
        ({"prior": {"low": 2.0, "high": 1.0}}, "space: prior.high=1.0 is not allowed"),
        ({"prior": {"low": 0, "high": 1.0, "log": True}}, "low above 0"),
        ({"net.encoder": [[16], "wide"]}, "encoder='wide' is not allowed"),
        ({"family": ["ae", "vae"]}, "family cannot be swept"),
        ({"n_joint": [4, 8]}, "n_joint has no effect.*vary n_content"),
    ],
)
def test_wrong_spaces_are_refused(space: dict[str, Any], message: str) -> None:
    """The error names the field, the value and what is allowed."""
    with pytest.raises(ConfigError, match=message):
        parse_space(space, AE())


def test_measured_content_varies_the_joint_code() -> None:
    """Its own size has no effect on the training that a sweep tries."""
    recipe = replace(PICTURES, content="gradients", n_content=24)
    with pytest.raises(ConfigError, match="vary n_joint"):
        parse_space({"n_content": [4, 8]}, recipe)
    domain = Domain.registry["image"]
    assert "n_joint" in default_space(recipe, domain, (1, 28, 28))
    assert "n_content" in default_space(PICTURES, domain, (1, 28, 28))


@pytest.mark.parametrize(
    ("recipe", "domain", "shape"),
    [
        (PICTURES, "image", (1, 28, 28)),
        (PICTURES, "image", (3, 64, 64)),
        (SERIES, "series", (1, 64)),
        (VAE(warp=SERIES.warp, prior="learned"), "series", (2, 20)),
        (PICTURES.without_warp(), "image", (1, 28, 28)),
    ],
)
def test_default_space_is_allowed(recipe: Any, domain: str, shape: tuple[int, ...]) -> None:
    """Each end of each range gives a recipe that can be built."""
    space = default_space(recipe, Domain.registry[domain], shape)
    assert {"n_content", "optimiser.lr"} < space.keys()
    for name, values in space.items():
        for value in values.ends:
            apply_overrides(recipe, {name: value}).build(shape)
