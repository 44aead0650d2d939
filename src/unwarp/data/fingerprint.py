"""Fingerprints: facts about data and settings that tell one training from another.

A fingerprint is a mapping of JSON values by name, which may be nested. Values of samples are in it
as checksums, so that it is short.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from unwarp._version import __version__
from unwarp.checksums import checksum
from unwarp.data.recordings import RegularSamples
from unwarp.data.sample_rows import SampleRows
from unwarp.data.samples import Samples, StoredSamples
from unwarp.data.source import Source
from unwarp.registry import address

MAX_NAMES_IN_MESSAGE = 3
"""Greatest number of differences that a message lists."""

IN_WORDS = {
    "samples": "other values, or another order of rows",
    "labels": "other labels, or another order of them",
    "times": "other time stamps",
}
"""Difference of two checksums in words, by the last part of the name."""


def code_facts() -> dict[str, Any]:
    """Versions of Unwarp and of torch."""
    return {"unwarp": __version__, "torch": str(torch.__version__)}


def dataset_facts(data: Samples) -> dict[str, Any]:
    """Shape, dtype and a checksum of training samples, in their order.

    Args:
        data: Training samples. Of `draw`, the function that generates observations, only the name
            is a fact.
    """
    if isinstance(data, SampleRows):
        return {**dataset_facts(data.samples), "rows": [len(data), checksum(data.rows)]}
    draw = getattr(data, "draw", None)
    sample = data.preview(1)
    x = data.facts if isinstance(data, StoredSamples) else sample
    return {
        "shape": [len(data), *sample.shape[1:]],
        "dtype": str(sample.dtype).removeprefix("torch."),
        "samples": checksum(x),
        "draw": None if draw is None else address(draw),
    }


def source_facts(source: Source) -> dict[str, Any]:
    """Facts about the samples of a source, before they are scaled.

    Args:
        source: Samples. Their names do not count, so a folder may be renamed.
    """
    x = source.x.samples if isinstance(source.x, RegularSamples) else source.x
    labels = None if source.labels is None else np.asarray(source.labels)
    return {
        "number": len(source),
        "samples": checksum(x),
        "labels": checksum(labels),
        "times": checksum(source.times),
    }


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The differences of two fingerprints, in words.

    Args:
        there: Fingerprint of an earlier training.
        here: Fingerprint of this training.

    Returns:
        At most three differences, joined by semicolons; empty if the fingerprints are equal.

    >>> differences({"steps": 10, "data": {"dtype": "a"}}, {"steps": 20, "data": {"dtype": "a"}})
    'steps=20, but it was 10'
    """
    old, new = (_flatten(json.loads(json.dumps(facts, default=str))) for facts in (there, here))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    lines = [_difference(name, old.get(name), new.get(name)) for name in names]
    more = len(lines) - MAX_NAMES_IN_MESSAGE
    return "; ".join(lines[:MAX_NAMES_IN_MESSAGE]) + (f"; {more} more" if more > 0 else "")


def _difference(name: str, old: Any, new: Any) -> str:
    """One difference in words."""
    words = IN_WORDS.get(name.rpartition(".")[2])
    return f"{name}: {words}" if words else f"{name}={new!r}, but it was {old!r}"


def _flatten(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts as one mapping with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        is_nested = isinstance(value, Mapping) and value
        flat |= _flatten(value, f"{prefix}{name}.") if is_nested else {f"{prefix}{name}": value}
    return flat
