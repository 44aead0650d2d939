"""Fields of a recipe from files and from the command line: what they change, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unwarp import AE, VAE, Affine2d, Chain, CosineTime
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.planning.overrides import lay_over, parse_overrides
from unwarp.planning.presets import DIGITS, SERIES
from unwarp.warps import named


def test_no_overrides_change_nothing() -> None:
    """The recipe itself comes back."""
    assert parse_overrides() == {}
    assert lay_over(DIGITS, {}) is DIGITS


def test_overrides_change_their_field_alone() -> None:
    """All other fields stay as they were decided."""
    assert lay_over(DIGITS, {"n_content": 9}) == replace(DIGITS, n_content=9)
    second_look = replace(SERIES, refinements=1, swap=True)
    assert lay_over(second_look, {"n_content": 4}) == replace(second_look, n_content=4)
    assert lay_over(SERIES, {"warp.sampling_rate": 50}).warp == CosineTime(sampling_rate=50.0)
    slower = replace(SERIES, optimiser=replace(SERIES.optimiser, lr=1e-4))
    assert lay_over(SERIES, {"optimiser.lr": 1e-4}) == slower


def test_warps_are_set_by_name() -> None:
    """A warp given by name comes with its defaults; its fields may be set after it."""
    assert lay_over(AE(), {"warp": "displacement+affine"}).warp == named("displacement+affine")
    assert lay_over(AE(), {"warp": "affine", "warp.rotation": 90}).warp == Affine2d(rotation=90.0)


def test_settings_go_before_the_file(tmp_path: Path) -> None:
    """Nested fields of a file become dotted ones; texts replace them."""
    path = tmp_path / "recipe.yaml"
    path.write_text("family: vae\nwarp: displacement+affine\nbeta: 3\nnet: {kind: conv}\n")
    overrides = parse_overrides(path, ["beta=2"])
    assert overrides == {
        "family": "vae",
        "warp": "displacement+affine",
        "beta": 2,
        "net.kind": "conv",
    }
    expected = VAE(warp=named("displacement+affine"), net=Net("conv"), beta=2.0)
    assert lay_over(VAE(), overrides) == expected


@pytest.mark.parametrize("text", ["x=[1", "n_content"])
def test_unreadable_settings_are_refused(text: str) -> None:
    """No YAML, or no key."""
    with pytest.raises(ConfigError):
        parse_overrides(None, [text])


@pytest.mark.parametrize(
    "overrides",
    [
        {"n_contents": 3},
        {"n_content.x": 3},
        {"n_content": "many"},
        {"optimiser.lr": -1},
        {"warp.family": "chain"},
        {"warp": 3},
        {"net": "conv"},
    ],
)
def test_impossible_fields_are_refused(overrides: dict[str, Any]) -> None:
    """Unknown fields, and values of the wrong type."""
    with pytest.raises(ConfigError):
        lay_over(AE(), overrides)


def test_fields_with_parts_name_them() -> None:
    """The error says which part to set."""
    with pytest.raises(
        ConfigError, match=r"net cannot be 'conv'; set one of its parts, as net.kind=.*channels"
    ):
        lay_over(AE(), {"net": "conv"})


def test_parts_of_chains_are_set_by_name() -> None:
    """A field of a part is addressed by the part; the chain has none of its own."""
    turned = lay_over(DIGITS, {"warp.affine.rotation": 180.0})
    assert turned.warp == Chain(DIGITS.warp.parts[0], Affine2d(rotation=180.0))
    with pytest.raises(
        ConfigError,
        match=r"no field 'rotation'; set fields of its parts, as warp.PART.rotation, which are displacement, affine",
    ):
        lay_over(DIGITS, {"warp.rotation": 180.0})


def test_warps_may_come_as_they_are() -> None:
    """A warp, its name or its description."""
    for value in (Affine2d(rotation=90.0), {"family": "affine", "rotation": 90.0}):
        assert lay_over(AE(), {"warp": value}).warp == Affine2d(rotation=90.0)
