"""Results in parts: when, and the facts that decide them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unwarp.data.array_likes import as_numpy
from unwarp.data.hints import Hints
from unwarp.data.mapped import is_mapped
from unwarp.data.opening import as_source
from unwarp.data.pairs import order_by_names
from unwarp.data.part_folder import is_part_folder
from unwarp.data.schema import Prepared
from unwarp.data.source import Source
from unwarp.data.writing import check_output, is_folder
from unwarp.disk.paths import exists
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import DataError
from unwarp.estimators.part_results import AlignedParts
from unwarp.estimators.unwarper import Unwarper

MIN_BYTES_FOR_PARTS = 1 << 30
"""Size of an array on disk above which a folder of results gets shards instead of pictures."""


def check_unless_parts(out: str | Path, inputs: Sequence[str | Path]) -> None:
    """Refuse an output before any work, unless it is begun in parts.

    Args:
        out: Folder or file to write.
        inputs: Files and folders that are read, and stay as they are.

    Raises:
        ConfigError: It cannot be written, holds other files, or is an input.
    """
    if not (is_folder(out) and is_part_folder(out)):
        check_output(out, inputs)


def is_large(source: Source) -> bool:
    """Whether results are written in parts.

    So are those of shards, and of large arrays on disk.

    Args:
        source: Samples. Results for files of pictures are files of pictures, however many.
    """
    if isinstance(source.x, ShardedArray):
        return True
    is_array = is_mapped(source.x) and not len(source.form.files)
    return is_array and source.x.nbytes > MIN_BYTES_FOR_PARTS


def aligned_parts(
    model: Unwarper, samples: Source, other: str | None, to: str | None, counts: bool
) -> AlignedParts:
    """Aligned shards of samples, or of other data of the same things.

    Args:
        model: A trained estimator.
        samples: The samples.
        other: Source of data that are aligned instead; None for the samples.
        to: Name, number or file of the sample to which all are aligned; None for the template.
        counts: Whether the series count events.

    Raises:
        DataError: There is no such sample, or another number of other data.
    """
    results = AlignedParts(model, samples, counts=counts)
    if to is not None:
        results.to = sample_to_align_to(to, samples)
    if other is not None:
        results.other = paired_source(model, samples, other)
        if len(results.other) != len(samples):
            raise DataError(
                f"other={other} holds {len(results.other):,} samples, X holds {len(samples):,}; "
                "give as many, in the same order"
            )
    return results


def paired_source(
    model: Unwarper,
    samples: Source,
    other: str,
    on_message: Callable[[str], None] = lambda line: None,
) -> Source:
    """Data that belong to samples, in the order of the samples.

    Args:
        model: A trained estimator, which says how pictures are read.
        samples: The samples.
        other: Source of the other data.
        on_message: Function that shows a line to people.

    Raises:
        DataError: Some of their names are those of samples in other rows.
    """
    source = as_source(other if exists(other) else other.splitlines(), None, model_hints(model))
    order = order_by_names(samples.names, source.names, "other")
    if order is None:
        return source
    on_message("other: paired with the samples by name, not by order")
    return source.subset(order)


def model_hints(model: Unwarper) -> Hints:
    """How a model reads pictures, apart from their shape.

    Args:
        model: An estimator.
    """
    return Hints(model.layout, model.sizes)


def sample_to_align_to(text: str, samples: Source, prepared: Prepared | None = None) -> Any:
    """The sample that a user names.

    Args:
        text: Name of a sample, its number from 0, or a file of one sample.
        samples: The samples, with their names.
        prepared: The same samples, prepared for the model; None if they are too many.

    Returns:
        Its values; for irregular series, and for samples that are not prepared, its number.

    Raises:
        DataError: There is no such sample or file, or the file holds several.
    """
    names = [str(name) for name in samples.row_names]
    if text in names or (text.isascii() and text.isdigit() and int(text) < len(names)):
        row = names.index(text) if text in names else int(text)
        if prepared is None or hasattr(prepared.origin, "values"):
            return row
        return np.asarray(as_numpy(prepared.origin.subset(slice(row, row + 1)).original))[0]
    if not exists(text):
        raise DataError(
            f"to={text!r} is no sample and no file; give a name such as {names[0]!r}, a number "
            f"from 0 to {len(names) - 1}, or a file of one sample"
        )
    source = as_source(text)
    if len(source) != 1:
        raise DataError(f"to={text!r} holds {len(source):,} samples; give a file of one sample")
    return np.asarray(as_numpy(source.x))[0]
