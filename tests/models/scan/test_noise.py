"""The share of noise in pictures."""

from __future__ import annotations

import pytest
import torch

from tests.models.scan.pictures import thing
from unwarp.models.scan.noise import noise_share


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_share_is_that_of_the_noise(share: float) -> None:
    """The share is known to a few percent, whatever the picture."""
    clean = thing(0).expand(20, -1, -1, -1) / thing(0).std()
    noise = torch.randn(20, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    x = (1 - share) ** 0.5 * clean + share**0.5 * noise
    assert abs(noise_share(x) - share) < 0.06
