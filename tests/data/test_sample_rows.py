"""Rows of samples: they are those of a subset, without a copy."""

from __future__ import annotations

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.data.fingerprint import dataset_facts
from unwarp.data.prepared import Prepared
from unwarp.data.recordings import RegularSamples
from unwarp.data.sample_rows import SampleRows
from unwarp.data.samples import StoredSamples
from unwarp.data.scaling import Scaler

X = np.random.default_rng(0).integers(0, 255, (9, 1, 4, 4)).astype(np.uint8)
ROWS = np.array([1, 4, 5, 8])


def samples() -> tuple[Dataset, StoredSamples]:
    """The same samples in memory and in an array."""
    prepared = Prepared(X, Scaler(factor=255.0), RegularSamples(X, X))
    labels = np.arange(9) % 3
    return Dataset(prepared.x, labels=labels), StoredSamples(prepared, labels)


def test_rows_are_those_of_a_subset() -> None:
    """Batches, labels and all samples are those of the rows, and batches name them."""
    index, generator = torch.tensor([3, 0]), torch.Generator()
    for data in samples():
        part, expected = SampleRows(data, ROWS), data.subset(ROWS)
        batch = part.batch(index, generator)
        assert torch.equal(batch.x, expected.batch(index, generator).x)
        assert batch.index.tolist() == [8, 1]
        assert part.labels is not None and part.labels.tolist() == [1, 1, 2, 2]
        assert torch.equal(part.load().x, expected.load().x)
        assert torch.equal(part.subset(np.array([2])).preview(9), expected.load().x[[2]])
        assert (len(part), part.shape, part.registered_name) == (4, (1, 4, 4), "")


def test_other_rows_are_other_data() -> None:
    """Fingerprints of two parts differ, and so do those of the same rows of other samples."""
    for data in samples():
        facts = [dataset_facts(SampleRows(data, rows)) for rows in (ROWS, ROWS + 0, ROWS - 1)]
        assert facts[0] == facts[1] != facts[2]
    other = StoredSamples(samples()[1].prepared.subset(slice(None, None, -1)))
    assert dataset_facts(SampleRows(other, ROWS)) != facts[0]
