"""Treatments of missing values, by name.

`core.MissingPolicy` lists the names: `error` refuses missing values, `interpolate` fills them by
linear interpolation and counts them as observed, `mask` leaves them out of the loss.
"""

from __future__ import annotations

from typing import Any, cast, get_args

from unwarp.core import MissingPolicy
from unwarp.errors import ConfigError
from unwarp.range_kinds import Choice


def check_policy(missing: Any) -> MissingPolicy:
    """Refuse an unknown treatment of missing values.

    Args:
        missing: `error`, `interpolate` or `mask`; anything else is refused.

    Returns:
        `missing` itself, with the type `MissingPolicy`.

    Raises:
        ConfigError: `missing` is none of the three.

    >>> check_policy("mask")
    'mask'
    """
    if not Choice(get_args(MissingPolicy)).allows(missing):
        raise ConfigError(
            f"missing={missing!r} is unknown; choose one of {', '.join(get_args(MissingPolicy))}"
        )
    return cast(MissingPolicy, missing)


def policy_for_scaling(missing: MissingPolicy) -> MissingPolicy:
    """The treatment of missing values while a scale is fitted.

    A mean or a range cannot be computed from NaN, so values that training masks are interpolated to
    fit the scale.

    Args:
        missing: Treatment during training.

    Returns:
        `interpolate` for `mask`, else `missing`.

    >>> policy_for_scaling("mask"), policy_for_scaling("error")
    ('interpolate', 'error')
    """
    return "interpolate" if missing == "mask" else missing
