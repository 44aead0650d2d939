"""Overrides: fields that they change, and values that are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unwarp import AE, VAE, Affine2d, Chain, CosineTime
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.planning.overrides import apply_overrides, parse_overrides
from unwarp.planning.plan import Request
from unwarp.planning.presets import DIGITS, SERIES
from unwarp.warps import Rigid2d, warp_named


def test_no_overrides_change_nothing() -> None:
    """Without overrides `apply_overrides` returns the recipe itself."""
    assert parse_overrides() == {}
    assert apply_overrides(DIGITS, {}) is DIGITS


def test_overrides_change_their_field_alone() -> None:
    """All other fields keep their values."""
    assert apply_overrides(DIGITS, {"n_content": 9}) == replace(DIGITS, n_content=9)
    refined = replace(SERIES, refinements=1, swap=True)
    assert apply_overrides(refined, {"n_content": 4}) == replace(refined, n_content=4)
    assert apply_overrides(SERIES, {"warp.sampling_rate": 50}).warp == CosineTime(
        sampling_rate=50.0
    )
    slower = replace(SERIES, optimiser=replace(SERIES.optimiser, lr=1e-4))
    assert apply_overrides(SERIES, {"optimiser.lr": 1e-4}) == slower


def test_warps_are_set_by_name() -> None:
    """A name gives the warp with its defaults; later overrides set its fields."""
    assert apply_overrides(AE(), {"warp": "displacement+affine"}).warp == warp_named(
        "displacement+affine"
    )
    assert apply_overrides(AE(), {"warp": "affine", "warp.rotation": 90}).warp == Affine2d(
        rotation=90.0
    )


def test_settings_go_before_the_file(tmp_path: Path) -> None:
    """Nested fields of a file become dotted ones, and texts replace them."""
    path = tmp_path / "recipe.yaml"
    path.write_text("family: vae\nwarp: displacement+affine\nbeta: 3\nnet: {kind: conv}\n")
    overrides = parse_overrides(path, ["beta=2"])
    assert overrides == {
        "family": "vae",
        "warp": "displacement+affine",
        "beta": 2,
        "net.kind": "conv",
    }
    expected = VAE(warp=warp_named("displacement+affine"), net=Net("conv"), beta=2.0)
    assert apply_overrides(VAE(), overrides) == expected


@pytest.mark.parametrize("text", ["x=[1", "n_content"])
def test_unreadable_settings_are_refused(text: str) -> None:
    """A text without a key or with invalid YAML is refused."""
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
def test_invalid_overrides_are_refused(overrides: dict[str, Any]) -> None:
    """Unknown fields and values of the wrong type are refused."""
    with pytest.raises(ConfigError):
        apply_overrides(AE(), overrides)


def test_fields_with_parts_name_them() -> None:
    """The message lists the parts of a field that cannot be set whole."""
    with pytest.raises(
        ConfigError, match=r"net cannot be 'conv'; set one of its parts, as net.kind=.*channels"
    ):
        apply_overrides(AE(), {"net": "conv"})


def test_parts_of_chains_are_set_by_name() -> None:
    """A field of a part is set by the name of the part; a chain has no such fields itself."""
    turned = apply_overrides(DIGITS, {"warp.affine.rotation": 180.0})
    assert turned.warp == Chain(DIGITS.warp.parts[0], Affine2d(rotation=180.0))
    with pytest.raises(
        ConfigError,
        match=r"no field 'rotation'; set a field of one of its parts \(displacement, affine\), as "
        r"warp\.PART\.rotation",
    ):
        apply_overrides(DIGITS, {"warp.rotation": 180.0})


def test_warps_are_set_whole() -> None:
    """An override may be a warp or its description."""
    for value in (Affine2d(rotation=90.0), {"family": "affine", "rotation": 90.0}):
        assert apply_overrides(AE(), {"warp": value}).warp == Affine2d(rotation=90.0)


ALIAS_BOMB = "a0: &a0 [1, 1]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("n_content: 8\nwarp: \xe4".encode("latin-1"), "is not UTF-8 text"),
        ("n_content: 8".encode("utf-16"), "is not UTF-8 text"),
        (ALIAS_BOMB.encode(), "more than 4,096 values"),
        (b"a: &a [*a]", "more than 4,096 values"),
        (b"a: " + b"[" * 5000, "too many levels"),
        (b"a: " + b"1" * 5000, "not valid YAML"),
        (b"a: 2020-99-99", "not valid YAML"),
        (b"a: 1\n" * 20_000, "more than 65,536 bytes"),
        (b"- 1", "--config must be a file with fields"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """Other encodings, aliases that multiply, deep, long and invalid files; one line each."""
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        parse_overrides(path)
    assert "\n" not in str(caught.value)


def test_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    """A file that begins with the mark of UTF-8 is read like one without."""
    path = tmp_path / "recipe.yaml"
    path.write_text("n_content: 8", "utf-8-sig")
    assert parse_overrides(path) == {"n_content": 8}


@pytest.mark.parametrize(
    "setting",
    [
        "n_content=1000000000",
        "n_content=.nan",
        "n_content=-1",
        "optimiser.lr=.nan",
        "optimiser.lr=.inf",
        "optimiser.lr=1e400",
        "optimiser.warmup=-1",
        "views=.nan",
        "isometry=.inf",
        "refinements=1000000",
        "passes=[1, 1000000000]",
        "pose_updates=1000000000",
        "net.encoder=[1000000000]",
        "net.channels=8000000000",
        "sigma=.nan",
    ],
)
def test_settings_out_of_range_are_refused(setting: str) -> None:
    """A value that is not finite or asks for endless work is refused before the data are read."""
    overrides = parse_overrides(None, [setting])
    for recipe in (None, "ae", AE()):
        with pytest.raises(ConfigError):
            Request(recipe, overrides=overrides)


def test_mirror_is_set_by_text() -> None:
    """`--set warp.mirror=true` switches the mirror of a named warp on; other values are refused."""
    recipe = AE(warp=warp_named("rigid"))
    mirrored = apply_overrides(recipe, parse_overrides(None, ["warp.mirror=true"]))
    assert mirrored == AE(warp=Rigid2d(mirror=True))
    with pytest.raises(ConfigError, match=r"Rigid2d\.mirror=2 is not allowed"):
        apply_overrides(recipe, parse_overrides(None, ["warp.mirror=2"]))
