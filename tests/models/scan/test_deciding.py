"""A search is for noisy pictures that few templates explain."""

from __future__ import annotations

import pytest
import torch

from tests.models.scan.pictures import noisy
from unwarp.models.scan import deciding
from unwarp.models.scan.deciding import MAX_PICTURES, searched_warp
from unwarp.warps import Affine2d, Displacement2d, Rigid2d


def test_clean_pictures_are_not_searched() -> None:
    """Neither clean pictures nor noise alone nor a few pictures have a search."""
    x, _ = noisy(Rigid2d(size=(24, 24)), torch.zeros(40, dtype=torch.long), snr=1e3)
    assert searched_warp(x, Affine2d()) is None
    noise = torch.randn(40, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    assert searched_warp(noise, Affine2d()) is None
    x, _ = noisy(Rigid2d(size=(24, 24)), torch.zeros(20, dtype=torch.long))
    assert searched_warp(x, Affine2d()) is None


def test_few_pictures_of_all_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many pictures, which may be sorted, a decision needs few, from the first to the last."""
    rows = list[torch.Tensor]()
    monkeypatch.setattr(deciding, "noise_share", lambda x: rows.append(x[:, 0, 0, 0]) or 0.0)
    x = torch.arange(1000.0)[:, None, None, None].expand(-1, 1, 8, 8)
    assert searched_warp(x, Affine2d()) is None
    assert len(rows[0]) == MAX_PICTURES and rows[0][[0, -1]].tolist() == [0.0, 999.0]
    assert rows[0].diff().max() < 10


@pytest.mark.slow
def test_named_warp_stays() -> None:
    """Noisy pictures of one thing are searched, within the warp that a user names."""
    warp = Rigid2d(rotation=20, shift=0.2)
    x, _ = noisy(warp.bind((24, 24)), torch.zeros(40, dtype=torch.long), snr=0.5)
    assert searched_warp(x, warp) is warp
    assert searched_warp(x, Displacement2d(3)) is None


@pytest.mark.slow
@pytest.mark.parametrize("rotation", [20, 180])
def test_full_circle_is_seen(rotation: float) -> None:
    """Held-out pictures say whether an open warp turns by all angles."""
    warp = Rigid2d(rotation=rotation, shift=0.1, size=(24, 24))
    x, _ = noisy(warp, torch.zeros(80, dtype=torch.long), snr=0.5)
    searched = searched_warp(x, Affine2d(), is_open=True)
    assert isinstance(searched, Rigid2d)
    assert (searched.rotation == 180) == (rotation == 180)


@pytest.mark.slow
def test_diverse_pictures_are_not_searched() -> None:
    """Noisy pictures that all differ leave more than the noise, so that a network learns them."""
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(
        torch.rand(100, 1, 5, 5, generator=generator), (24, 24), mode="bicubic"
    )
    x = smooth + smooth.std() * torch.randn(smooth.shape, generator=generator)
    assert searched_warp(x, Rigid2d()) is None
