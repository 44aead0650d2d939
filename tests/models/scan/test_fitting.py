"""Templates of noisy pictures: kinds, their number, and a filter of their noise."""

from __future__ import annotations

import pytest
import torch

from tests.models.scan.pictures import noisy, thing
from unwarp.models.scan.fitting import choose_number, fit_bank, merge, smooth
from unwarp.models.scan.grid import Grid
from unwarp.models.scan.matching import Bank, match
from unwarp.models.scan.search import PictureSearch
from unwarp.warps import Rigid2d

WARP = Rigid2d(rotation=180, shift=0.1, size=(24, 24))


def prepared(n_kinds: int, snr: float, n: int = 60) -> tuple[torch.Tensor, Grid, torch.Tensor]:
    """Small pictures, the grid of their poses, and their kinds."""
    kinds = torch.arange(n) % n_kinds
    x, _ = noisy(WARP, kinds, snr)
    return *PictureSearch((1, 24, 24), WARP).prepare(x, 16, 24), kinds


def test_kinds_are_separated() -> None:
    """Each kind has a template of its own, in spite of noise and any angle."""
    x, grid, kinds = prepared(2, snr=1.0)
    bank, _ = fit_bank(x, 2, grid)
    same = (match(x, bank, grid).kind == kinds).float().mean()
    assert max(same, 1 - same) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("n_kinds", [1, 2])
def test_number_of_kinds_is_right(n_kinds: int) -> None:
    """Held-out pictures and the likeness of templates tell the number, without labels."""
    x, grid, _ = prepared(n_kinds, snr=0.5)
    bank, _ = fit_bank(x, choose_number(x, grid, n_max=3), grid)
    assert merge(bank, grid).n == n_kinds


def test_few_pictures_are_one_kind() -> None:
    """Where a half has too few pictures for two templates there is one."""
    x, grid, _ = prepared(2, snr=1.0, n=20)
    assert choose_number(x, grid) == 1


def test_copies_are_merged() -> None:
    """A template and its turned copy are one kind, unless they are noisy."""
    values = torch.stack([thing(0), thing(0).rot90(1, (1, 2)), thing(1)])
    shares, grid = torch.tensor([0.3, 0.2, 0.5]), Grid.of(WARP, (24, 24), 12)
    bank = Bank(values, shares, torch.tensor(0.1), torch.ones(3))
    assert merge(bank, grid).shares.tolist() == pytest.approx([0.625, 0.375])
    assert merge(Bank(values, shares, torch.tensor(0.9), torch.ones(3)), grid).n == 3


def test_filter_removes_noise_alone() -> None:
    """Without noise a template stays; noise of its own power vanishes nearly."""
    values = thing(0)[None]
    assert torch.allclose(smooth(values, torch.zeros(1)), values, atol=1e-5)
    noise = torch.randn(1, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    noisy = values + 0.2 * noise
    error = (smooth(noisy, torch.tensor([0.04])) - values).square().mean()
    assert error < 0.3 * (noisy - values).square().mean()
