"""Refined series share the timing of a template; the others stay as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from unwarp.models.refine import BandRefinement, shifted
from unwarp.warps import align

LENGTH, N_PEAKS = 300, 24


def peaks(n: int = 16, reach: float = 6.0, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Series (n, 1, T) with narrow peaks, moved by slow waves, and the times of the peaks (n, K).

    Args:
        n: Number of series.
        reach: Greatest displacement in time steps.
        seed: Seed of heights and displacements; all seeds have the same peaks.
    """
    generator = torch.Generator().manual_seed(seed)
    place = torch.linspace(15, LENGTH - 16, N_PEAKS)
    phase, size = torch.rand(n, 1, generator=generator) * 6.3, torch.rand(n, 1, generator=generator)
    times = place + reach * (2 * size - 1) * torch.sin(3 * place / LENGTH + phase)
    height = 1 + 0.3 * torch.rand(n, N_PEAKS, generator=generator) + torch.sin(7 * place).abs()
    bumps = torch.exp(-(((torch.arange(LENGTH) - times[..., None]) / 2) ** 2) / 2)
    x = (height[..., None] * bumps).sum(1, keepdim=True)
    return x + 0.02 * torch.randn(x.shape, generator=generator), times


def spread(times: torch.Tensor) -> float:
    """Standard deviation over series of the time of a peak, mean over peaks, in time steps."""
    return float(times.std(0).mean())


def pulled(refinement: BandRefinement, x: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Times (n, K) in the refined series."""
    return refinement.map(x).pull(times[..., None] / (LENGTH - 1))[..., 0] * (LENGTH - 1)


def test_refinement_finds_a_local_warp() -> None:
    """Peaks of training series and of new ones coincide within a fifth of a time step."""
    (x, times), (new, new_times) = peaks(), peaks(seed=1)
    refinement = BandRefinement.fit(x)
    moved = torch.cat([pulled(refinement, x, times), pulled(refinement, new, new_times)])
    assert spread(torch.cat([times, new_times])) > 2
    assert spread(moved) < 0.4
    assert spread(align(new, refinement.map(new), padding="border")[:, 0]) < spread(new[:, 0]) / 2


def test_series_in_time_stay() -> None:
    """Where nothing moved, the map is the identity, in spite of noise and other heights."""
    x, _ = peaks(reach=0.0)
    assert BandRefinement.fit(x).paths(x / x.std()).abs().max() == 0


def test_strangers_stay() -> None:
    """A series without any peak keeps its clock."""
    blank = 0.02 * torch.randn(1, 1, LENGTH, generator=torch.Generator().manual_seed(5))
    map = BandRefinement.fit(peaks()[0]).map(blank)
    assert torch.equal(map.observed_times, map.template_times)


def test_refined_time_increases() -> None:
    """Maps are strictly increasing even between noise and noise, and undo themselves."""
    x = torch.randn(12, 2, 150, generator=torch.Generator().manual_seed(0)).cumsum(2)
    map = BandRefinement.fit(x[:6]).map(x)
    assert (map.observed_times.diff() > 0).all() and (map.template_times.diff() > 0).all()
    time = torch.linspace(0, 1, 64)[:, None]
    assert torch.allclose(map.pull(map.push(time)), time.expand(12, -1, -1), atol=1e-4)


def test_maps_do_not_depend_on_the_batch() -> None:
    """The map of a series alone is its map among others."""
    x, _ = peaks()
    refinement = BandRefinement.fit(x)
    alone = torch.cat([refinement.map(row[None]).observed_times for row in x])
    assert torch.allclose(alone, refinement.map(x).observed_times, atol=1e-7)


def test_units_do_not_matter() -> None:
    """A channel in other units gives the same maps, and so does a constant channel more."""
    x, _ = peaks()
    pair = torch.cat([x, x], 1)
    goal = BandRefinement.fit(pair).map(pair).observed_times
    scaled = pair * torch.tensor([[1.0], [1000.0]])
    assert torch.allclose(BandRefinement.fit(scaled).map(scaled).observed_times, goal, atol=1e-4)
    constant = torch.cat([x, torch.zeros_like(x)], 1)
    assert BandRefinement.fit(constant).map(constant).observed_times.isfinite().all()


def test_gaps_are_left_out() -> None:
    """Missing values hide peaks, but the others are found; a series of gaps alone stays."""
    x, times = peaks()
    gappy = x.clone()
    gappy[:, :, 100:120] = torch.nan
    gappy[3, :, 250:] = torch.nan
    refinement = BandRefinement.fit(gappy)
    is_seen = torch.ones(len(x), dtype=torch.bool)
    is_seen[3] = False
    assert spread(pulled(refinement, gappy, times)[is_seen][:, :6]) < 0.5
    assert (
        pulled(refinement, gappy, times)[3, :6].sub(pulled(refinement, x, times)[3, :6]).abs().max()
        < 1
    )
    map = refinement.map(torch.full_like(x[:1], torch.nan))
    assert torch.equal(map.observed_times, map.template_times)


def test_long_series_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths at a third of the steps find the displacements in the steps of the series."""
    monkeypatch.setattr("unwarp.models.refine.MAX_WORKING_STEPS", 101)
    x, times = peaks()
    refinement = BandRefinement.fit(x)
    assert refinement.stride == 3 and refinement.template.shape == (1, 1, 100)
    assert spread(pulled(refinement, x, times)) < spread(times) / 3


def test_records_restore_a_refinement() -> None:
    """Numbers and tensors give the same maps; those of other series are refused."""
    x, _ = peaks()
    refinement = BandRefinement.fit(x)
    restored = BandRefinement.of(refinement.record(), refinement.tensors(), (1, LENGTH))
    assert torch.equal(restored.map(x).observed_times, refinement.map(x).observed_times)
    for damaged, shape in (
        (refinement, (1, LENGTH + 1)),
        (replace(refinement, unit=-refinement.unit), (1, LENGTH)),
        (replace(refinement, band=2.0), (1, LENGTH)),
    ):
        with pytest.raises(ValueError, match="refinement"):
            BandRefinement.of(damaged.record(), damaged.tensors(), shape)


def test_shifted_series_keep_their_gaps() -> None:
    """A missing value stays missing where it is read, and only there."""
    series = torch.tensor([[[0.0, torch.nan, 2.0, 3.0]]])
    moved = shifted(series, torch.ones(1, 4))
    assert moved.isnan().flatten().tolist() == [True, False, False, False]
