"""Types and ranges of arguments, in one place for all doors.

Python, YAML and the command line check by them alike.

`ARGUMENTS` lists the ranges of the arguments of `Unwarper`, and `RECIPE_RANGES` those of the fields
of a recipe that decide how much it computes. `unwarp.range_kinds` defines the kinds of ranges.
Importing this file imports neither torch nor NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from unwarp.core import (
    ClusterMethod,
    ContentName,
    DeviceName,
    DivergencePolicy,
    LabelPolicy,
    LayoutName,
    LengthPolicy,
    MissingPolicy,
    Precision,
    RefineName,
    ScaleName,
    StartName,
    TableLayout,
)
from unwarp.errors import ConfigError
from unwarp.range_kinds import (
    MAX_SEED,
    Choice,
    Flag,
    Instance,
    Names,
    Real,
    Seed,
    Size,
    SizeRule,
    Sizes,
    Whole,
)
from unwarp.values import brief

MAX_STEPS = 2**40 - 1
"""Greatest number of training steps; greater numbers of a step belong to hooks of models."""

Range = Whole | Real | Choice | Flag | Sizes | SizeRule | Names | Size | Instance | Seed
"""A type with a range of values; `allows` checks a value, and `str` says both in words."""

ARGUMENTS: Mapping[str, Range] = {
    "n_content": Whole(1, 65_536, is_optional=True),
    "content": Choice(get_args(ContentName)),
    "n_clusters": Whole(1, MAX_SEED, is_optional=True),
    "clusters": Choice(get_args(ClusterMethod)),
    "refine": Choice(get_args(RefineName)),
    "fast": Flag(),
    "labels": Choice(get_args(LabelPolicy)),
    "max_steps": Whole(1, MAX_STEPS, is_optional=True),
    "max_seconds": Real(0, is_optional=True, unit="seconds"),
    "validation_fraction": Real(0, 0.9, is_optional=True),
    "batch_size": Whole(2, 1_048_576, is_optional=True),
    "sampling_rate": Real(0, is_optional=True, unit="samples per second"),
    "working_size": Size(),
    "missing": Choice(get_args(MissingPolicy)),
    "layout": Choice(get_args(LayoutName)),
    "sizes": SizeRule(),
    "lengths": Choice(get_args(LengthPolicy)),
    "table": Choice(get_args(TableLayout)),
    "id_column": Names(),
    "time_column": Names(),
    "value_columns": Names(are_several=True),
    "label_column": Names(),
    "precision": Choice(get_args(Precision)),
    "start": Choice(get_args(StartName)),
    "on_divergence": Choice(get_args(DivergencePolicy)),
    "scale": Choice(get_args(ScaleName), is_optional=True),
    "device": Choice(get_args(DeviceName)),
    "image_shape": Sizes((2, 3), "(H, W) or (C, H, W)", is_optional=True),
    "random_state": Seed(),
    "warm_start": Flag(),
    "verbose": Flag(has_levels=True),
}
"""Ranges of the arguments of `Unwarper` that do not depend on the samples, by name."""

RECIPE_RANGES: Mapping[str, Range] = {
    "n_content": Whole(1, 65_536),
    "refinements": Whole(0, 64),
    "pose_clusters": Whole(0, 10_000),
    "pose_updates": Whole(0, 100_000),
    "starts": Whole(1, 1_024),
}
"""Ranges of the fields of a recipe that bound its work, by name."""

PASSES = Whole(1, 1_000)
"""Range of the two numbers of runs in `passes` of a recipe."""

SAMPLE_COUNT = Whole(1, 2**31 - 1)
"""Range of a number of samples to generate."""


def check_value(name: str, value: Any, range: Range) -> None:
    """Refuse a value of an argument that is outside of its range.

    Args:
        name: Name of the argument, for the message.
        value: The value.
        range: Type and range of the argument.

    Raises:
        ConfigError: The value has another type or is out of range.

    >>> check_value("max_steps", 0, ARGUMENTS["max_steps"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    unwarp.errors.ConfigError: max_steps=0 is not allowed; give a whole number from 1 to ...
    """
    if not range.allows(value):
        raise ConfigError(f"{name}={brief(value)} is not allowed; give {range}")


def check_arguments(values: Mapping[str, Any]) -> None:
    """Refuse arguments of `Unwarper` that are outside of their ranges.

    Args:
        values: Values by the name of the argument; names without a range are ignored.

    Raises:
        ConfigError: A value has another type or is out of range; the message names the argument.

    >>> check_arguments({"random_state": 2**32, "warp": "affine"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    unwarp.errors.ConfigError: random_state=4294967296 is not allowed; give a whole number from ...
    """
    for name, range in ARGUMENTS.items():
        if name in values:
            check_value(name, values[name], range)
