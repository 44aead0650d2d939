"""Paths inside a band are the cheapest, and time never runs backwards."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from unwarp.distances.path import displacements
from unwarp.errors import ConfigError, DataError


def noise(n: int, channels: int, length: int, seed: int = 0) -> torch.Tensor:
    """Random series (n, channels, length)."""
    return torch.randn(n, channels, length, generator=torch.Generator().manual_seed(seed))


def cost(x: torch.Tensor, template: torch.Tensor, path: tuple[int, ...], penalty: float) -> float:
    """The cost of a path (T,) between two series (C, T); infinite outside the series."""
    steps = [t + d for t, d in enumerate(path)]
    if min(steps) < 0 or max(steps) >= len(steps):
        return float("inf")
    changes = [path[0], *(b - a for a, b in pairwise(path)), path[-1]]
    return float((x[:, steps] - template).square().nansum()) + penalty * sum(map(abs, changes))


@pytest.mark.parametrize("penalty", [0.0, 0.3, 2.0])
def test_paths_are_the_cheapest(penalty: float) -> None:
    """No other path within the band costs less, by trying all of them; channels are summed."""
    x, template = noise(3, 2, 6), noise(3, 2, 6, seed=1)
    template[0, 0, 3] = torch.nan
    paths = displacements(x, template, 2, penalty)
    every = [
        path
        for path in product(range(-2, 3), repeat=6)
        if all(abs(b - a) <= 1 for a, b in pairwise(path))
    ]
    for series, goal, path in zip(x, template, paths.int().tolist(), strict=True):
        least = min(cost(series, goal, other, penalty) for other in every)
        assert cost(series, goal, tuple(path), penalty) == pytest.approx(least, abs=1e-4)


def test_paths_stay_in_their_band() -> None:
    """Displacements stay in the band and the series, and change by one step at most."""
    paths = displacements(noise(20, 1, 60), noise(1, 1, 60, seed=1), 4, 0.0)
    position = torch.arange(60) + paths
    assert paths.abs().max() == 4
    assert position.min() >= 0 and position.max() <= 59
    assert (position.diff() >= 0).all() and (paths.diff().abs() <= 1).all()


def test_paths_do_not_depend_on_the_batch() -> None:
    """The path of a series alone is its path among others."""
    x, template = noise(7, 2, 40), noise(1, 2, 40, seed=1)
    paths = displacements(x, template, 3, 0.5)
    alone = [displacements(row[None], template, 3, 0.5) for row in x]
    assert torch.equal(torch.cat(alone), paths)


def test_unfit_paths_are_refused() -> None:
    """A negative band or penalty, and a template of another length, are errors."""
    x = noise(2, 1, 8)
    for radius, penalty in ((-1, 0.1), (1, -0.1)):
        with pytest.raises(ConfigError, match="is negative; give 0 or more"):
            displacements(x, x, radius, penalty)
    with pytest.raises(DataError, match="give series"):
        displacements(x, noise(1, 1, 9), 1, 0.1)
