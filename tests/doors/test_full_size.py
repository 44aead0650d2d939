"""Results come at the user's size, dtype and memory, whatever size the model learned at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.doors.memory_use import megabytes_of
from tests.estimators.series import fit_series, waves
from unwarp import AE, Affine2d, Unwarper
from unwarp.data.working_size import resize_smoothly
from unwarp.errors import DataError
from unwarp.models import Net

N, SIZE = 24, 72
RECIPE = AE(warp=Affine2d(), n_content=3, net=Net("mlp", (32,), (32,)), views=0.0)


def pictures(size: int = SIZE) -> np.ndarray:
    """Blobs (24, size, size), uint8, at random places of a black ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size] / size
    places = rng.uniform(0.35, 0.65, (N, 2, 1, 1))
    squares = (x - places[:, 0]) ** 2 + ((y - places[:, 1]) * 1.6) ** 2
    return np.round(255 * np.exp(-squares / 0.015)).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> Unwarper:
    """A model of pictures that it learned at 24 pixels; no test changes it."""
    torch.set_num_threads(1)
    return Unwarper(recipe=RECIPE, max_steps=60, n_clusters=2, working_size=24).fit(pictures())


def test_results_have_the_full_size(model: Unwarper, tmp_path: Path) -> None:
    """Aligned pictures, templates and samples are at the user's size, also after loading."""
    x = pictures()
    assert model.model_.shape == (1, 24, 24) and model.n_features_in_ == SIZE**2
    model.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    for method in ("align", "template", "reconstruct"):
        result = getattr(model, method)(x)
        assert result.shape == x.shape and result.dtype == np.uint8
        np.testing.assert_array_equal(getattr(loaded, method)(x), result)
    assert model.cluster_templates_.shape == (2, 1, SIZE, SIZE)
    assert model.sample(3).shape == (3, 1, SIZE, SIZE)


def test_maps_hold_at_any_size(model: Unwarper) -> None:
    """Matrices, tables and points are in pixels of the full size and agree with one another."""
    x, centre = pictures(), np.array([[(SIZE - 1) / 2, (SIZE - 1) / 2]])
    matrices = model.to_matrix(x)
    shift = model.transform_params(x)[["shift_x_px", "shift_y_px"]].to_numpy()
    np.testing.assert_allclose(
        matrices[:, :2, :2] @ centre[0] + matrices[:, :2, 2] - centre, shift, atol=1e-3
    )
    points = model.transform_points(x, centre, inverse=True)
    np.testing.assert_allclose(points[:, 0] - centre, shift, atol=1e-3)
    np.testing.assert_allclose(model.transform_points(x, points), centre + 0 * points, atol=1e-2)


def test_alignment_brings_centres_together(model: Unwarper) -> None:
    """Centres of mass are closer together after the alignment at the full size."""
    x = pictures()
    grid = np.stack(np.mgrid[:SIZE, :SIZE], -1)
    spread = [
        (y[..., None] * grid).sum((1, 2)) / y.sum((1, 2))[:, None]
        for y in (x.astype(float), model.align(x).astype(float))
    ]
    assert spread[1].std(0).mean() < 0.5 * spread[0].std(0).mean()


def test_other_may_be_finer(model: Unwarper) -> None:
    """Data of another resolution of the same frame are aligned by the same maps."""
    x, fine = pictures(), pictures(2 * SIZE)
    aligned = model.align(x, other=fine.astype(float))
    assert aligned.shape == fine.shape
    small = resize_smoothly(torch.from_numpy(aligned)[:, None], (SIZE, SIZE))[:, 0].numpy()
    assert np.abs(small - model.align(x)).mean() < 2
    with pytest.raises(DataError, match="same proportions"):
        model.align(x, other=fine[:, :100])


def test_class_numbers_are_not_averaged(model: Unwarper) -> None:
    """Integers move to the nearest place: no new number, all digits, 0 outside."""
    x = pictures()
    numbers = np.where(x > 80, 2**60 + 1, 7)
    moved = model.align(x, other=numbers)
    assert moved.dtype == numbers.dtype and set(np.unique(moved)) <= {0, 7, 2**60 + 1}
    covered = model.coverage(x)
    assert covered.shape == x.shape and ((moved != 0) == covered).all()


def test_samples_align_to_a_sample(model: Unwarper) -> None:
    """The reference stays as it is, given by its row or as an array, and others come to it."""
    x = pictures()
    aligned = model.align(x, to=3)
    assert np.abs(aligned[3].astype(int) - x[3]).max() <= 1
    np.testing.assert_array_equal(model.align(x, to=x[3]), aligned)
    before, after = (np.abs(y.astype(float) - x[3]).mean() for y in (x, aligned))
    assert after < before
    for to, word in ((N, "is no row of X"), (-1, "is no row of X"), (x[0, :9, :9], "to has")):
        with pytest.raises(DataError, match=word):
            model.align(x, to=to)


def test_series_align_to_a_series() -> None:
    """Series are aligned to one of them, which stays as it is."""
    rows = np.stack(waves([32] * 6))
    unwarper = fit_series(rows)
    np.testing.assert_allclose(unwarper.align(rows, to=2)[2], rows[2], atol=0.02)
    assert unwarper.coverage(rows).shape == rows.shape


def test_out_receives_the_result(model: Unwarper, tmp_path: Path) -> None:
    """A memory map receives the same values, and another shape or dtype is refused."""
    x = pictures()
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.uint8, x.shape)
    assert model.align(x, out=out) is out
    np.testing.assert_array_equal(out, model.align(x))
    for wrong in (np.empty(x.shape, np.float32), np.empty((N, SIZE, 9), np.uint8)):
        with pytest.raises(DataError, match="out has shape"):
            model.align(x, out=wrong)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "size"), [(12, 4096), (60, 2048)])
def test_large_pictures_fit_in_memory(n: int, size: int, tmp_path: Path) -> None:
    """Pictures of any size and number are learned and aligned in 1 GB, from file to file."""
    few = np.repeat(np.repeat(pictures(64)[:8], size // 64, 1), size // 64, 2)
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (n, size, size))
    for row in range(n):
        x[row] = few[row % len(few)]
    x.flush()
    program = """
from unwarp import Unwarper
x = np.load(folder / "x.npy", mmap_mode="r")
model = Unwarper(max_steps=3, n_clusters=2).fit(x)
assert len(model.transform(x)) == len(x)
out = np.lib.format.open_memmap(folder / "out.npy", "w+", np.uint8, x.shape)
model.align(x, out=out)
model.align(x[:2], other=x[:2])
"""
    assert megabytes_of(program, tmp_path) < 1000
