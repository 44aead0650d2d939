"""pythae's models as peers: what goes in and out, and that a tiny run learns."""

from __future__ import annotations

import time
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import peers
from tests.pictures import dot
from unwarp.errors import ConfigError


def test_unknown_kind_is_refused() -> None:
    """An unknown kind of model is refused before an environment is made."""
    with pytest.raises(ConfigError, match="one of vae, beta-vae"):
        x = np.zeros((2, 1, 4, 4))
        peers.latents(x, x, "gan", 2, 1.0)  # type: ignore[arg-type]


def test_batches_last_for_the_time() -> None:
    """Batches come epoch after epoch until the time is over."""
    loader = DataLoader(TensorDataset(torch.arange(6)), batch_size=2)
    three_epochs = [batch[0].tolist() for batch in islice(peers.Timed(loader, 60.0), 9)]
    assert three_epochs == [[0, 1], [2, 3], [4, 5]] * 3
    timed, start = peers.Timed(loader, 0.05), time.perf_counter()
    given = sum(1 for _ in timed)
    assert time.perf_counter() - start < 5.0
    assert given == len(timed) > 1
    assert len(timed.dataset) == 6


def test_one_batch_is_the_least() -> None:
    """At least one batch comes, however short the time."""
    loader = DataLoader(TensorDataset(torch.arange(6)), batch_size=2)
    assert len(list(peers.Timed(loader, 0.0))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", peers.KINDS)
def test_latents_locate_a_dot(kind: peers.Kind) -> None:
    """Latents of a tiny run predict the position of a dot."""
    at = np.random.default_rng(0).uniform(-0.6, 0.6, (400, 2)).astype(np.float32)
    x = torch.cat([dot((12, 12), tuple(place), sd=0.3) for place in at.tolist()]).numpy()
    train, test, seconds = peers.latents(x[:300], x[300:], kind, 4, 4.0)
    assert train.shape == (300, 4) and test.shape == (100, 4)
    assert 4.0 <= seconds < 10.0
    weights = np.linalg.lstsq(np.c_[train, np.ones(300)], at[:300], rcond=None)[0]
    left = np.c_[test, np.ones(100)] @ weights - at[300:]
    assert np.square(left).mean() < 0.2 * at[300:].var()
