"""Warps by name, and the identity."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from tests.pictures import smooth_noise
from unwarp.errors import ConfigError, DataError
from unwarp.warps import Affine2d, Chain, Identity, Warp, align, families, warp_named

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


@pytest.mark.parametrize(
    "member", [family() for family in families().values() if family is not Chain]
)
def test_fields_and_theta_have_types(member: Warp) -> None:
    """Every family refuses fields, sizes and parameters of another type, by name."""
    for item in fields(member):
        for value in ("many", np.nan, np.zeros(2), {}):
            with pytest.raises(ConfigError, match=f"{item.name}="):
                replace(member, **{item.name: value})
    for size in (3, None, (), (0,), (1, 2, 3), "12", (8, True)):
        if not (isinstance(member, Identity) and size == (1, 2, 3)):  # it has no number of axes
            with pytest.raises(ConfigError, match="size="):
                member.bind(size)  # type: ignore[arg-type]
    n = len(member.factors)
    for theta in (
        None,
        [[0.0] * n],
        torch.zeros(n),
        torch.zeros(2, n + 1),
        torch.zeros(2, n).int(),
    ):
        with pytest.raises(DataError, match=f"^theta=.*give a tensor \\(N, {n}\\)"):
            member.map(theta)  # type: ignore[arg-type]
    for arguments in ({"n": -1}, {"n": 1.5}, {"n": True}, {"n": 1, "fraction": np.nan}):
        with pytest.raises(ConfigError, match=f"{list(arguments)[-1]}="):
            member.sample(**arguments)  # type: ignore[arg-type]
