import numpy as np
import pytest
import torch

from unwarp.warps import Affine2d, Chain, CosineTime, Gain, Warp, align, deform, interpolate_missing


def gapped(seed: int = 0, n: int = 5, channels: int = 2, length: int = 40) -> torch.Tensor:
    """Series with a fifth of their values missing, first and last ones among them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, channels, length, generator=generator)
    holes = torch.rand(x.shape, generator=generator) < 0.2
    holes[0, 0, :3], holes[1, 1, -4:] = True, True
    return x.masked_fill(holes, torch.nan)


def test_gaps_are_filled_as_numpy_interpolates() -> None:
    x = gapped()
    step = np.arange(x.shape[-1])
    for row, own in zip(x.flatten(0, 1).numpy(), interpolate_missing(x).flatten(0, 1).numpy(), strict=True):
        seen = ~np.isnan(row)
        np.testing.assert_allclose(own, np.interp(step, step[seen], row[seen]), atol=1e-5)


def test_filling_keeps_what_was_seen_and_makes_up_nothing_for_an_empty_channel() -> None:
    x = gapped()
    x[2, 0] = torch.nan
    whole = interpolate_missing(x)
    assert torch.equal(whole[~x.isnan()], x[~x.isnan()])
    assert torch.equal(whole[2, 0], torch.zeros(40))


@pytest.mark.parametrize("warp", [CosineTime(4), Gain(), Chain(CosineTime(4), Gain())], ids=["time", "gain", "both"])
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
