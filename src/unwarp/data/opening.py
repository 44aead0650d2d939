"""From whatever a user has to samples with their times: read once, here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from unwarp.core import DomainName, MissingPolicy
from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.source import Source
from unwarp.errors import ConfigError


def resolve_domain(X: Any, domain: DomainName, said: DomainName, leaning: DomainName) -> DomainName:
    """What `X` was said to hold by a person, by its file or, where its axes read two ways, by a warp."""
    told = domain if domain != "auto" else said
    return leaning if told == "auto" and getattr(X, "ndim", 3) == 3 else told


def _known(missing: Any) -> MissingPolicy:
    if missing not in get_args(MissingPolicy):
        raise ConfigError(f"missing={missing!r} is unknown; choose one of {', '.join(get_args(MissingPolicy))}")
    known: MissingPolicy = missing
    return known


def _across(mask: Tensor, x: Tensor) -> Tensor:
    """A mask (N, T) or (N, C, T) of series `x` (N, C, T), or one of the shape of pictures, in that shape."""
    return (mask[:, None] if mask.ndim < x.ndim else mask).expand_as(x)


def _opened(X: Any, times: Any) -> tuple[Any, Any, DomainName]:
    """What `X` holds, its time stamps and its kind as far as it says so."""
    found = read(X) if isinstance(X, str | Path) else X
    if isinstance(found, Source):
        return found.x, found.times if times is None else times, found.domain
    if isinstance(found, Dataset):
        stamps = found.times if times is None else times
        x = found.x if found.mask is None else found.x.masked_fill(~_across(found.mask, found.x), torch.nan)
        return x.numpy(), stamps.numpy() if isinstance(stamps, Tensor) else stamps, "image" if x.ndim == 4 else "series"
    return found, times, "auto"
