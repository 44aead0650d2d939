"""A distilled code measures until its network is accepted, and then predicts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unwarp.models.distilled import DistilledCode, FastLoss
from unwarp.models.measured import ElasticCode


def series(n: int = 12, steps: int = 40) -> Tensor:
    """Random walks (N, 1, T)."""
    return torch.randn(n, 1, steps, generator=torch.Generator().manual_seed(0)).cumsum(2)


def fitted(x: Tensor, n_masks: int = 0) -> DistilledCode:
    """A code that is fitted to series, and not yet distilled."""
    code = DistilledCode((1, x.shape[2]), 4, n_masks)
    code.fit(x)
    return code


def test_code_measures_until_accepted() -> None:
    """Codes are those of `ElasticCode` first, and outputs of the network afterwards."""
    x = series()
    code, measured = fitted(x), ElasticCode((1, 40), 4)
    measured.fit(x)
    assert code.loss is None and torch.equal(code(x)[0], measured(x)[0])
    code.accept(FastLoss(0.5, 0.25, 3))
    assert code.loss == FastLoss(0.5, 0.25, 3)
    assert torch.equal(code(x)[0], code.net(code.features(x)))
    assert torch.equal(code.measure(x), measured(x)[0])


def test_distilled_code_restores() -> None:
    """The state has the network, its loss, and whether it predicts."""
    x = series()
    code, other = fitted(x), DistilledCode((1, 40), 4)
    code.accept(FastLoss(0.5, 0.25, 3))
    other.load_state_dict(code.state_dict())
    assert torch.equal(other(x)[0], code(x)[0]) and other.loss == code.loss


def test_net_leaves_random_numbers() -> None:
    """Building a network changes no other weights, and it is not trained with them."""
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    code = DistilledCode((1, 40), 4)
    assert torch.equal(torch.rand(1), expected)
    assert not any(weight.requires_grad for weight in code.parameters())


@pytest.mark.parametrize("steps", [1, 2, 40, 300])
def test_features_fit_any_length(steps: int) -> None:
    """Series of any length, also with values under masks, have inputs of the network."""
    x = torch.cat([series(6, steps), torch.ones(6, 1, steps)], 1)
    x[0, 1, : steps // 2] = 0
    code = fitted(x, 1)
    code.accept(FastLoss(0.0, 0.0, 0))
    assert code.features(code.series(x)).shape == (6, 3, min(steps, 128))
    assert code(x)[0].isfinite().all()


def test_loss_without_series_says_so() -> None:
    """A loss of no held-out series is no number."""
    assert "not measured" in str(FastLoss(0.0, 0.0, 0))
