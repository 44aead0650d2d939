"""Warps by name, and the identity."""

from __future__ import annotations

import pytest
import torch

from tests.pictures import smooth
from unwarp.errors import ConfigError, DataError
from unwarp.warps import Affine2d, Chain, Identity, align, families, named

FRAME = (24, 32)


def test_the_identity_returns_the_very_picture() -> None:
    x = smooth(2, FRAME)
    map = Identity().map(torch.zeros(2, 0))
    assert map(x) is x
    assert align(x, map) is x


def test_the_family_names_are_their_keys_and_names_chain_with_plus() -> None:
    assert all(name == family.name for name, family in families().items())
    assert named("affine") == Affine2d()
    chained = named("displacement+affine")
    assert isinstance(chained, Chain)
    assert [part.name for part in chained.parts] == ["displacement", "affine"]


@pytest.mark.parametrize("text", ["afine", "", "affine+", "chain", "affine+bent"])
def test_an_unknown_name_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(
        ConfigError, match="affine, displacement, gain, identity, rigid, similarity"
    ):
        named(text)
    assert not issubclass(ConfigError, DataError)
