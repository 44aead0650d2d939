"""Training samples on the device of a run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.training.runs import AUTOENCODER, pictures
from unwarp.data.dataset import Dataset
from unwarp.training.placement import Supply

META = torch.device("meta")
ROWS = torch.tensor([3, 0])


def test_samples_are_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples that fit are on the device; rows, which the CPU needs, are not."""
    data = Dataset(torch.rand(5, 1, 4, 4))
    for fits in (True, False):
        monkeypatch.setattr("unwarp.training.placement._fits", lambda x, device, f=fits: f)
        supply = Supply.of(data, META, nn.Identity())
        batch = supply.batch(ROWS, torch.Generator())
        assert (supply.copy is not None) == fits
        assert batch.x.device == META and batch.x.shape == (2, 1, 4, 4)
        assert batch.index.device.type == "cpu"


def test_drawn_samples_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """New observations are drawn on the CPU, from the random numbers of the step."""
    monkeypatch.setattr("unwarp.training.placement._fits", lambda x, device: True)
    data = pictures()
    assert Supply.of(data, META, nn.Identity()).copy is None
    batches = [
        source.batch(ROWS, torch.Generator().manual_seed(1)).x
        for source in (data, Supply.of(data, torch.device("cpu"), nn.Identity()))
    ]
    assert torch.equal(*batches)


def test_copy_gives_the_same_batch() -> None:
    """A batch from the copy has the values of one from the data set."""
    data = Dataset(torch.rand(5, 1, 4, 4))
    supply = Supply(data, torch.device("cpu"), copy=data.x.clone())
    assert torch.equal(supply.batch(ROWS, torch.Generator()).x, data.x[ROWS])


def test_gaps_are_known() -> None:
    """A model says whether there are gaps; for another module the samples do."""
    x = torch.rand(5, 1, 10, 10)
    holey = x.masked_fill(x < 0.1, torch.nan)
    model, plain = AUTOENCODER.build((1, 10, 10)), nn.Identity()
    cases = ((x, model, False), (x, plain, False), (holey, plain, True))
    for samples, module, has_gaps in cases:
        assert Supply.of(Dataset(samples), META, module).has_gaps is has_gaps
    assert Supply.of(pictures(), META, plain).has_gaps
