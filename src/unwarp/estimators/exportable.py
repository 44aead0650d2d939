"""Refusal of models with steps that no graph of tensors can hold."""

from __future__ import annotations

from collections.abc import Sequence

from unwarp.data.schema import Schema
from unwarp.errors import ConfigError
from unwarp.estimators.export_graph import FUNCTIONS
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.measured import ElasticCode
from unwarp.range_kinds import Choice
from unwarp.ranges import check_value

CONTENT_FUNCTIONS = {"embed", "template"}
"""Functions that need content codes."""


def functions_of(unwarper: Unwarper, functions: Sequence[str] | None = None) -> tuple[str, ...]:
    """Names of the functions to export, in the order of `FUNCTIONS`.

    Args:
        unwarper: A trained estimator.
        functions: Some of `pose`, `align`, `embed` and `template`; None for all that the model has.

    Raises:
        ConfigError: A name is unknown, there is none, or the model has no poses.
    """
    has_pose = bool(unwarper.model_.warp.factors)
    if functions is None:
        return FUNCTIONS if has_pose else FUNCTIONS[1:]
    for name in functions:
        check_value("functions", name, Choice(FUNCTIONS))
    if not functions:
        raise ConfigError(f"functions=() exports nothing; choose some of {', '.join(FUNCTIONS)}")
    if "pose" in functions and not has_pose:
        raise ConfigError("functions='pose' needs a warp, and the model has none; leave it out")
    return tuple(name for name in FUNCTIONS if name in functions)


def check_exportable(unwarper: Unwarper, functions: Sequence[str], refine: str = "auto") -> None:
    """Refuse a model with steps that cannot be exported.

    Args:
        unwarper: A trained estimator.
        functions: Names of functions to export.
        refine: `none` to export learned deformations without their refinement.

    Raises:
        ConfigError: The message names the step, and how to do without it.
    """
    check_value("refine", refine, Choice(("auto", "none")))
    if unwarper.refinement_ is not None and refine != "none":
        raise ConfigError(
            "refine='auto' refines deformations of each sample after the networks, which no "
            "exported graph can; set refine='none' to export learned deformations without it"
        )
    _check_schema(unwarper.schema_)
    encoder = unwarper.model_.encoder
    if getattr(getattr(encoder, "start", None), "kind", None) == "search":
        raise ConfigError(
            "start='search' compares each sample with templates, which no exported graph can; "
            "train a model with start='learned', or with start='centroid' for pictures"
        )
    coded = [name for name in functions if name in CONTENT_FUNCTIONS]
    code = getattr(encoder, "content", None)
    if coded and isinstance(code, ElasticCode):
        raise ConfigError(
            "content='elastic' measures distances of each series to others, which no exported "
            f"graph can, and {' and '.join(coded)} need it; set functions=('pose', 'align'), or "
            "train a model with content='joint'"
        )
    if "embed" in functions and unwarper.columns_.base != "content":
        raise ConfigError(
            "labels='choose' took other features than content codes, which cannot be exported; "
            "leave 'embed' out of functions, or train a model with labels='ignore'"
        )


def _check_schema(schema: Schema) -> None:
    """Refuse series that are filled, resampled or levelled before a model takes them."""
    if schema.has_gaps:
        raise ConfigError(
            "missing='mask' and series of unequal lengths have gaps, which are filled before a "
            "model takes them, and no exported graph can; train a model with complete series"
        )
    if schema.has_time_stamps or schema.clock.any_length:
        raise ConfigError(
            "times and lengths of series are brought to one time axis before a model takes them, "
            "which no exported graph can; train a model with evenly spaced series of one length"
        )
    if schema.is_levelled:
        raise ConfigError(
            "scale='level' takes the trend and the spikes of each series away, which no exported "
            "graph can; train a model with scale='each' or scale='channel'"
        )
