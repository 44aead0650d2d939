"""The sum of elastic distances is in units of the collection."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unwarp.distances import ValuesAndSlopes
from unwarp.distances.values_and_slopes import shorten, slopes, unit_of


def walks(n: int = 8, channels: int = 1, steps: int = 40) -> Tensor:
    """Random walks (N, C, T)."""
    return torch.randn(n, channels, steps, generator=torch.Generator().manual_seed(0)).cumsum(-1)


def test_distance_ignores_unit_and_offset() -> None:
    """Series in another unit and with another zero have the same distances."""
    x, y = walks(), 40 * walks() + 7
    assert torch.allclose(ValuesAndSlopes.of(x)(x, x), ValuesAndSlopes.of(y)(y, y), atol=1e-3)


def test_channels_have_units_of_their_own() -> None:
    """A channel in another unit counts as much, and one without variation not at all."""
    x = walks(channels=2)
    other = x * torch.tensor([1.0, 1000.0])[:, None]
    first, second = (ValuesAndSlopes.of(group)(group, group) for group in (x, other))
    assert torch.allclose(first, second, atol=1e-4)
    still = torch.cat([x, torch.ones_like(x[:, :1])], 1)
    first, second = (ValuesAndSlopes.of(group).parts(group, group)[1:] for group in (x, still))
    assert torch.allclose(first, second, atol=1e-4)


def test_parts_have_unit_one() -> None:
    """Each part has the unit 1 on the collection that it was made for."""
    x = walks()
    assert [unit_of(part) for part in ValuesAndSlopes.of(x).parts(x, x)] == pytest.approx([1] * 3)


def test_series_that_shift_are_near() -> None:
    """A late copy is nearer than another series, though it is not in squared distance."""
    x = walks(12)
    late = torch.cat([x[:, :, :1], x[:, :, :-1]], -1)
    distances = ValuesAndSlopes.of(x)(late, x)
    assert torch.equal(distances.argmin(1), torch.arange(12))


def test_shortened_boxes_average_observed_values() -> None:
    """A box is the mean of its observed values, and NaN without any."""
    x = torch.tensor([[[1.0, 3.0, torch.nan, 5.0, torch.nan, torch.nan]]])
    assert shorten(x, 3)[0, 0, :2].tolist() == [2.0, 5.0] and shorten(x, 3)[0, 0, 2].isnan()
    assert shorten(x, 6) is x


def test_slopes_cross_gaps() -> None:
    """Gaps have the slope of the line across them; missing ends stay missing."""
    x = torch.tensor([[[torch.nan, 0.0, torch.nan, 4.0]], [[torch.nan, 2.0, torch.nan, torch.nan]]])
    assert slopes(x)[0, 0, 1:].tolist() == [2.0, 2.0] and slopes(x)[0, 0, 0].isnan()
    assert slopes(x)[1, 0, 0] == 0


def test_constant_series_have_distances() -> None:
    """A collection without variation has finite distances."""
    x = torch.ones(4, 1, 10)
    assert ValuesAndSlopes.of(x)(x, x).abs().max() < 1e-3


def test_weights_multiply_the_parts() -> None:
    """Each part counts by its weight, and one of weight 0 is left out."""
    x = torch.randn(5, 2, 20, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    distance = ValuesAndSlopes.of(x)
    parts, weights = distance.parts(x, x), (2.0, 0.0, 0.5)
    expected = parts * torch.tensor(weights)[:, None, None]
    torch.testing.assert_close(distance.weighted(weights).parts(x, x), expected)
    assert distance.weighted((1.0, 1.0, 1.0)) == distance


def test_equal_series_are_at_no_distance() -> None:
    """Series that differ by rounding have distances of about 0, never below, in any collection."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, 60, generator=generator).cumsum(-1).repeat(8, 1, 1)
    x = x + 1e-7 * torch.randn(x.shape, generator=generator)
    distances = ValuesAndSlopes.of(x)(x, x)
    assert distances.min() >= 0 and distances.max() < 1
