"""Training and held-out samples of a run, opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from unwarp import datasets
from unwarp.data.hints import Hints
from unwarp.data.making import make_shards
from unwarp.data.opening import as_source
from unwarp.data.source import Source
from unwarp.disk.paths import exists, files_of
from unwarp.errors import DataError
from unwarp.estimators.unwarper import Unwarper

MIN_SAMPLES = 10
"""Smallest number of samples for a run, which holds some of them out."""

MIN_HELD_OUT = 2
"""Smallest number of samples that a run holds out."""

SAMPLES_PER_HELD_OUT = 10
"""A run holds out one sample of this many."""


@dataclass(frozen=True)
class Parts:
    """Samples to learn from, and held-out samples to score.

    Attributes:
        training: Samples to train on.
        test: Held-out samples, which are not used for training.
        listed: Samples that the tables of a run list: all samples of a user's file or folder, or
            the held-out samples of a built-in data set.

    >>> parts = open_parts("bumps", Unwarper())
    >>> len(parts.training), parts.listed is parts.test
    (200, True)
    """

    training: Source
    test: Source
    listed: Source


def open_source(name: str, part: str = "test", estimator: Unwarper | None = None) -> Source:
    """Samples of a file, a folder or a data set.

    Args:
        name: Name of a built-in data set, a path, a pattern, or several paths, each in a line of
            its own. A data set takes precedence over a file or folder of the same name.
        part: Part of a built-in data set: `train` or `test`. Paths ignore it.
        estimator: Estimator whose arguments say how to read samples; None for the default ones.

    Returns:
        The samples, with their names, labels and times if the source has them.

    Raises:
        DataError: The path does not exist or cannot be read.
    """
    if name in datasets.names():
        return as_source(datasets.load(name, part))
    X = name if exists(name) or "\n" not in name else name.splitlines()
    return as_source(X) if estimator is None else estimator.open(X)


def make_shards_of(
    name: str,
    folder: Path,
    part: str = "train",
    hints: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> int:
    """Write the samples of a data source as a folder of shards.

    Args:
        name: Name of a built-in data set, or paths, as for `open_source`.
        folder: Folder to write.
        part: Part of a built-in data set: `train` or `test`. Paths ignore it.
        hints: What the user knows about pictures, by the names of `Hints`.
        options: Further arguments of `make_shards`.

    Returns:
        Number of samples.

    Raises:
        DataError: The source cannot be read.
        ConfigError: The folder cannot be written, or holds other files.
    """
    if name in datasets.names():
        return make_shards(datasets.load(name, part), folder, hints=Hints(**hints), **options)
    X = name if exists(name) or "\n" not in name else name.splitlines()
    return make_shards(X, folder, hints=Hints(**hints), **options)


def source_paths(name: str) -> list[str]:
    """Files and folders that `open_source` reads.

    Args:
        name: Name of a built-in data set, a path, a pattern, or several paths in lines.
    """
    paths = [name] if exists(name) else name.splitlines()
    return [file for path in paths for file in files_of(path)]


def open_parts(name: str, estimator: Unwarper) -> Parts:
    """Training and held-out samples of a data source.

    A built-in data set is already divided in two parts. Of the samples in a file or folder a tenth,
    but at least two, is chosen at random and held out; both parts keep the order of the source.

    Args:
        name: A path, or the name of a built-in data set.
        estimator: The estimator to train. Its arguments say how to read samples, and its
            `random_state` is the seed of the division.

    Returns:
        The parts. Samples of a file or folder are parsed and checked.

    Raises:
        DataError: The source cannot be read or learned from, or holds fewer than 10 samples.
    """
    if name in datasets.names():
        test = open_source(name)
        return Parts(open_source(name, "train"), test, test)
    source = open_source(name, estimator=estimator)
    if len(source) < MIN_SAMPLES:
        raise DataError(
            f"{name} holds {len(source)} sample(s); a run needs at least {MIN_SAMPLES}, "
            "better hundreds"
        )
    source = estimator.parse(source)
    rows = np.random.default_rng(estimator.random_state).permutation(len(source))
    n_test = max(MIN_HELD_OUT, len(rows) // SAMPLES_PER_HELD_OUT)
    training, test = (source.subset(np.sort(part)) for part in (rows[n_test:], rows[:n_test]))
    return Parts(training, test, source)
