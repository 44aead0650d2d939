"""Maps applied to samples: the invertible part is undone, and gaps go along."""

from __future__ import annotations

import pytest
import torch

from tests.pictures import smooth
from tests.warps.chains import CHAIN, FRAME, thetas
from tests.warps.gaps import gapped
from unwarp.warps import (
    Affine2d,
    Chain,
    CosineTime,
    Gain,
    Warp,
    align,
    deform,
    interpolate_missing,
)


def test_canonicalize_undoes_the_affine_end() -> None:
    x = smooth(4, FRAME).double()
    theta = thetas(CHAIN)
    pose = CHAIN.links[1].map(theta[:, 18:])
    torch.testing.assert_close(align(x, CHAIN.map(theta)), pose.invert()(x))


@pytest.mark.parametrize(
    "warp", [CosineTime(4), Gain(), Chain(CosineTime(4), Gain())], ids=["time", "gain", "both"]
)
def test_no_gap_is_made_or_lost_where_values_change(warp: Warp) -> None:
    x = gapped()
    x[3:] = interpolate_missing(x[3:])
    map = warp.bind((40,)).sample(len(x), torch.Generator().manual_seed(1), 1.0)
    moved = deform(map, x, padding="border")
    assert not moved[3:].isnan().any() and moved[:3].isnan().flatten(1).any(1).all()
    torch.testing.assert_close(moved.isnan(), deform(map.point_map, x, padding="border").isnan())


def test_gaps_go_along_with_the_map_and_leave_the_rest_alone() -> None:
    x = gapped()
    map = CosineTime(size=(40,)).sample(len(x), torch.Generator().manual_seed(1), 0.4)
    moved, whole = deform(map, x, padding="border"), map(interpolate_missing(x), padding="border")
    seen = ~moved.isnan()
    assert 0.5 < float(seen.float().mean()) < 0.85
    torch.testing.assert_close(moved[seen], whole[seen])
    # a step is seen exactly where both samples that it is read between were seen
    places = map.pull(torch.linspace(0, 1, 40)[:, None])[..., 0] * 39
    low, high = places.floor().long().clamp(0, 39), places.ceil().long().clamp(0, 39)
    gaps = x.isnan()
    between = [gaps.gather(-1, end[:, None].expand_as(x)) for end in (low, high)]
    near_a_sample = ((places - places.round()).abs() < 2e-3)[:, None].expand_as(x)
    assert torch.equal((between[0] | between[1])[~near_a_sample], ~seen[~near_a_sample])


@pytest.mark.parametrize("shape", [(4, 1, 30), (4, 1, 12, 12)])
def test_without_gaps_nothing_changes(shape: tuple[int, ...]) -> None:
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    warp = CosineTime(size=shape[2:]) if len(shape) == 3 else Affine2d(size=shape[2:])
    map = warp.sample(4, torch.Generator().manual_seed(1), 0.5)
    assert torch.equal(deform(map, x), map(x))
    assert torch.equal(align(x, map), map.invert()(x))
