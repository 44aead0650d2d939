"""Warps by name, and the identity."""

from __future__ import annotations

import pytest
import torch

from tests.pictures import smooth_noise
from unwarp.errors import ConfigError, DataError
from unwarp.warps import Affine2d, Chain, Identity, align, families, warp_named

FRAME = (24, 32)


def test_identity_returns_its_argument() -> None:
    """The identity returns the very array, deformed or aligned."""
    x = smooth_noise(2, FRAME)
    map = Identity().map(torch.zeros(2, 0))
    assert map(x) is x
    assert align(x, map) is x


def test_named_chains_with_plus() -> None:
    """Families are registered by their names, and a plus sign chains two."""
    assert all(name == family.name for name, family in families().items())
    assert warp_named("affine") == Affine2d()
    chained = warp_named("displacement+affine")
    assert isinstance(chained, Chain)
    assert [part.name for part in chained.parts] == ["displacement", "affine"]


@pytest.mark.parametrize("text", ["afine", "", "affine+", "chain", "affine+bent"])
def test_named_refuses_unknown_names(text: str) -> None:
    """An unknown name is refused with the list of names."""
    with pytest.raises(
        ConfigError, match="affine, displacement, gain, identity, rigid, similarity"
    ):
        warp_named(text)
    assert not issubclass(ConfigError, DataError)
