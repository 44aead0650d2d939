"""The samples of a run: a file, a folder or a built-in data set, opened once and split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unwarp import datasets
from unwarp.data.opening import as_source
from unwarp.data.source import Source
from unwarp.errors import DataError
from unwarp.estimators.unwarper import Unwarper

MIN_SAMPLES = 10
"""Samples that a run needs at least, so that some can be held out."""


@dataclass(frozen=True)
class Parts:
    """Samples to learn from, held-out ones, and those that tables list.

    Attributes:
        training: Samples to learn from.
        test: Samples that no training sees.
        listed: All samples of a user, or the held-out ones of a built-in data set.
    """

    training: Source
    test: Source
    listed: Source


def open_source(name: str, part: str = "test") -> Source:
    """The samples of a file, a folder, or one part of a built-in data set.

    Args:
        name: A path, or the name of a data set.
        part: `train` or `test` of a built-in data set.

    Raises:
        DataError: Nothing there, or nothing that can be read.
    """
    return as_source(datasets.load(name, part) if name in datasets.names() else name)


def open_parts(name: str, estimator: Unwarper) -> Parts:
    """The built-in parts of a data set, or a user's samples with a tenth held out.

    Args:
        name: A path, or the name of a data set.
        estimator: What will learn: it says how samples are read, and the seed of the split.

    Raises:
        DataError: Nothing that can be read or learned from, or too few samples.
    """
    if name in datasets.names():
        test = open_source(name)
        return Parts(open_source(name, "train"), test, test)
    source = open_source(name)
    if len(source) < MIN_SAMPLES:
        raise DataError(
            f"{name} holds {len(source)} sample(s); a run needs at least {MIN_SAMPLES}, better hundreds"
        )
    source = estimator.parse(source)
    rows = np.random.default_rng(estimator.random_state).permutation(len(source))
    cut = max(2, len(rows) // 10)
    return Parts(source.subset(np.sort(rows[cut:])), source.subset(np.sort(rows[:cut])), source)


def sample_names(source: Source) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    """The name of each sample (N,), or its number."""
    return np.arange(len(source)) if source.names is None else np.asarray(source.names)
