"""A distilled network predicts measured codes of series that it has not seen."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import AE, Net
from unwarp.models.distilled import DistilledCode
from unwarp.training import distilling
from unwarp.training.distilling import fast_loss, mixtures
from unwarp.training.settling import settle
from unwarp.warps import CosineTime, Identity

RECIPE = AE(warp=Identity(), content="elastic", n_content=6, net=Net(channels=8), fast=True)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of about a second."""
    monkeypatch.setattr(distilling, "STEPS", 150)
    monkeypatch.setattr(distilling, "N_MIXTURES", 300)


def bumps(n: int, seed: int = 0) -> Tensor:
    """Series with one of two bumps at jittered times (N, 1, 48)."""
    rng = torch.Generator().manual_seed(seed)
    t, late = torch.linspace(0, 1, 48), 0.1 * torch.rand(n, 1, generator=rng)
    centre = 0.35 + 0.3 * (torch.arange(n) % 2)[:, None]
    return torch.exp(-0.5 * ((t - centre - late) / 0.06) ** 2)[:, None]


def test_net_predicts_unseen_codes() -> None:
    """Codes of new series are near the measured ones, about as the loss says."""
    x, new = bumps(60), bumps(40, seed=1)
    model = settle(RECIPE.joint().build((1, 48)).eval(), RECIPE, Dataset(x), steps=1)[0]
    code = model.encoder.content
    assert isinstance(code, DistilledCode) and code.loss is not None
    expected, predicted = code.measure(new), model.embed(new).content
    error = (predicted - expected).square().sum()
    spread = (expected - expected.mean(0)).square().sum()
    assert code.loss.n_series == 12 and code.loss.error < 0.3
    assert float((error / spread).sqrt()) < 2 * code.loss.error + 0.1


def test_distilling_changes_no_other_weights() -> None:
    """Decoder and pose are those of a settled model without a network; seeds repeat."""
    recipe = AE(warp=CosineTime(), content="elastic", n_content=4, net=Net(channels=8))
    fast, x = AE(**{**vars(recipe), "fast": True}), Dataset(bumps(12))
    joint = recipe.joint().build(x.shape).eval()
    assert fast.joint() == recipe.joint()
    plain, first, second = (settle(joint, r, x, steps=2)[0] for r in (recipe, fast, fast))
    state, again = first.state_dict(), second.state_dict()
    assert all(torch.equal(state[name], again[name]) for name in state)
    assert all(torch.equal(state[name], value) for name, value in plain.state_dict().items())


def test_mixtures_stay_between_series() -> None:
    """Mixtures of constants are scaled constants between them, with the gaps of one series."""
    x = torch.tensor([[[1.0] * 20], [[3.0] * 20]])
    x[1, 0, 15:] = torch.nan
    mixed = mixtures(x, 50, torch.Generator().manual_seed(0))
    gaps = mixed.isnan()[:, 0]
    assert torch.equal(gaps.any(1), gaps[:, 15:].all(1)) and 0 < gaps.any(1).sum() < 50
    values = mixed[:, 0, :15]
    assert ((values - values[:, :1]).abs() < 1e-4).all() and 0.5 < values.min() < values.max() < 4.5


def test_loss_counts_the_nearest() -> None:
    """Exact codes have no loss; shuffled ones lose neighbours and are far off."""
    codes = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    exact, other = fast_loss(codes, codes, 10), fast_loss(codes.flip(0), codes, 10)
    assert (exact.error, exact.neighbours, exact.n_series) == (0.0, 1.0, 10)
    assert other.error > 1 and other.neighbours < 0.5
    assert fast_loss(codes, codes, 0).n_series == 0


def test_fast_needs_elastic_content() -> None:
    """Learned codes are fast already."""
    with pytest.raises(ConfigError, match="fast=True predicts elastic codes of series"):
        AE(content="joint", fast=True)
