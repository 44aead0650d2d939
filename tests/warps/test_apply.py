"""Maps applied to samples: the invertible part is undone, and gaps move along."""

from __future__ import annotations

import pytest
import torch

from tests.pictures import smooth_noise
from tests.warps.chains import CHAIN, FRAME, thetas
from tests.warps.gaps import series_with_gaps
from unwarp.errors import ConfigError, DataError
from unwarp.waiting import training_step
from unwarp.warps import (
    Affine2d,
    Chain,
    CosineTime,
    Gain,
    Padding,
    TimeShift,
    Warp,
    Window,
    align,
    apply,
    deform,
    interpolate_missing,
    nearest_index,
    translation,
)


def test_align_undoes_affine_end() -> None:
    """Of a displacement and a pose, the pose alone is undone."""
    x = smooth_noise(4, FRAME).double()
    theta = thetas(CHAIN)
    pose = CHAIN.links[1].map(theta[:, 18:])
    torch.testing.assert_close(align(x, CHAIN.map(theta)), pose.invert()(x))


@pytest.mark.parametrize(
    "warp", [CosineTime(4), Gain(), Chain(CosineTime(4), Gain())], ids=["time", "gain", "both"]
)
def test_deform_keeps_gaps_of_point_map(warp: Warp) -> None:
    """Changes of values neither add nor remove a gap."""
    x = series_with_gaps()
    x[3:] = interpolate_missing(x[3:])
    map = warp.bind((40,)).sample(len(x), torch.Generator().manual_seed(1), 1.0)
    deformed = deform(x, map, padding="border")
    assert not deformed[3:].isnan().any() and deformed[:3].isnan().flatten(1).any(1).all()
    torch.testing.assert_close(deformed.isnan(), deform(x, map.point_map, padding="border").isnan())


def test_deform_moves_gaps_along() -> None:
    """A value is missing exactly if one of the two samples that it is read from is missing."""
    x = series_with_gaps()
    map = CosineTime(size=(40,)).sample(len(x), torch.Generator().manual_seed(1), 0.4)
    deformed = deform(x, map, padding="border")
    filled = map(interpolate_missing(x), padding="border")
    is_present = ~deformed.isnan()
    assert 0.5 < float(is_present.float().mean()) < 0.85
    torch.testing.assert_close(deformed[is_present], filled[is_present])
    positions = map.pull(torch.linspace(0, 1, 40)[:, None])[..., 0] * 39
    low, high = positions.floor().long().clamp(0, 39), positions.ceil().long().clamp(0, 39)
    is_gap = x.isnan()
    left, right = (is_gap.gather(-1, end[:, None].expand_as(x)) for end in (low, high))
    is_at_sample = ((positions - positions.round()).abs() < 2e-3)[:, None].expand_as(x)
    assert torch.equal((left | right)[~is_at_sample], ~is_present[~is_at_sample])


@pytest.mark.parametrize("shape", [(4, 1, 30), (4, 1, 12, 12)])
def test_deform_without_gaps_is_the_map(shape: tuple[int, ...]) -> None:
    """Complete samples are deformed and aligned as by the map itself."""
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    warp = CosineTime(size=shape[2:]) if len(shape) == 3 else Affine2d(size=shape[2:])
    map = warp.sample(4, torch.Generator().manual_seed(1), 0.5)
    assert torch.equal(deform(x, map), map(x))
    assert torch.equal(align(x, map), map.invert()(x))


def test_other_objects_are_refused() -> None:
    """Samples are tensors of real numbers, a map has their rows, and a padding is a word."""
    x, map = torch.zeros(2, 1, 8, 8), translation(torch.zeros(2, 2))
    for act in (align, deform):
        for samples in (None, x.numpy(), x.int(), x[0, 0]):
            with pytest.raises(DataError, match=r"^x=.* is not allowed; give a tensor"):
                act(samples, map)
        for other in (None, x, translation(torch.zeros(3, 2))):
            with pytest.raises(ConfigError, match=r"^map=.* is not allowed; give a Map of 2 rows"):
                act(x, other)
        with pytest.raises(ConfigError, match="padding='wrap' is unknown"):
            act(x, map, padding="wrap")


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("points", [1, 7 * FRAME[1], 1 << 20])
def test_bands_do_not_change_results(
    points: int, padding: Padding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large samples that are deformed band by band are as those deformed at once."""
    x, map = (
        smooth_noise(2, FRAME),
        Affine2d(size=FRAME).sample(2, torch.Generator().manual_seed(0)),
    )
    x[0, 0, 3, 4] = torch.nan
    window = Window.frame(FRAME)
    values, index = deform(x, map, padding=padding), nearest_index(map, window, padding)
    monkeypatch.setattr(apply, "POINTS_PER_BAND", points)
    torch.testing.assert_close(deform(x, map, padding=padding), values, equal_nan=True)
    assert torch.equal(nearest_index(map, window, padding), index)


def test_bands_of_series_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long series are deformed in parts, too."""
    x, map = torch.rand(2, 3, 50), CosineTime(size=(50,)).sample(2)
    values = deform(x, map)
    monkeypatch.setattr(apply, "POINTS_PER_BAND", 12)
    torch.testing.assert_close(deform(x, map), values)


def test_step_does_not_look_for_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no value may be read, results are the same, with and without gaps."""
    x = torch.rand(2, 1, 9, generator=torch.Generator().manual_seed(0))
    map = TimeShift(0.2).map(torch.tensor([[0.1], [-0.15]]))
    holey = x.masked_fill(x < 0.2, torch.nan)
    cases = ((x, False), (x, True), (holey, True))
    expected = [deform(samples, map) for samples, _ in cases]
    monkeypatch.setattr("unwarp.warps.apply.can_read", lambda x: False)
    for (samples, has_gaps), result in zip(cases, expected, strict=True):
        with training_step(has_gaps):
            torch.testing.assert_close(deform(samples, map), result, rtol=0, atol=0, equal_nan=True)
