"""Mean average precision of retrieval by codes, or by chunks of codes.

A query is a held-out code. It sorts the items of the gallery, which are the training codes, by
distance. An item is relevant if it has the class of the query. A chunk is a group of neighbouring
dimensions of a code.
"""

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
from unwarp.range_kinds import Choice

Distance = Literal["euclidean", "cosine"]
"""Distance of codes by which a gallery is sorted."""

MAX_DISTANCES_PER_BLOCK = 1_000_000
"""Number of distances that are computed at a time, so that memory is bounded."""


def average_precision(distances: Array, relevant: NDArray[np.bool_]) -> Array:
    """Average precision of each query.

    The precision at an item is the share of relevant items among all items that are as near to the
    query or nearer. The average is over the relevant items. Items at equal distance have the same
    precision, so that constant codes score the share of relevant items.

    Args:
        distances: Distances of queries and gallery items (Q, G).
        relevant: True if an item is relevant for a query (Q, G).

    Returns:
        0 to 1 (Q,); NaN for a query without a relevant item.

    >>> average_precision(np.array([[1.0, 2.0, 3.0]]), np.array([[False, True, False]])).tolist()
    [0.5]
    """
    order = np.argsort(distances, axis=1)
    ranked = np.take_along_axis(distances, order, axis=1)
    hit = np.take_along_axis(relevant, order, axis=1)
    n = distances.shape[1]
    # `last` is the last position with the same distance (the end of each run of ties)
    is_last = np.hstack([ranked[:, 1:] != ranked[:, :-1], np.ones((len(ranked), 1), bool)])
    last = np.where(is_last, np.arange(n), n)
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
    max_queries: int = 2_000,
    seed: int = 0,
) -> float:
    """Mean average precision (mAP) of retrieval by distance of codes.

    See `average_precision` for a single query. Queries without a relevant item are left out. Chance
    is the share of the query's class in the gallery.

    Args:
        train_codes: The gallery (M, D).
        train_labels: Class or factor value of each item (M,).
        codes: The queries (N, D).
        labels: Class or factor value of each query (N,).
        distance: `euclidean` or `cosine`.
        max_queries: Largest number of queries; if there are more, a random selection is used.
        seed: Seed of the selection.

    Returns:
        0 to 1; 1 if all items of a query's class are nearer than all other items.

    Raises:
        DataError: Shapes disagree, or no query has a relevant item.
        ConfigError: `distance` is unknown.

    Source:
        Hu, Szabo, Portenier, Zwicker, Favaro (2018), Disentangling factors of variation by mixing
        them.
    """
    _check(train_codes, train_labels, codes, labels, distance)
    rows = np.random.default_rng(seed).permutation(len(codes))[:max_queries]
    step = max(1, MAX_DISTANCES_PER_BLOCK // max(1, len(train_codes)))
    blocks = (rows[i : i + step] for i in range(0, len(rows), step))
    parts = [
        average_precision(
            cdist(codes[block], train_codes, distance), labels[block, None] == train_labels
        )
        for block in blocks
    ]
    precisions = np.concatenate(parts)
    if np.isnan(precisions).all():
        raise DataError(
            "no query has an item of its class in the gallery; draw both from the same classes"
        )
    return float(np.nanmean(precisions))


def _check(
    train_codes: Array, train_labels: Labels, codes: Array, labels: Labels, distance: str
) -> None:
    """Refuse an unknown distance, and arrays that do not fit together."""
    if not Choice(("euclidean", "cosine")).allows(distance):
        raise ConfigError(f"distance={distance!r} is unknown; choose 'euclidean' or 'cosine'")
    are_tables = train_codes.ndim == 2 and codes.ndim == 2
    if not are_tables or codes.shape[1:] != train_codes.shape[1:] or codes.size == 0:
        raise DataError(
            "codes (N, D) and train_codes (M, D) must share D >= 1, got "
            f"{codes.shape}, {train_codes.shape}; encode both with the same model"
        )
    for name, rows, values in (
        ("train_labels", train_codes, train_labels),
        ("labels", codes, labels),
    ):
        if np.shape(values) != (len(rows),):
            raise DataError(
                f"{name} must have one entry for each code, got shape {np.shape(values)}; give "
                f"{len(rows)} entries"
            )


def retrieval_by_chunk(
    train_codes: Array,
    train_values: Labels,
    codes: Array,
    values: Labels,
    chunks: Sequence[int],
    distance: Distance = "euclidean",
) -> Array:
    """Mean average precision for each chunk of the code and each factor.

    Entry (i, j) is `retrieval_map` with the distances in chunk i and the values of factor j as
    classes. If the code is disentangled, each column has one high entry (Hu et al. 2018).

    Args:
        train_codes: The gallery (M, D).
        train_values: Factor values of the gallery (M, F).
        codes: The queries (N, D).
        values: Factor values of the queries (N, F).
        chunks: Number of dimensions of each chunk, in order; the sum is D.
        distance: `euclidean` or `cosine`.

    Returns:
        Mean average precision, 0 to 1 (chunks, F).

    Raises:
        ConfigError: A size is below 1, the sum is not D, or `distance` is unknown.
        DataError: As for `retrieval_map`.
    """
    if min(chunks, default=0) < 1 or sum(chunks) != codes.shape[1]:
        raise ConfigError(
            f"chunks={tuple(chunks)} must each be 1 or more and sum to D = {codes.shape[1]}; give "
            "the size of each chunk of the code"
        )
    return np.array(
        [
            [
                retrieval_map(train_codes[:, part], items, codes[:, part], queries, distance)
                for items, queries in zip(train_values.T, values.T, strict=True)
            ]
            for part in _slices(chunks)
        ]
    )


def _slices(chunks: Sequence[int]) -> Iterator[slice]:
    """Columns of each chunk."""
    return (slice(end - size, end) for size, end in zip(chunks, accumulate(chunks), strict=True))
