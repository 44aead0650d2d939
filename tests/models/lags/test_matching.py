"""Errors at all lags by FFT, and averages at known lags."""

from __future__ import annotations

import torch

from tests.models.lags.recordings import delayed
from unwarp.models.lags.matching import (
    Observations,
    Poses,
    Templates,
    average,
    clean,
    errors_at_lags,
    match,
)

ONE_TEMPO = torch.zeros(1)


def test_errors_equal_direct_sums() -> None:
    """At every lag the error is the weighted mean of squares over what both have."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 10, generator=generator)
    x[0, 1, 4:7] = torch.nan
    templates = Templates(torch.randn(2, 3, 16, generator=generator), torch.ones(2, 3, 16))
    weights = torch.rand(2, 3, 16, generator=generator)
    errors = errors_at_lags(Observations.of(x), templates, weights)[0]
    for step in range(7):
        part = templates.values[:, :, step : step + 10]
        factor = weights[:, :, step : step + 10] * torch.isfinite(x)[:, None]
        squares = (x[:, None] - part).square().nan_to_num() * factor
        expected = squares.sum((2, 3)) / factor.sum((2, 3))
        is_compared = errors[..., step].isfinite()
        torch.testing.assert_close(errors[..., step][is_compared], expected[is_compared])


def test_lags_have_half_overlap() -> None:
    """A lag at which a template covers less than half of a series is not chosen."""
    x = Observations.of(torch.ones(1, 1, 8))
    counts = torch.zeros(1, 1, 24)
    counts[..., 8:16] = 2
    errors = errors_at_lags(x, Templates(counts * 0 + 1, counts), (counts > 0).float())[0]
    assert errors.isfinite()[0, 0].tolist() == [4 <= i <= 12 for i in range(17)]


def test_match_undoes_average() -> None:
    """Series that are averaged at their lags are matched at these lags."""
    x, lags = delayed()
    series, poses = Observations.of(x), Poses.unmoved(len(x))
    poses = Poses(poses.template, lags, poses.log_tempo, poses.error)
    templates = average(series, poses, 1, 240)
    assert torch.equal(match(series, templates, ONE_TEMPO).lag, lags)


def test_tempos_are_matched() -> None:
    """A series that runs through a template faster gets its tempo."""
    times = torch.arange(200.0) - 99.5
    curve = torch.sin(times / 6) + torch.sin(times / 17)
    templates = Templates(curve[None, None], torch.full((1, 1, 200), 2.0))
    x = (torch.sin(times / 5) + torch.sin(times * 6 / 85))[None, None, 50:150]
    log_tempos = torch.tensor([-0.2, 0.0, torch.tensor(1.2).log(), 0.4])
    poses = match(Observations.of(x), templates, log_tempos)
    torch.testing.assert_close(poses.log_tempo.exp(), torch.tensor([1.2]))
    torch.testing.assert_close(poses.lag, torch.zeros(1))


def test_levels_and_spikes_are_removed() -> None:
    """Gains, offsets and a few spikes of series do not remain."""
    x, lags = delayed(noise=0.02)
    poses = Poses(*(part[: len(x)] for part in vars(Poses.unmoved(len(x))).values()))
    poses = Poses(poses.template, lags, poses.log_tempo, poses.error)
    templates = average(Observations.of(x), poses, 1, 240)
    changed = 3 * x + 2
    changed[0, 0, 60] += 40
    series = Observations.of(changed)
    for _ in range(3):  # the first time, the spike still has a part in the level
        series = clean(series, templates, poses)
    assert series.mask[0, 0, 60] == 0 and series.mask.sum() > 0.99 * x.numel()
    assert (series.values - x)[series.mask > 0].abs().max() < 0.1


def test_rows_are_matched_alone() -> None:
    """The pose of a series does not depend on the others of its batch."""
    x, lags = delayed()
    poses = Poses.unmoved(len(x))
    poses = Poses(poses.template, lags, poses.log_tempo, poses.error)
    templates = average(Observations.of(x), poses, 1, 240)
    alone = [match(Observations.of(row[None]), templates, ONE_TEMPO).lag for row in x]
    assert torch.equal(torch.cat(alone), match(Observations.of(x), templates, ONE_TEMPO).lag)
