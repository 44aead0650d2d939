"""Treatments of missing values are checked by name."""

from __future__ import annotations

import pytest

from unwarp.core import MissingPolicy
from unwarp.data.missing import check_policy, policy_for_scaling
from unwarp.errors import ConfigError


def test_unknown_policies_are_refused() -> None:
    """The error for an unknown treatment lists the known ones."""
    assert check_policy("mask") == "mask"
    with pytest.raises(ConfigError, match="choose one of error, interpolate, mask"):
        check_policy("drop")


def test_scales_need_no_gaps() -> None:
    """Masked values are interpolated while a scale is fitted."""
    policies: tuple[MissingPolicy, ...] = ("error", "interpolate", "mask")
    assert [policy_for_scaling(policy) for policy in policies] == [
        "error",
        "interpolate",
        "interpolate",
    ]
