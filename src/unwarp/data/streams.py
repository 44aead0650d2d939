"""Samples in batches: data loaders, data sets of torch, iterators.

Such a stream is read once, into one array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from torch.utils.data import Dataset as TorchDataset

from unwarp.core import Array
from unwarp.data.array_likes import as_dense
from unwarp.data.layout import MIN_SIDE_OF_SQUARE_IMAGES
from unwarp.data.limits import VARIABLE, max_bytes
from unwarp.errors import DataError
from unwarp.values import brief

MAX_SAMPLES = 10_000_000
"""Greatest number of samples of a stream; larger collections belong in a memory map."""

BYTES_PER_BLOCK = 1 << 24
"""Least number of bytes by which the array grows while a stream is read."""

SHARE_PER_BLOCK = 8
"""The array grows by at least its size divided by this number, so that time is linear."""


def is_stream(X: Any) -> bool:
    """Whether samples come one batch after the other.

    Args:
        X: Samples of any form.

    Returns:
        True for a `DataLoader`, a `Dataset` of torch, and for a generator, an iterator or another
        iterable whose items have no index.

    >>> is_stream(iter([])), is_stream([]), is_stream("x.npy")
    (True, False, False)
    """
    if isinstance(X, DataLoader | TorchDataset):
        return True
    is_array_like = any(hasattr(X, name) for name in ("__getitem__", "__array__", "shape"))
    return isinstance(X, Iterable) and not (is_array_like or isinstance(X, Set))


def check_order(X: Any) -> None:
    """Refuse a data loader that shuffles.

    Args:
        X: Samples of any form.

    Raises:
        DataError: It shuffles.
    """
    if _is_loader(X) and any(map(_is_random, _samplers(X))):
        raise DataError(
            "X is a DataLoader that shuffles, so nobody could tell which row of the result belongs "
            "to which sample; give one with shuffle=False (fit takes any order)"
        )


def read_stream(X: Any) -> Array:
    """All samples of a stream as one array.

    The array grows in blocks, so that there is never a second copy of it.

    Args:
        X: A `DataLoader`; a `Dataset` of torch; or an iterable of batches (B, ...), arrays or
            tensors. Of pairs such as (x, y), the first part is read.

    Returns:
        Samples (N, ...) in the dtype of the batches.

    Raises:
        DataError: There are no samples, or too many; a batch holds no numbers, or has another shape
            or dtype than the first one; or batches may also be single images.

    >>> read_stream(iter([np.zeros((2, 5)), np.zeros((1, 5))])).shape
    (3, 5)
    """
    rows, shapes = Rows(), set()
    for number, batch in enumerate(_batches(X)):
        shapes.add(batch.shape)
        rows.add(batch, number)
    if not rows.count:
        raise DataError(
            f"X is empty: {brief(X)} has no samples; an iterator can be read only once, so make it "
            "again, or pass an array"
        )
    if not _has_pairs(X) and number:
        _refuse_single_images(shapes)
    return rows.array()


@dataclass
class Rows:
    """An array that grows by batches of rows.

    Attributes:
        buffer: Rows (M, ...), of which the last ones may be free.
        count: Number of rows in use.
        bound: Greatest number of bytes of all rows.

    >>> rows = Rows()
    >>> rows.add(np.ones((2, 3)), 0)
    >>> rows.array().shape
    (2, 3)
    """

    buffer: Array = field(default_factory=lambda: np.empty((0,)))
    count: int = 0
    bound: int = field(default_factory=max_bytes)

    def add(self, batch: Array, number: int) -> None:
        """Copy a batch behind the other rows.

        Args:
            batch: Rows (B, ...).
            number: Number of the batch, for messages.

        Raises:
            DataError: It has another shape or dtype than the first batch, or there are too many
                rows.
        """
        if not self.count:
            self.buffer = np.empty((0, *batch.shape[1:]), batch.dtype)
        self._check(batch, number)
        end = self.count + len(batch)
        if end > len(self.buffer):
            self._grow(end, max(1, batch[0].nbytes))
        self.buffer[self.count : end] = batch
        self.count = end

    def array(self) -> Array:
        """All rows (N, ...)."""
        self.buffer.resize((self.count, *self.buffer.shape[1:]), refcheck=False)
        return self.buffer

    def _check(self, batch: Array, number: int) -> None:
        """Refuse a batch that differs from the first one."""
        shape, dtype = self.buffer.shape[1:], self.buffer.dtype
        if batch.shape[1:] != shape:
            raise DataError(
                f"batch {number} of X has samples of shape {batch.shape[1:]}, batch 0 of shape "
                f"{shape}; give samples of one shape, or series of unequal lengths as a list"
            )
        if batch.dtype != dtype:
            raise DataError(
                f"batch {number} of X is {batch.dtype}, batch 0 is {dtype}; convert all batches to "
                "one dtype"
            )

    def _grow(self, end: int, n_bytes: int) -> None:
        """Make room for `end` rows of `n_bytes` each, and for more."""
        if end > MAX_SAMPLES or end * n_bytes > self.bound:
            raise DataError(
                f"X still goes on after {self.count:,} samples, which fill "
                f"{self.count * n_bytes / 1e6:,.0f} MB; an endless iterator cannot be read: stop "
                "it, for example by itertools.islice(X, 100). Write a collection as large as this "
                f"to a .npy file, or raise the bound on memory by {VARIABLE}"
            )
        block = max(BYTES_PER_BLOCK // n_bytes, end // SHARE_PER_BLOCK)
        size = max(end, min(end + block, MAX_SAMPLES, self.bound // n_bytes))
        # the memory is extended in place where the operating system can do it
        self.buffer.resize((size, *self.buffer.shape[1:]), refcheck=False)


def _samplers(loader: Any) -> list[Any]:
    """The samplers of a data loader, or of an iterator that one made."""
    names = ("sampler", "batch_sampler", "_index_sampler")
    parts = [getattr(loader, name, None) for name in names]
    return parts + [getattr(part, "sampler", None) for part in parts]


def _is_random(sampler: Any) -> bool:
    """Whether a sampler of torch draws rows at random."""
    random = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)
    return isinstance(sampler, random) or (
        isinstance(sampler, DistributedSampler) and sampler.shuffle
    )


def _is_loader(X: Any) -> bool:
    """Whether an object is a data loader, or an iterator that one made."""
    return isinstance(X, DataLoader) or type(X).__module__ == DataLoader.__module__


def _batches(X: Any) -> Iterator[Array]:
    """Batches (B, ...) of a stream, with at least one row each."""
    has_parts = True if _has_pairs(X) else None
    for number, item in enumerate(_items(X)):
        with _named(number):
            if isinstance(item, list | tuple):
                # the first item decides for all
                has_parts = _has_labels(item) if has_parts is None else has_parts
                item = item[0] if has_parts and item else item
            batch = as_dense(_check_mapping(item))
        if _has_single_samples(X):
            batch = batch[None]
        _check_batch(batch, number)
        if len(batch):
            yield batch


def _items(X: Any) -> Iterable[Any]:
    """Items of a stream; a data set of torch need not be iterable."""
    if isinstance(X, TorchDataset) and not isinstance(X, IterableDataset) and hasattr(X, "__len__"):
        return (X[row] for row in range(len(X)))
    items: Iterable[Any] = X
    return items


def _has_pairs(X: Any) -> bool:
    """Whether lists are parts of samples, such as (x, y), as data loaders return them."""
    return isinstance(X, TorchDataset) or _is_loader(X)


def _has_single_samples(X: Any) -> bool:
    """Whether the items of a stream are samples instead of batches."""
    if not isinstance(X, DataLoader):
        return isinstance(X, TorchDataset)
    is_batched = X.batch_sampler is not None or isinstance(X.sampler, BatchSampler)
    return not is_batched and not isinstance(X.dataset, IterableDataset)


def _has_labels(item: list[Any] | tuple[Any, ...]) -> bool:
    """Whether an item of an iterator has parts, such as (batch, labels); else it has samples.

    Raises:
        DataError: It may be both.
    """
    try:
        first, *shapes = [np.shape(part) for part in item]
    except ValueError:  # ragged, or empty
        return False
    is_batch = len(first) > 1
    if is_batch and len(item) <= 2 and all(shape == first for shape in shapes):
        raise DataError(
            f"X holds {len(item)} arrays of shape {first}, which reads two ways: {len(item)} "
            f"samples, or a batch of {first[0]} samples (and its targets); give the batch alone"
        )
    return is_batch and any(len(shape) < len(first) for shape in shapes)


def _check_mapping(item: Any) -> Any:
    """The item; a mapping of names to arrays is refused."""
    if isinstance(item, Mapping):
        name = next(iter(item), "x")
        raise DataError(
            f"X is a mapping with the keys {', '.join(map(str, item))}; give the samples alone, as "
            f"(batch[{name!r}] for batch in X)"
        )
    return item


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Context in which errors about X name a batch of it."""
    try:
        yield
    except DataError as error:
        raise DataError(f"batch {number} of {error}") from error


def _check_batch(batch: Array, number: int) -> None:
    """Refuse a batch without an axis of samples, or without numbers."""
    if batch.ndim < 2:
        raise DataError(
            f"batch {number} of X has shape {batch.shape}, which has no axis of samples; give "
            "batches (B, ...), a single sample as x[None]"
        )
    if batch.dtype.kind not in "biuf":
        raise DataError(f"batch {number} of X is {batch.dtype}; give batches of numbers")


def _refuse_single_images(shapes: set[tuple[int, ...]]) -> None:
    """Refuse several batches of one square shape (H, H), which may be single images."""
    shape, *more = shapes
    if more or len(shape) != 2 or shape[0] != shape[1] or shape[0] < MIN_SIDE_OF_SQUARE_IMAGES:
        return
    raise DataError(
        f"all batches of X have shape {shape}, which reads two ways: batches of {shape[0]} series, "
        "or single images; give images as x[None], series as one array or in batches of other sizes"
    )
