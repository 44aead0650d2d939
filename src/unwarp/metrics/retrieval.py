"""What is found beside a sample in each part of the code: mean average precision, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from unwarp.core import Array, Labels
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.registry import score_function

Distance = Literal["euclidean", "cosine"]
BLOCK = 1_000_000


def average_precision(distance: Array, relevant: NDArray[np.bool_]) -> Array:
    """Average precision of each row of a table of queries and gallery items, both (Q, G).

    The mean over relevant items of the share of relevant ones among all that are as near or nearer. So ties have no
    order, and a code that tells nothing scores the share of relevant items. NaN for a query without a relevant item.
    """
    order = np.argsort(distance, axis=1)
    near = np.take_along_axis(distance, order, axis=1)
    hit = np.take_along_axis(relevant, order, axis=1)
    n = distance.shape[1]
    last = np.where(
        np.hstack([near[:, 1:] != near[:, :-1], np.ones((len(near), 1), bool)]), np.arange(n), n
    )
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    precision = np.take_along_axis(hit.cumsum(1), last, axis=1) / (last + 1)
    total = hit.sum(1)
    return np.where(total > 0, (precision * hit).sum(1) / np.maximum(total, 1), np.nan)


@score_function(best=1.0, chance=0.5)
def retrieval_map(
    train_codes: Array,
    train_labels: Labels,
    codes: Array,
    labels: Labels,
    distance: Distance = "euclidean",
    queries: int = 2_000,
    seed: int = 0,
) -> float:
    """Mean average precision of finding samples of a query's class among training codes by distance, 0 to 1.

    Chance is the share of the class in the gallery. Queries without a relevant item are left out.

    Args:
        train_codes: The gallery (M, D).
        train_labels: Class or factor value of each (M,).
        codes: The queries (N, D).
        labels: Class or factor value of each (N,).
        distance: `euclidean` or `cosine`.
        queries: At most so many queries, drawn at random.
        seed: Seed of that draw.

    Raises:
        DataError: If shapes disagree or no query has a relevant item.
        ConfigError: If the distance is not known.

    Source:
        Hu, Szabo, Portenier, Zwicker, Favaro (2018), Disentangling factors of variation by mixing them.
    """
    _check(train_codes, train_labels, codes, labels, distance)
    rows = np.random.default_rng(seed).permutation(len(codes))[:queries]
    step = max(1, BLOCK // max(1, len(train_codes)))
    parts = (rows[i : i + step] for i in range(0, len(rows), step))
    found = np.concatenate(
        [
            average_precision(
                cdist(codes[part], train_codes, distance), labels[part, None] == train_labels
            )
            for part in parts
        ]
    )
    if np.isnan(found).all():
        raise DataError(
            "no query has an item of its class in the gallery; draw both from the same classes"
        )
    return float(np.nanmean(found))


def _check(
    train_codes: Array, train_labels: Labels, codes: Array, labels: Labels, distance: str
) -> None:
    if distance not in ("euclidean", "cosine"):
        raise ConfigError(f"distance must be 'euclidean' or 'cosine', got {distance!r}")
    if (
        train_codes.ndim != 2
        or codes.ndim != 2
        or codes.shape[1:] != train_codes.shape[1:]
        or codes.size == 0
    ):
        raise DataError(
            f"codes (N, D) and train_codes (M, D) must share D >= 1, got {codes.shape}, {train_codes.shape}"
        )
    for name, rows, values in (
        ("train_labels", train_codes, train_labels),
        ("labels", codes, labels),
    ):
        if np.shape(values) != (len(rows),):
            raise DataError(
                f"{name} must have one entry a code, ({len(rows)},), got {np.shape(values)}"
            )


def retrieval_by_chunk(
    train_codes: Array,
    train_values: Labels,
    codes: Array,
    values: Labels,
    chunks: Sequence[int],
    distance: Distance = "euclidean",
) -> Array:
    """`retrieval_map` from each chunk of the code for each factor: which chunk holds what.

    Args:
        train_codes: The gallery (M, D).
        train_values: Factor values of the gallery (M, F).
        codes: The queries (N, D).
        values: Factor values of the queries (N, F).
        chunks: Sizes of the chunks, in order; they sum to D.
        distance: `euclidean` or `cosine`.

    Returns:
        A table (chunks, F).

    Raises:
        ConfigError: If the sizes do not sum to D.
    """
    if min(chunks, default=0) < 1 or sum(chunks) != codes.shape[1]:
        raise ConfigError(
            f"chunks must be sizes of 1 or more that sum to D = {codes.shape[1]}, got {tuple(chunks)}"
        )
    return np.array(
        [
            [
                retrieval_map(train_codes[:, part], known, codes[:, part], asked, distance)
                for known, asked in zip(train_values.T, values.T, strict=True)
            ]
            for part in _slices(chunks)
        ]
    )


def _slices(chunks: Sequence[int]) -> Iterator[slice]:
    return (slice(end - size, end) for size, end in zip(chunks, accumulate(chunks), strict=True))
