"""Rendered dSprites frames, compared with real ones pixel by pixel."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from unwarp.core import Array
from unwarp.datasets.dsprites import rows
from unwarp.datasets.sprites.grid import latent_classes, latent_values
from unwarp.datasets.sprites.renderer import canonical_sprites, render


def real_frames(folder: Path) -> tuple[Array, Array]:
    """Frames of the published animation (320, 64, 64), and their grid indices (320, 6)."""
    with Image.open(folder / "dsprites.gif") as file:
        frames = (
            np.stack([np.array(frame.convert("L")) for frame in ImageSequence.Iterator(file)]) > 127
        )
    with (folder / "gif_latents.csv").open() as file:
        classes = [
            [0, *(int(row[name]) for name in ("shape", "scale", "orientation", "posX", "posY"))]
            for row in csv.DictReader(file)
        ]
    return frames, np.array(classes)


def real_samples(folder: Path) -> Array:
    """100 published frames (100, 64, 64) of unknown latents."""
    with Image.open(folder / "data_samples.png") as file:
        sheet = np.array(file.convert("L")) > 127
    return np.stack(
        [
            sheet[2 + 66 * r : 66 + 66 * r, 2 + 66 * c : 66 + 66 * c]
            for r in range(10)
            for c in range(10)
        ]
    )


def test_rendered_frames_equal_real_ones(real_data: Path) -> None:
    """No frame has more than 4 wrong pixels, and most squares and ellipses have none."""
    frames, classes = real_frames(real_data / "dsprites")
    _, first = np.unique(classes, axis=0, return_index=True)
    errors = (render(latent_values(classes[first])) != frames[first]).sum((1, 2))
    assert len(first) == 258 and errors.max() <= 4
    n_exact = [int((errors[classes[first, 1] == shape] == 0).sum()) for shape in range(3)]
    assert n_exact[0] >= 43 and n_exact[1] >= 37 and n_exact[2] >= 101


def test_wrong_pixels_are_at_the_edge(real_data: Path) -> None:
    """A pixel with equal neighbours is rendered as it is."""
    frames, classes = real_frames(real_data / "dsprites")
    rendered = render(latent_values(classes)).astype(bool)
    neighbours = np.stack([np.roll(frames, (x, y), (1, 2)) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    inner, outer = neighbours.all(0), ~neighbours.any(0)
    assert rendered[inner].all() and not rendered[outer].any()


def test_real_samples_are_on_the_grid(real_data: Path) -> None:
    """Of 100 published samples 72 are rendered exactly, the others with 7 wrong pixels at most."""
    errors = np.array([_smallest_error(sample) for sample in real_samples(real_data / "dsprites")])
    assert (errors == 0).sum() >= 72
    assert errors.max() <= 7 and errors.mean() <= 0.54


def _smallest_error(sample: Array) -> int:
    """Wrong pixels of the rendered frame nearest to `sample`, over the grid.

    Poses of a similar area are placed at the centroid; the neighbours of the best are tried too.
    """
    pose, area, offset = _poses()
    is_similar = np.abs(area - sample.sum()) <= 0.2 * sample.sum()
    candidates = pose[is_similar]
    centre = _centroids(sample[None]) - offset[is_similar]
    candidates[:, 4:] = np.clip(np.round((centre - 16) * 31 / 32), 0, 31)
    candidates = candidates[_errors(candidates, sample).argsort()[:40]]
    steps = np.array([(0, 0, 0, 0, x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    neighbours = (candidates[:, None] + steps).reshape(-1, 6)
    return int(_errors(np.clip(neighbours, 0, (0, 2, 5, 39, 31, 31)), sample).min())


def _errors(classes: Array, sample: Array) -> Array:
    """Wrong pixels of each rendered frame."""
    return (render(latent_values(classes)) != sample).sum((1, 2))


def _centroids(frames: Array) -> Array:
    """Mean position (N, 2) of the white pixels."""
    centres = np.arange(64) + 0.5
    mass = frames.sum((1, 2))
    return np.stack(
        [(frames.sum(1) * centres).sum(1) / mass, (frames.sum(2) * centres).sum(1) / mass], 1
    )


@cache
def _poses() -> tuple[Array, Array, Array]:
    """All shapes, scales and orientations in the middle: grid indices, area, relative centroid."""
    classes = np.stack(
        np.meshgrid([0], range(3), range(6), range(39), [0], [0], indexing="ij"), -1
    ).reshape(-1, 6)
    values = latent_values(classes)
    values[:, 4:] = 0.5
    frames = render(values)
    return classes, frames.sum((1, 2)), _centroids(frames) - 32


def test_areas_are_those_of_the_shapes() -> None:
    """A square of side 19.2, an ellipse of half-axes 12.76 and 7.22, quadratic in scale."""
    values = latent_values(latent_classes(rows("train", 3000)))
    area = render(values).sum((1, 2)) / values[:, 2] ** 2
    for shape, expected in ((1, 19.2**2), (2, np.pi * 12.76 * 7.22)):
        areas = area[values[:, 1] == shape]
        assert float(areas.mean()) == pytest.approx(expected, rel=0.005)
        assert float(areas.std()) < 0.04 * expected


def test_rotated_heart_points_to_the_right() -> None:
    """The tip of an upright heart is below; a quarter counter-clockwise brings it to the right."""
    upright, rotated = render(np.array([[1, 3, 1, angle, 0.5, 0.5] for angle in (0, np.pi / 2)]))
    np.testing.assert_array_equal(np.rot90(upright), rotated)
    np.testing.assert_array_equal(upright, canonical_sprites()[2])
    lines, columns = (np.flatnonzero(upright.any(axis)) for axis in (1, 0))
    assert upright[lines[-2]].sum() < upright[lines[1]].sum() < columns.size
