"""Streams of samples: read once, into one array, whatever they are."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
)
from torch.utils.data import Dataset as TorchDataset

from unwarp.data import streams
from unwarp.data.limits import VARIABLE
from unwarp.data.opening import as_source
from unwarp.data.streams import check_order, is_stream, read_stream
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(23, 2, 12)).astype(np.float32)
LABELS = np.arange(23)
TENSORS = TensorDataset(torch.from_numpy(X), torch.from_numpy(LABELS))


class Records(TorchDataset[Any]):
    """A data set of torch that returns samples with labels."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, row: int) -> Any:
        return X[row % len(X)], LABELS[row % len(X)]


class Stream(IterableDataset[Any]):
    """A data set of torch without a length."""

    def __iter__(self) -> Iterator[Any]:
        return iter(X)


def batches(size: int = 5) -> Iterator[Any]:
    """Batches of the samples."""
    return (X[start : start + size] for start in range(0, len(X), size))


@pytest.mark.parametrize(
    "stream",
    [
        lambda: DataLoader(TENSORS, batch_size=5),
        lambda: DataLoader(torch.from_numpy(X), batch_size=5),  # type: ignore[arg-type]
        lambda: DataLoader(TENSORS, batch_size=None),
        lambda: DataLoader(
            TENSORS, batch_size=None, sampler=BatchSampler(SequentialSampler(X), 5, False)
        ),
        lambda: DataLoader(Stream(), batch_size=4),
        lambda: iter(DataLoader(TENSORS, batch_size=5)),
        lambda: iter(DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=5)),
        lambda: TENSORS,
        Records,
        Stream,
        batches,
        lambda: map(torch.from_numpy, batches()),
        lambda: ((x, None) for x in batches()),
        lambda: ([x, np.zeros(len(x))] for x in batches()),
        lambda: ((x, list(range(len(x))), "part") for x in batches()),
        lambda: (tuple(x) for x in batches(7)),
        lambda: (x.tolist() for x in batches()),
        lambda: (list(x) for x in batches(21)),
        lambda: itertools.chain(batches(), [X[:0]]),
    ],
)
def test_streams_are_the_array_of_samples(stream: Callable[[], Any]) -> None:
    """Loaders, data sets, iterators, pairs and lists: samples in their order, no labels."""
    assert is_stream(stream())
    np.testing.assert_allclose(read_stream(stream()), X, rtol=1e-6)
    assert as_source(stream()).x.shape == X.shape


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64, bool])
def test_streams_keep_the_dtype(dtype: Any) -> None:
    """The array has the dtype of the batches; it is no view with free rows behind it."""
    array = read_stream(x.astype(dtype) for x in batches())
    assert array.dtype == dtype and array.flags.owndata and array.shape == X.shape


@pytest.mark.parametrize(
    "value", [X, X.tolist(), "x.npy", {}, torch.zeros(2), {1}, None, 3, sparse.eye(3)]
)
def test_collections_are_no_streams(value: Any) -> None:
    """Whatever has a length, and single values."""
    assert not is_stream(value)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (iter([]), "X is empty: .* an iterator can be read only once"),
        (iter([X[:2], X[2:4, :, :9]]), r"batch 1 of X has samples of shape \(2, 9\), batch 0"),
        (iter([X[:2], X[2:4].astype(float)]), "batch 1 of X is float64, batch 0 is float32"),
        (iter([X[:2], X[0, 0]]), r"batch 1 of X has shape \(12,\), .*x\[None\]"),
        (iter([[["a", "b"]]]), "batch 0 of X is <U1; give batches of numbers"),
        (iter([{"image": X, "y": LABELS}]), r"batch 0 of X is a mapping .*\(batch\['image'\]"),
        (iter([(X[:2], X[:2])]), "batch 0 of X holds 2 arrays .*reads two ways: .*the batch alone"),
        (iter([[X[:2]]]), "batch 0 of X holds 1 arrays .*which reads two ways"),
        (iter([[X[0], X[1, :, :9]]]), "batch 0 of X is ragged"),
        (iter([X[:2], [[1, 2], [3]]]), "batch 1 of X is ragged"),
        (iter([np.zeros((9, 9)), np.zeros((9, 9))]), "which reads two ways: batches of 9 series"),
    ],
)
def test_unfit_batches_are_named(stream: Any, message: str) -> None:
    """The message has the number of the batch and the mend."""
    with pytest.raises(DataError, match=message):
        read_stream(stream)


def test_endless_streams_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their memory or by their number of samples, and the message says how many there were."""
    endless = itertools.repeat(X)
    monkeypatch.setenv(VARIABLE, str(50 * X.nbytes))
    with pytest.raises(DataError, match=r"after 1,150 samples, which fill .*itertools.islice"):
        read_stream(endless)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(streams, "MAX_SAMPLES", 100)
    with pytest.raises(DataError, match="X still goes on after 92 samples"):
        read_stream(endless)


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(TENSORS, shuffle=True),
        iter(DataLoader(TENSORS, shuffle=True)),
        DataLoader(TENSORS, sampler=SubsetRandomSampler([0, 2, 4])),
        DataLoader(TENSORS, batch_sampler=BatchSampler(RandomSampler(TENSORS), 4, False)),
    ],
)
def test_shuffling_loaders_have_no_order(loader: Any) -> None:
    """A loader that shuffles is refused where rows matter."""
    with pytest.raises(DataError, match=r"DataLoader that shuffles.*shuffle=False"):
        check_order(loader)


@pytest.mark.parametrize(
    "X", [DataLoader(TENSORS), DataLoader(Stream()), TENSORS, X, iter([]), "x.npy", None]
)
def test_other_samples_have_an_order(X: Any) -> None:
    """Nothing else is refused."""
    check_order(X)


MEMORY = """
import resource, numpy as np, unwarp.data.streams as streams
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
batch, before = np.ones((1000, 10_000), np.float32), peak()
array = streams.read_stream(batch for _ in range(8))
print((peak() - before) / array.nbytes)
"""


@pytest.mark.slow
def test_streams_are_not_copied() -> None:
    """While a stream is read, memory grows by the array and by little more."""
    run = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True)
    assert float(run.stdout) < 1.3
