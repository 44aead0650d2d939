"""Mirrored pictures through the doors: the handedness of each is found, kept and undone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.cases.images import Case, matrix, move, particles
from scipy.ndimage import gaussian_filter, zoom
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from unwarp import Rigid2d, Unwarper
from unwarp.core import Array

EASY = {"start": "centroid", "views": 0.3}


def letters(n: int = 56, seed: int = 0) -> Case:
    """The letter F (n, 28, 28), half of the time mirrored, turned by up to 20 degrees."""
    template = np.zeros((28, 28))
    template[6:22, 9:12] = template[6:9, 9:20] = template[13:16, 9:16] = 1
    return moved(np.tile(gaussian_filter(template, 0.7), (n, 1, 1)), np.zeros(n, int), 20, seed)


def moved(templates: Array, kinds: Array, degrees: float, seed: int) -> Case:
    """Templates (N, 28, 28), half of the time mirrored, then turned and shifted."""
    rng = np.random.default_rng(seed)
    maps = [
        matrix(rng.uniform(-degrees, degrees), 1.0, rng.uniform(-2, 2, 2), mirror=mirror > 0)
        for mirror in rng.integers(0, 2, len(templates))
    ]
    x = np.stack([move(image, map) for image, map in zip(templates, maps, strict=True)])
    x = x + rng.normal(0, 0.03, x.shape)
    pixels = np.round(255 * x.clip(0, 1)).astype(np.uint8)
    return Case(pixels, np.stack(maps), np.zeros((0, 2)), kinds)


def share_of_right_mirrors(mirrors: Array, case: Case) -> float:
    """Share of samples with the right mirror; which hand is the right one is free in a kind."""
    is_mirrored, n_right = np.linalg.det(case.matrices) < 0, 0
    for kind in np.unique(case.kinds):
        rows = case.kinds == kind
        share = (mirrors[rows] == is_mirrored[rows]).mean()
        n_right += max(share, 1 - share) * rows.sum()
    return float(n_right / len(mirrors))


@pytest.fixture(scope="module")
def case() -> Case:
    """Letters; no test changes them."""
    return letters()


@pytest.fixture(scope="module")
def fitted(case: Case) -> Unwarper:
    """A short training on letters with a mirror in the warp; no test changes it."""
    torch.set_num_threads(1)
    warp = Rigid2d(rotation=30, mirror=True)
    unwarper = Unwarper(warp, max_steps=90, n_clusters=2, overrides=EASY, random_state=0)
    return unwarper.fit(case.x)


def test_mirrors_of_letters_are_found(case: Case, fitted: Unwarper) -> None:
    """At least 95 of 100 letters are told from their mirror images."""
    mirrors = fitted.transform_params(case.x)["mirror"].to_numpy()
    assert set(mirrors) == {0.0, 1.0}
    assert share_of_right_mirrors(mirrors, case) >= 0.95


def test_mirror_is_in_every_result(case: Case, fitted: Unwarper) -> None:
    """Matrices, points, aligned pictures and both tables agree about the mirror."""
    x, columns = case.x[:8], fitted.transform_params(case.x[:8])
    full = fitted.transform_params(x, full=True)
    assert (full["mirror"] == columns["mirror"]).all() and set(columns["mirror"]) == {0.0, 1.0}
    matrices = fitted.to_matrix(x)
    np.testing.assert_array_equal(np.linalg.det(matrices) < 0, columns["mirror"] > 0)
    point = np.array([[9.0, 12.0]])
    pushed = matrices[:, :2, :2] @ point[0] + matrices[:, :2, 2]
    moved_point = fitted.transform_points(x, point, inverse=True)[:, 0]
    np.testing.assert_allclose(moved_point, pushed, atol=1e-4)
    aligned = fitted.align(x).astype(float)
    assert np.mean((aligned - aligned.mean(0)) ** 2) < 0.4 * np.mean((x - x.mean(0)) ** 2.0)
    expected, codes = fitted.reconstruct(x).astype(float), fitted.transform(x)
    for table in (columns, full):
        x_hat = fitted.inverse_transform(codes, table).reshape(expected.shape)
        np.testing.assert_allclose(x_hat, expected, atol=1)


def test_saved_mirror_is_the_same(case: Case, fitted: Unwarper, tmp_path: Path) -> None:
    """A loaded model finds the same mirrors, to the bit."""
    fitted.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert loaded.recipe_.warp == fitted.recipe_.warp
    expected = fitted.transform_params(case.x, full=True).to_numpy()
    np.testing.assert_array_equal(loaded.transform_params(case.x, full=True), expected)


@pytest.mark.slow
def test_mirrors_of_digits_are_found() -> None:
    """Of 2, 4, 5 and 7 without labels, nine tenths have the right mirror, and are told apart."""
    digits, rng = load_digits(), np.random.default_rng(0)
    rows = rng.permutation(np.flatnonzero(np.isin(digits.target, (2, 4, 5, 7))))[:400]
    enlarged = [zoom(digits.images[row] / 16, 2.5, order=1) for row in rows]
    images = np.pad(enlarged, ((0, 0), (4, 4), (4, 4)))
    case = moved(images, digits.target[rows], 15, 0)
    warp = Rigid2d(rotation=30, mirror=True)
    unwarper = Unwarper(warp, max_steps=600, n_clusters=4, random_state=0).fit(case.x)
    mirrors = unwarper.transform_params(case.x)["mirror"].to_numpy()
    assert share_of_right_mirrors(mirrors, case) >= 0.9
    assert adjusted_rand_score(case.kinds, unwarper.predict(case.x)) >= 0.8


@pytest.mark.slow
def test_mirrors_of_particles_are_found() -> None:
    """Two noisy views at any angle, half of them mirrored: kinds and mirrors are told apart."""
    case = particles(seed=0, mirrors=True)
    warp = Rigid2d(rotation=180, mirror=True)
    unwarper = Unwarper(warp, n_clusters=2, random_state=0).fit(case.x)
    mirrors = unwarper.transform_params(case.x)["mirror"].to_numpy()
    assert adjusted_rand_score(case.kinds, unwarper.predict(case.x)) >= 0.95
    assert share_of_right_mirrors(mirrors, case) >= 0.9
