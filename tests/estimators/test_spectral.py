"""Spectral clusters: groups of elastic distances, new series, and arrays that make them again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.distances import MSM
from unwarp.estimators.spectral import (
    BAND,
    SelfTuning,
    SpectralClusters,
    comparable_series,
    mean_codes,
    suggest_number,
)
from unwarp.models import AE
from unwarp.warps import CosineTime, Identity


def kinds_of_series(n: int = 12, seed: int = 0) -> Tensor:
    """Three kinds of series (3 n, 1, 40), each shifted and noisy: a bump, waves and a step."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, 40) + rng.normal(0, 0.02, (3 * n, 1))
    shapes = (
        np.exp(-0.5 * ((time[:n] - 0.5) / 0.08) ** 2),
        np.sin(6 * np.pi * time[n : 2 * n]),
        1.0 * (time[2 * n :] > 0.6),
    )
    x = np.concatenate(shapes) + 0.05 * rng.normal(size=time.shape)
    return torch.from_numpy(x).float()[:, None]


def clustered(x: Tensor, n: int | None = 3) -> tuple[SpectralClusters, Any]:
    """Clusters of series, with their labels; the means of series are their codes."""
    tuning, distances = SelfTuning.fit(x)
    return SpectralClusters.fit(tuning, distances, x.mean(2).numpy(), n)


KINDS = np.arange(3).repeat(12)


def test_kinds_are_separated() -> None:
    """Each kind of series is a cluster, and so it is for new series."""
    clusters, labels = clustered(kinds_of_series())
    parts = labels.reshape(3, 12)
    assert (parts == parts[:, :1]).all() and len(set(parts[:, 0])) == 3
    places = clusters.place(clusters.tuning.distances(kinds_of_series(5, seed=1)))
    np.testing.assert_array_equal(places, parts[:, 0].repeat(5))


def test_references_are_placed_as_new_series() -> None:
    """A reference series that comes again has its cluster, alone or among others."""
    x = torch.randn(30, 2, 25, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    clusters, labels = clustered(x, 4)
    np.testing.assert_array_equal(clusters.place(clusters.tuning.distances(x)), labels)
    alone = [clusters.place(clusters.tuning.distances(x[i : i + 1]))[0] for i in range(5)]
    np.testing.assert_array_equal(alone, labels[:5])


def test_distances_are_those_of_msm() -> None:
    """Values and slopes in units of their standard deviations, with the floors as diagonal."""
    x = kinds_of_series(4)
    _, distances = SelfTuning.fit(x)
    expected = MSM(band=BAND)(x / x.std(correction=0), x / x.std(correction=0)).numpy()
    is_other = ~np.eye(len(x), dtype=bool)
    np.testing.assert_allclose(distances[0][is_other], expected[is_other], rtol=1e-4)
    nearest = np.where(is_other, expected, np.inf).min(1)
    np.testing.assert_allclose(distances[0].diagonal(), nearest, rtol=1e-4)


def test_affinities_have_no_unit() -> None:
    """Distances in other units give the same affinities: scales are distances as well."""
    x = kinds_of_series(4)
    tuning, distances = SelfTuning.fit(x)
    larger = replace(tuning, floors=7 * tuning.floors, scales=7 * tuning.scales)
    np.testing.assert_allclose(larger.affinities(7 * distances), tuning.affinities(distances))


def test_clusters_are_made_again_from_arrays() -> None:
    """The same rule; arrays that contradict each other or are not finite are refused."""
    x = kinds_of_series(6)
    clusters, labels = clustered(x)
    again = SpectralClusters.of(clusters.centers, clusters.arrays())
    np.testing.assert_array_equal(again.place(again.tuning.distances(x)), labels)
    for name in ("floors", "scales", "axes", "means", "series"):
        arrays = clusters.arrays()
        with pytest.raises(ValueError, match="of the clusters ha"):
            SpectralClusters.of(clusters.centers, {**arrays, name: arrays[name][:-1]})
    with pytest.raises(ValueError, match="finite"):
        SpectralClusters.of(clusters.centers, {**clusters.arrays(), "sds": np.full(2, np.nan)})


@pytest.mark.parametrize("n", [2, 3, 9])
def test_equal_series_are_one_cluster(n: int) -> None:
    """Copies of a series are together, whatever the number of clusters."""
    clusters, labels = clustered(kinds_of_series(1)[:1].expand(n, -1, -1).contiguous(), 3)
    assert (labels == 0).all() and len(clusters.centers) == 1


def test_centres_are_mean_codes() -> None:
    """Centres are the means of content codes, so that templates can be decoded from them."""
    x = kinds_of_series()
    clusters, labels = clustered(x)
    np.testing.assert_allclose(clusters.centers, mean_codes(x.mean(2).numpy(), labels, 3))


def test_clearer_form_is_compared() -> None:
    """Aligned series are compared if they have more contrast than observed ones, and only then."""
    x = kinds_of_series()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    for observed, aligned, sees_aligned in ((x, noise, False), (noise, x, True)):
        tuning, distances = SelfTuning.fit(observed, aligned=aligned)
        assert bool(tuning.sees_aligned[0]) == sees_aligned
        np.testing.assert_array_equal(distances, SelfTuning.fit(x)[1])


def test_number_has_the_largest_gap() -> None:
    """From 2 to 10, of the eigenvalues that there are."""
    assert suggest_number(np.array([1, 0.9, 0.85, 0.8, 0.2, 0.1])) == 4
    assert suggest_number(np.linspace(1, 0, 40) ** 2) in range(2, 11)
    assert suggest_number(np.array([1.0, 0.5])) == 1


def test_series_are_those_of_the_content() -> None:
    """A joint code sees aligned series, and a model without a warp those as observed."""
    x = torch.rand(4, 1, 30)
    assert comparable_series(AE(warp=Identity(), n_content=2).build((1, 30)), x) is x
    model = AE(warp=CosineTime(), n_content=2).build((1, 30)).eval()
    with torch.no_grad():
        expected = model.encode(x).canonical
    assert expected is not None
    torch.testing.assert_close(comparable_series(model, x), expected)
