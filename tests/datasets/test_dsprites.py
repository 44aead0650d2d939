"""dSprites: samples of the grid, their true maps, and frames of the published file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.datasets.sprites.published import ROWS, arrays, write_file
from unwarp.data.dataset import Dataset
from unwarp.datasets import dsprites
from unwarp.datasets.sprites.grid import latent_classes, latent_values
from unwarp.datasets.sprites.renderer import canonical_sprites, render
from unwarp.errors import DataError
from unwarp.warps import AffineMap, Similarity2d, Window


@pytest.fixture(scope="module")
def sample() -> Dataset:
    """600 frames of the test part."""
    return dsprites.load("test", 600)


def test_parts_share_no_picture() -> None:
    """Whatever the seeds, no row is in both parts, and none has the last orientation."""
    test = np.concatenate([dsprites.rows("test", 70_000, seed=1), dsprites.rows("test", seed=2)])
    train = np.concatenate([dsprites.rows("train", 600_000, seed=3), dsprites.rows("train")])
    assert not np.intersect1d(test, train).size
    sizes = [len(np.unique(dsprites.rows(part))) for part in ("train", "test")]
    assert sizes == [20_000, 4_000]
    assert (latent_classes(train)[:, 3] < 39).all()


def test_samples_follow_their_seed() -> None:
    """Equal seeds give equal rows, and each factor is uniform over the grid."""
    rows = dsprites.rows("train")
    assert np.array_equal(rows, dsprites.rows("train", seed=0))
    assert not np.array_equal(rows, dsprites.rows("train", seed=1))
    for column, n_values in zip(latent_classes(rows).T, (1, 3, 6, 39, 32, 32), strict=True):
        counts, expected = np.bincount(column, minlength=n_values), 20_000 / n_values
        assert len(counts) == n_values
        assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_frames_are_rendered_shapes(sample: Dataset) -> None:
    """Frames are 0 or 1, labels are shapes, and the name says that they are rendered."""
    assert sample.x.shape == (600, 1, 64, 64) and sample.x.dtype == torch.float32
    assert sample.x.unique().tolist() == [0, 1]
    assert "rendered, dSprites-equivalent" in sample.name and "dSprites-equivalent" in sample.source
    classes = latent_classes(dsprites.rows("test", 600))
    np.testing.assert_array_equal(sample.labels, classes[:, 1])
    np.testing.assert_array_equal(sample.x[:, 0].numpy(), render(latent_values(classes)))


def test_true_maps_move_the_sprites(sample: Dataset) -> None:
    """True maps lead from the canonical sprites to the frames, and inverse maps back."""
    assert sample.maps is not None and sample.labels is not None
    sprites = torch.from_numpy(canonical_sprites()[sample.labels]).float()[:, None]
    deformed, aligned = sample.maps(sprites) > 0.5, sample.maps.invert()(sample.x) > 0.5
    for result, expected in ((deformed, sample.x > 0.5), (aligned, sprites > 0.5)):
        overlap = (result & expected).sum((1, 2, 3)) / (result | expected).sum((1, 2, 3))
        assert float(overlap.min()) > 0.8 and float(overlap.mean()) > 0.92


def test_true_maps_are_exact(sample: Dataset) -> None:
    """Pixels pulled into the sprite's frame are inside its outline exactly where they are 1."""
    assert sample.maps is not None and sample.labels is not None
    maps = AffineMap(sample.maps.matrix.double())
    u, v = (32 * maps.pull(Window.frame((64, 64)).lattice(maps.matrix))).unbind(-1)
    # the outlines are written out here, so that nothing is resampled
    square, ellipse = (u.abs() < 9.6) & (v.abs() < 9.6), (u / 12.76) ** 2 + (v / 7.22) ** 2 < 1
    for label, inside in ((0, square), (1, ellipse)):
        rows = torch.as_tensor(sample.labels == label)
        errors = inside[rows] != (sample.x[rows].flatten(1) > 0.5)
        assert rows.sum() > 100 and errors.float().mean() < 1e-5


def test_factor_values_describe_the_maps(sample: Dataset) -> None:
    """Factors are columns of the true maps, and take all values of the grid."""
    assert sample.maps is not None and sample.factor_values is not None
    summary = Similarity2d(size=(64, 64)).summary(sample.maps)
    columns = {factor.name: column.double().numpy() for factor, column in summary.items()}
    shape, scale, degrees, x, y = sample.factor_values.T
    np.testing.assert_array_equal(shape, sample.labels)
    np.testing.assert_allclose((columns["rotation_deg"] - degrees + 180) % 360, 180, atol=1e-3)
    for name, expected in (("scale_x", scale), ("shift_x_px", x), ("shift_y_px", y)):
        np.testing.assert_allclose(columns[name], expected, atol=1e-4)
    for factor, column in zip(sample.factors, sample.factor_values.T, strict=True):
        assert factor.low <= column.min() and column.max() <= factor.high
    assert [len(np.unique(column)) for column in sample.factor_values.T] == [3, 6, 39, 32, 32]


@pytest.mark.parametrize(("part", "n"), [("valid", None), ("train", 0), ("test", 100_000)])
def test_impossible_samples_are_refused(part: str, n: int | None) -> None:
    """An unknown part, and more frames than a part has, are refused by argument."""
    with pytest.raises(DataError, match=r"part=|n="):
        dsprites.load(part, n)


def test_published_frames_have_their_facts(tmp_path: Path) -> None:
    """Frames of the published file have the labels, maps and factors of their rows."""
    path = write_file(tmp_path / "dsprites.npz", arrays())
    data = dsprites.read(path, ROWS)
    classes = latent_classes(ROWS)
    np.testing.assert_array_equal(data.x[:, 0].numpy(), render(latent_values(classes)))
    np.testing.assert_array_equal(data.labels, classes[:, 1])
    assert data.name == "dsprites" and "equivalent" not in data.source
    assert data.maps is not None and data.factor_values is not None
    np.testing.assert_allclose(data.factor_values[:, 4], latent_values(classes)[:, 5] * 32 - 16)
    to = dsprites.unpack(path, tmp_path / "imgs.npy")
    assert torch.equal(dsprites.read(path, ROWS, to).x, data.x)
