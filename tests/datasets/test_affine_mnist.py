"""Affine MNIST: ranges of deformations, ink inside the frame, seeds, and true maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.datasets import load
from unwarp.datasets.affine_mnist import (
    SIZE,
    Nuisance,
    binarise,
    fixed_observations,
    with_random_draws,
)
from unwarp.warps import Affine2d, AffineMap, Window

FRAME = Window.frame((SIZE, SIZE))
CLEAN = Window((28, 28), (28 / SIZE, 28 / SIZE))


def generator(seed: int = 0) -> torch.Generator:
    """A new generator."""
    return torch.Generator().manual_seed(seed)


def sample(clean: Dataset, n: int = 200) -> Dataset:
    """Some digits of all classes."""
    return clean.subset(np.arange(n) * (len(clean) // n))


def test_deformations_fill_their_ranges(clean: Dataset) -> None:
    """Rotations, scales and shears are uniform over the ranges of affNIST."""
    columns = {
        f.name: v for f, v in Affine2d().summary(Nuisance().maps(clean.x, generator())).items()
    }
    tangent = torch.tan(torch.deg2rad(columns["shear_deg"]))
    published = {"rotation_deg": (-20, 20), "scale_x": (0.8, 1.2), "scale_y": (0.8, 1.2)}
    ranges = [(columns[name], low, high) for name, (low, high) in published.items()]
    for values, low, high in (*ranges, (tangent, -0.2, 0.2)):
        assert low - 1e-3 <= float(values.min()) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < float(values.max()) <= high + 1e-3
        assert float(values.mean()) == pytest.approx((low + high) / 2, abs=0.04 * (high - low))


def test_ink_stays_inside_the_frame(clean: Dataset) -> None:
    """No ink leaves the frame, its amount changes with the area, and it reaches each side."""
    maps = Nuisance().maps(clean.x, generator())
    pixels = maps.push(CLEAN.lattice(clean.x))
    ink = clean.x.flatten(1) > 0
    extent = pixels[ink].abs().amax(0)
    assert (extent <= 1).all() and (extent > 0.95).all()
    observed_ink = Nuisance().observe(clean.x, maps, generator()).sum((1, 2, 3))
    expected = clean.x.sum((1, 2, 3)) * maps.matrix[:, :, :2].det().abs()
    torch.testing.assert_close(observed_ink, expected, rtol=0.06, atol=0)


def test_no_deformation_pads_the_picture(clean: Dataset) -> None:
    """Without a deformation the picture is in the middle of the frame, pixel by pixel."""
    identity = Nuisance(rotation=0.0, shear=0.0, scale=0.0)
    x = identity.observe(clean.x[:4], AffineMap(torch.eye(2, 3).expand(4, 2, 3)), generator())
    torch.testing.assert_close(x[:, :, 6:34, 6:34], clean.x[:4], atol=1e-5, rtol=0)
    assert float(x.sum()) == pytest.approx(float(clean.x[:4].sum()), rel=1e-5)
    linear = identity.maps(clean.x, generator()).matrix[:, :, :2]
    torch.testing.assert_close(linear, torch.eye(2).expand_as(linear), atol=1e-6, rtol=0)


def test_observations_have_frame_size(clean: Dataset) -> None:
    """Observations have the size of the frame, and values from 0 to 1."""
    data = with_random_draws(clean)
    x = data.batch(torch.arange(50), generator()).x
    assert x.shape == (50, 1, SIZE, SIZE) and data.shape == (1, SIZE, SIZE)
    assert x.dtype == torch.float32
    assert float(x.min()) >= 0 and float(x.max()) <= 1


def test_fresh_batches_follow_the_generator(clean: Dataset) -> None:
    """Batches of one generator differ, those of equal generators do not."""
    data, index, ongoing = with_random_draws(clean), torch.arange(20), generator()
    first, second = data.batch(index, ongoing).x, data.batch(index, ongoing).x
    assert torch.equal(first, data.batch(index, generator()).x)
    assert (first - second).abs().flatten(1).amax(1).min() > 0.1


def test_observed_set_follows_its_seed(clean: Dataset) -> None:
    """Equal seeds give equal sets, and batches do not draw again."""
    first, repeat, other = (fixed_observations(sample(clean), 2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.x, repeat.x)
    assert not torch.equal(first.x, other.x)
    index = torch.arange(10)
    assert torch.equal(first.batch(index, generator()).x, first.x[index])


def test_true_maps_make_the_observations(clean: Dataset) -> None:
    """The true maps of the originals reproduce the observations."""
    originals = sample(clean)
    data = fixed_observations(originals, 2, seed=1)
    assert (
        data.ids is not None
        and data.maps is not None
        and data.labels is not None
        and originals.labels is not None
    )
    assert np.bincount(data.ids).tolist() == [2] * 200
    assert np.array_equal(data.labels, originals.labels[data.ids])
    expected = data.maps(originals.x[torch.as_tensor(data.ids)], CLEAN, FRAME)
    torch.testing.assert_close(expected, data.x)


def test_observed_set_does_not_draw(clean: Dataset) -> None:
    """A fixed set made from one that draws does not draw."""
    data = fixed_observations(with_random_draws(sample(clean)), 1, seed=1)
    index = torch.arange(10)
    assert torch.equal(data.batch(index, generator()).x, data.x[index])


def test_noise_has_its_deviation(clean: Dataset) -> None:
    """Noise has the standard deviation that is asked for, and values stay in range."""
    quiet, loud = (
        fixed_observations(sample(clean), 1, seed=3, nuisance=Nuisance(noise=noise)).x
        for noise in (0.0, 0.1)
    )
    assert float(loud.min()) >= 0 and float(loud.max()) <= 1
    grey = (quiet > 0.4) & (quiet < 0.6)
    assert float((loud - quiet)[grey].std()) == pytest.approx(0.1, rel=0.05)


def test_blank_pictures_stay_blank() -> None:
    """A picture without ink has no corners, and stays blank."""
    x = Nuisance()(torch.zeros(3, 1, 28, 28), generator())
    assert torch.equal(x, torch.zeros(3, 1, SIZE, SIZE))


def test_test_digits_are_observed_twice(clean: Dataset) -> None:
    """By name, the test part has two observations of each digit."""
    data = load("affine-mnist", "test")
    assert len(data) == 2000 and data.draw is None
    assert data.labels is not None and clean.labels is not None
    assert np.array_equal(data.labels[::2], clean.labels)


def test_shift_fills_its_range(clean: Dataset) -> None:
    """Shifts reach the largest one, and no further."""
    nuisance = Nuisance(rotation=20.0, shear=0.0, scale=0.0, shift=0.1, size=28)
    columns = {
        f.name: v
        for f, v in Affine2d(size=(28, 28)).summary(nuisance.maps(clean.x, generator())).items()
    }
    for name in ("shift_x_px", "shift_y_px"):
        assert float(columns[name].abs().max()) == pytest.approx(2.8, abs=0.05)
    assert float((columns["scale_x"] - 1).abs().max()) < 1e-5
    assert nuisance(clean.x[:3], generator()).shape == (3, 1, 28, 28)


def test_binary_pixels_average_to_grey(clean: Dataset) -> None:
    """Drawn pixels have the grey values as means; a threshold is at 1/2."""
    x = clean.x[:4]
    draws = torch.stack([binarise(x, generator(seed)) for seed in range(400)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(draws.mean(0), x, atol=0.13, rtol=0)
    grey = Nuisance()(x, generator())
    assert set(Nuisance(binary="draw")(x, generator()).unique().tolist()) == {0.0, 1.0}
    assert torch.equal(Nuisance(binary="threshold")(x, generator()), (grey > 0.5).float())
