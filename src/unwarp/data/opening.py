"""From whatever a user has to a `Source`: read once, here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import Tensor

from unwarp.core import IMAGES, SERIES, MissingPolicy
from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.errors import ConfigError


def as_source(X: Any, times: Any = None) -> Source:
    """The samples of `X` with all that is known of them, opened once.

    Args:
        X: A path to a file or a folder, an array-like, a list of series, a `Dataset` or a `Source`.
        times: Time stamps that replace those of `X`, as for `Unwarper.fit`; None for its own.

    Raises:
        DataError: A path that cannot be read.
    """
    source = _open(X)
    return source if times is None else replace(source, times=times)


def _open(X: Any) -> Source:
    if isinstance(X, Source):
        return X
    if isinstance(X, str | Path):
        return replace(read(X), name=Path(X).name)
    return _of_dataset(X) if isinstance(X, Dataset) else Source(X)


def _of_dataset(data: Dataset) -> Source:
    """A data set as a source; what its mask leaves out becomes NaN."""
    x = (
        data.x
        if data.mask is None
        else data.x.masked_fill(~_spread_mask(data.mask, data.x), torch.nan)
    )
    times = data.times.numpy() if isinstance(data.times, Tensor) else data.times
    domain = data.domain
    return Source(
        x.numpy(),
        data.ids,
        data.labels,
        domain="auto" if domain is None else domain.name,
        times=times,
        name=data.name,
        dataset=data,
    )


def _spread_mask(mask: Tensor, x: Tensor) -> Tensor:
    """A mask (N, T) or (N, C, T) of series `x` (N, C, T), or one of the shape of pictures, in that shape."""
    return (mask[:, None] if mask.ndim < x.ndim else mask).expand_as(x)


def resolve_domain(x: Any, from_user: str, from_source: str, from_warp: str) -> str:
    """Name of the domain of `x`: the user's, else the source's, else the warp's where axes read two ways.

    Args:
        x: Samples as a user gave them.
        from_user: Domain that the user named, or `auto`.
        from_source: Domain that the file format implies, or `auto`.
        from_warp: Domain on which the warp acts, or `auto`.
    """
    said = from_user if from_user != "auto" else from_source
    reads_two_ways = getattr(x, "ndim", 3) == 3 or from_warp not in (
        "auto",
        IMAGES.name,
        SERIES.name,
    )
    return from_warp if said == "auto" and reads_two_ways else said


def check_policy(missing: Any) -> MissingPolicy:
    """What missing values become, checked.

    Raises:
        ConfigError: An unknown policy.
    """
    if missing not in get_args(MissingPolicy):
        raise ConfigError(
            f"missing={missing!r} is unknown; choose one of {', '.join(get_args(MissingPolicy))}"
        )
    return cast(MissingPolicy, missing)


def policy_for_scaling(missing: MissingPolicy) -> MissingPolicy:
    """How gaps are filled where a scale is fitted."""
    return "interpolate" if missing == "mask" else missing
