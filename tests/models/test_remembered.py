"""Estimates are made once for each sample, whatever the batches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unwarp.models import remembered
from unwarp.models.remembered import RememberedEstimates


def test_estimates_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only new samples are estimated, repeated ones too, and too many are forgotten."""
    x, rows = torch.arange(12.0).reshape(6, 2), list[int]()

    def estimate(new: Tensor) -> Tensor:
        rows.append(len(new))
        return new * 2

    estimates = RememberedEstimates()
    for batch in ([0, 1, 0], [1, 2], [2, 0]):
        assert torch.equal(estimates.of(x[batch], estimate), 2 * x[batch])
    assert rows == [2, 1] and len(estimates) == 3
    monkeypatch.setattr(remembered, "MAX_SAMPLES", 4)
    assert torch.equal(estimates.of(x[[2, 3, 4]], estimate), 2 * x[[2, 3, 4]])
    assert rows == [2, 1, 3] and len(estimates) == 3
    estimates.clear()
    assert len(estimates) == 0
