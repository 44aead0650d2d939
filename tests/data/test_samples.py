"""Samples that stay in the user's array are those that a data set has in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp.data import samples as module
from unwarp.data.fingerprint import dataset_facts
from unwarp.data.samples import StoredSamples, reference_view
from unwarp.data.schema import Reading, Schema
from unwarp.data.source import Source

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (30, 60, 40)).astype(np.uint8)
SERIES = RNG.normal(size=(30, 2, 50))


@pytest.mark.parametrize(("x", "domain"), [(PICTURES, "image"), (SERIES, "series")])
def test_stored_samples_are_equal(
    x: np.ndarray, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of stored samples are bit-equal to those of the data set in memory."""
    source = Source(x, labels=np.arange(30) % 3, domain=domain)
    schema, data = Schema.fit(source, Reading())
    monkeypatch.setattr(module, "MAX_BYTES_IN_MEMORY", 0)
    stored_schema, stored = Schema.fit(source, Reading())
    assert isinstance(stored, StoredSamples) and stored_schema == schema
    assert stored.shape == data.shape and len(stored) == len(data)
    rows, generator = torch.tensor([7, 3, 3]), torch.Generator()
    assert torch.equal(stored.batch(rows, generator).x, data.batch(rows, generator).x)
    assert torch.equal(stored.load().x, data.load().x)
    part = stored.subset(np.array([4, 2]))
    assert torch.equal(part.load().x, data.load().x[[4, 2]])
    assert part.labels is not None and part.labels.tolist() == [1, 2]


def test_view_bounds_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The view of stored samples has at most the bytes that the bound allows."""
    monkeypatch.setattr(module, "MAX_BYTES_IN_MEMORY", 0)
    _, stored = Schema.fit(Source(PICTURES, domain="image"), Reading(working_size=None))
    monkeypatch.setattr(module, "MAX_BYTES_OF_VIEW", 5 * 4 * 60 * 40)
    assert len(reference_view(stored)) == 5 and len(stored.preview(4)) == 4


def test_facts_know_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fingerprint changes with one value, and not with the place of the array."""
    monkeypatch.setattr(module, "MAX_BYTES_IN_MEMORY", 0)
    np.save(tmp_path / "x.npy", PICTURES)
    other = PICTURES.copy()
    other[3, 5, 5] ^= 1
    arrays = (PICTURES, np.load(tmp_path / "x.npy", mmap_mode="r"), other)
    facts = [dataset_facts(Schema.fit(Source(x, domain="image"), Reading())[1]) for x in arrays]
    assert facts[0] == facts[1] != facts[2]
