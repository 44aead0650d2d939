"""Warps by name."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from unwarp.errors import ConfigError, DataError
from unwarp.warps import Affine2d, Chain, Identity, Warp, families, warp_named

FRAME = (24, 32)


DEFAULTS: dict[str, dict[str, object]] = {
    "affine": {"rotation": 45.0, "shift": 1.0, "scale": 1.6, "shear": 0.5},
    "similarity": {"rotation": 45.0, "shift": 1.0, "scale": 1.6},
    "rigid": {"rotation": 45.0, "shift": 1.0},
    "translation": {"shift": 1.0},
    "displacement": {"grid": 4, "reach": 0.15, "extent": 1.0, "frame": None},
    "gain": {"most": 2.0, "offset": 1.0},
    "time": {"waves": 16, "bound": 2.5, "reach": 2.0, "cells": 64},
    "time-cpab": {"pieces": 8, "reach": 0.15, "cells": 64},
    "time-shift": {"reach": 0.25, "cells": 64, "sampling_rate": None},
    "time-softmax": {"reach": 1.5, "cells": 16},
    "time-spline": {"bins": 8, "reach": 1.0, "cells": 64},
    "time-square": {"reach": 0.8, "cells": 16, "free_ends": False},
}
"""Fields of the families by name; other values would train other models."""


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_decide_trained_models(name: str) -> None:
    """A name means the same family in every version: a model that is trained again is the same."""
    fields = vars(warp_named(name))
    assert {key: fields[key] for key in DEFAULTS[name]} == DEFAULTS[name]
    size = 2 if warp_named(name).domain == "image" else 1
    assert fields["size"] == (2,) * size
    assert families().keys() >= DEFAULTS.keys() | {"identity"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("affine", 30.0),
        ("similarity", 30.0),
        ("rigid", 30.0),
        ("translation", 0.5),
        ("displacement", 3),
        ("gain", 1.5),
        ("time", 4),
        ("time-cpab", 4),
        ("time-shift", 0.1),
        ("time-softmax", 1.0),
        ("time-spline", 4),
        ("time-square", 0.5),
    ],
)
def test_first_argument_is_the_familys_own(name: str, value: float) -> None:
    """Fields that all families share are given by name, so that `CosineTime(4)` has four waves."""
    family, field = families()[name], next(iter(DEFAULTS[name]))
    assert vars(family(value))[field] == value  # type: ignore[call-arg]
    own = [f for f in fields(family) if not f.kw_only]
    assert own[0].name == field and not {f.name for f in own} & {"size", "cells", "anchor"}


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


def test_slope_of_rounded_tanh_has_a_floor() -> None:
    """Where float32 rounds a derivative to 0, its logarithm is -60 or the exact one, not -inf."""
    slope = Warp.log_slope(Affine2d(), torch.tensor([[-1e3, 1e3, 0.0, 0.0, 0.0, 0.0]]))
    assert slope[0, :2].tolist() == [-60.0, -60.0]
    torch.testing.assert_close(slope[0, 2:], torch.zeros(4), atol=1e-6, rtol=0)


def test_samples_follow_the_generator() -> None:
    """A fraction of 0 gives identities, 1 the whole range, on the dtype of a tensor."""
    warp, like = Affine2d(size=FRAME), torch.zeros(0, dtype=torch.float64)
    still = warp.theta(warp.sample(5, fraction=0.0, like=like))
    torch.testing.assert_close(still, torch.zeros(5, 6).double(), atol=1e-7, rtol=0)
    shares = torch.rand(9, 6, generator=torch.Generator().manual_seed(4)) * 2 - 1
    theta = warp.theta(warp.sample(9, torch.Generator().manual_seed(4)))
    half_ranges = torch.tensor([factor.half_range for factor in warp.factors])
    torch.testing.assert_close(theta, shares * half_ranges, atol=1e-5, rtol=0)
    circle = Affine2d(rotation=180, size=FRAME)
    angles = circle.theta(circle.sample(200, fraction=0.0))[:, 0]
    assert angles.abs().max() > 3


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
