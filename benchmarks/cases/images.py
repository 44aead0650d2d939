"""Collections of images with known maps, and scores that need no common origin.

    case = CASES["gain"](seed=0)
    scatter(matrices, case)     # before and after, in pixels

Matrices are those of `Unwarper.to_matrix(x)`: from a pixel of the template to the observation.
Every case takes a seed; report medians over several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import ndimage

from unwarp.core import Array

NOISE_OF_CLOTHES = 0.03
"""Standard deviation of the noise of enlarged clothes, whose values are in [0, 1]."""

PARTICLE_VIEWS = (
    (
        (-6, 0, 2.5, 1.0),
        (3, 2, 3, 1.0),
        (8, -5, 2, 0.9),
        (0, -7, 1.8, 0.7),
    ),
    (
        (-4, -4, 3, 1.0),
        (5, 5, 2.2, 1.0),
        (-5, 6, 2, 0.8),
    ),
)
"""Blobs of the two views of a particle: centre (x, y), standard deviation (pixels), height."""


SHARE_OF_SCALED = 0.62
"""Size of a cell that is seen in many sizes, over that of others, so that it fits."""


@dataclass(frozen=True)
class Case:
    """Images with known maps.

    Attributes:
        x: Images (N, H, W).
        matrices: Maps (N, 3, 3) from a pixel of the template to the observation.
        points: Landmarks (K, 2) of the template, (x, y) in pixels.
        kinds: Kind of object of each image (N,).
    """

    x: Array
    matrices: Array
    points: Array
    kinds: Array

    def subset(self, rows: Array) -> Case:
        """Some of the images, by a mask (N,) or indices (M,)."""
        return Case(self.x[rows], self.matrices[rows], self.points, self.kinds[rows])


def matrix(
    degrees: float = 0.0,
    scale: float = 1.0,
    shift: Sequence[float] = (0.0, 0.0),
    size: tuple[int, int] = (28, 28),
    mirror: bool = False,
) -> Array:
    """A map (3, 3) about the centre of an image, counter-clockwise as seen.

    Args:
        degrees: Angle.
        scale: Factor.
        shift: Shift (x, y) in pixels.
        size: Height and width of the image in pixels.
        mirror: Whether left and right are exchanged first.
    """
    angle, (height, width) = np.deg2rad(degrees), size
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = linear @ np.diag([-1, 1]) if mirror else linear
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    result = np.eye(3)
    result[:2, :2], result[:2, 2] = linear, centre + shift - linear @ centre
    return result


def move(image: Array, map: Array) -> Array:
    """An image (H, W), moved by a map (3, 3)."""
    inverse = np.linalg.inv(map)
    linear, offset = inverse[:2, :2][::-1, ::-1], inverse[:2, 2][::-1]
    return np.asarray(ndimage.affine_transform(image, linear, offset, order=1))


def cell(
    seed: int = 0, light: str = "plain", n: int = 48, size: int = 28, scale: float = 0.0
) -> Case:
    """A cell, turned by up to 20 degrees and shifted by up to 2.5 pixels.

    Args:
        seed: Seed of the maps and of the light.
        light: `plain`; `gain` for lamps and exposures that differ; `dark` for a dark cell on a
            bright ground; `bleach` for a light that fades; `hot` for a 16-bit camera with one hot
            pixel in one image; `noise` for noise of ten times the variance.
        n: Number of images.
        size: Height and width in pixels.
        scale: Largest log factor of the size of the cell, which is smaller if it differs.
    """
    rng = np.random.default_rng(700 + seed)
    parts: Any = ((0, 0, 6, 3.5, 0.55), (-4, -1, 1.8, 1.8, 0.6), (4, 2, 1.5, 2.5, 0.4))
    if scale:
        parts = [(*(SHARE_OF_SCALED * value for value in part[:4]), part[4]) for part in parts]
    template = sum(_blob(size, *part) for part in parts)
    maps = [
        matrix(
            rng.uniform(-20, 20),
            np.exp(rng.uniform(-scale, scale)),
            rng.uniform(-2.5, 2.5, 2),
            (size, size),
        )
        for _ in range(n)
    ]
    images = np.stack([move(np.asarray(template), map) for map in maps])
    centre = (size - 1) / 2
    points = centre + np.array([[-4.0, -1], [4, 2], [0, 4]])
    return Case(_lit(images, light, rng), np.stack(maps), points, np.zeros(n, int))


def particles(
    seed: int = 0, snr: float = 1.0, mirrors: bool = False, n: int = 120, size: int = 32
) -> Case:
    """Two views of a particle at any angle, as an electron microscope shows them.

    Args:
        seed: Seed of the views, of the maps and of the noise.
        snr: Variance of an image without noise over the variance of the noise.
        mirrors: Whether half of the particles are seen from behind; their determinant is negative.
        n: Number of images.
        size: Height and width in pixels.
    """
    rng = np.random.default_rng(500 + seed)
    views = [
        sum(_blob(size, x, y, sd * 2**0.5, sd * 2**0.5, height) for x, y, sd, height in blobs)
        for blobs in PARTICLE_VIEWS
    ]
    kinds, is_mirrored = rng.integers(0, 2, n), rng.integers(0, 2, n) * mirrors
    maps = [
        matrix(rng.uniform(-180, 180), 1.0, rng.normal(0, 1.5, 2), (size, size), mirror > 0)
        for mirror in is_mirrored
    ]
    images = [move(np.asarray(views[kind]), map) for kind, map in zip(kinds, maps, strict=True)]
    x = [image + rng.normal(0, np.sqrt(image.var() / snr), image.shape) for image in images]
    points = (size - 1) / 2 + np.array([[-6.0, 0], [3, 2], [8, -5]])
    return Case(np.stack(x), np.stack(maps), points, kinds)


def repeat_particles(seed: int = 0, n: int = 100, repeats: int = 6) -> tuple[Array, Array]:
    """Particles that are seen several times, at other angles and with other noise.

    Args:
        seed: Seed of the views; other images than those of `particles`.
        n: Number of particles, one after another of both views.
        repeats: Number of images of each.

    Returns:
        Images (repeats, n, 32, 32), and their angles in degrees (repeats, n).
    """
    cases = [particles(10_000 + repeats * seed + i, n=4 * n) for i in range(repeats)]
    rows = [_alternating(case.kinds, n) for case in cases]
    pairs = list(zip(cases, rows, strict=True))
    x = np.stack([case.x[row] for case, row in pairs])
    return x, np.rad2deg(np.stack([_angles(case.matrices[row]) for case, row in pairs]))


def _alternating(kinds: Array, n: int) -> Array:
    """Rows (n,) of kinds 0 and 1 in turn."""
    first, second = (np.flatnonzero(kinds == kind)[: (n + 1) // 2] for kind in (0, 1))
    return np.stack([first, second], 1).flatten()[:n]


def clothes(images: Array, labels: Array, seed: int = 0, size: int = 64, n: int = 300) -> Case:
    """Trousers, sneakers and bags of any size, turned, scaled and shifted.

    Angles are up to 25 degrees, scales .8 to 1.2, shifts up to 5 pixels in 64.

    Args:
        images: Images of Fashion-MNIST (M, 28, 28), 0 to 255.
        labels: Their classes (M,).
        seed: Seed of the selection and of the maps.
        size: Height and width in pixels.
        n: Number of images.
    """
    rng = np.random.default_rng(900 + seed)
    rows = rng.permutation(np.flatnonzero(np.isin(labels, (1, 7, 8))))[:n]
    maps, x = [], []
    for row in rows:
        map = matrix(
            rng.uniform(-25, 25),
            rng.uniform(0.8, 1.2),
            rng.uniform(-5, 5, 2) * size / 64,
            (size, size),
        )
        maps.append(map)
        moving = move(_centred(images[row] / 255, size), map)
        x.append(moving + rng.normal(0, NOISE_OF_CLOTHES, moving.shape))
    pixels = np.round(np.clip(np.stack(x), 0, 1) * 255).astype(np.uint8)
    points = (size - 1) / 2 + size / 64 * np.array([[-8.0, -4], [8, 4], [0, 8]])
    return Case(pixels, np.stack(maps), points, np.asarray(labels[rows]))


def glyphs(seed: int = 0, kinds: int = 100, each: int = 40, size: int = 28) -> Case:
    """Characters of six strokes, turned, scaled and shifted: many kinds with few images each.

    Angles are up to 20 degrees, scales .85 to 1.15, shifts up to 2 pixels.

    Args:
        seed: Seed of the characters, of the hand and of the maps.
        kinds: Number of characters.
        each: Number of images of each.
        size: Height and width in pixels.
    """
    rng = np.random.default_rng(300 + seed)
    maps, x = [], []
    for _ in range(kinds):
        corners = rng.uniform(7, 20, (6, 2)).cumsum(0) % 13 + 7.5
        for _ in range(each):
            strokes = _drawn(corners + rng.normal(0, 0.7, corners.shape), size)
            degrees, scale = rng.uniform(-20, 20), rng.uniform(0.85, 1.15)
            maps.append(matrix(degrees, scale, rng.uniform(-2, 2, 2), (size, size)))
            x.append(move(strokes, maps[-1]))
    pixels = np.round(np.stack(x) * 255).astype(np.uint8)
    points = (size - 1) / 2 + np.array([[-4.0, -4], [4, 4], [0, 4]])
    return Case(pixels, np.stack(maps), points, np.repeat(np.arange(kinds), each))


def _drawn(corners: Array, size: int) -> Array:
    """Strokes (size, size) from corner to corner (K, 2)."""
    rows, columns = np.mgrid[:size, :size]
    shares = np.linspace(0, 1, 12)[:, None]
    places = np.concatenate([a + shares * (b - a) for a, b in pairwise(corners)])
    squares = (columns - places[:, :1, None]) ** 2 + (rows - places[:, 1:, None]) ** 2
    return np.asarray(np.exp(-squares.min(0) / 1.4))


def _centred(image: Array, size: int) -> Array:
    """An image (28, 28), enlarged to 55 % of a black frame."""
    small = ndimage.zoom(image, size * 0.55 / 28, order=1)
    start, frame = (size - len(small)) // 2, np.zeros((size, size))
    frame[start : start + len(small), start : start + len(small)] = small
    return frame


def _blob(size: int, x: float, y: float, a: float, b: float, height: float) -> Array:
    """A Gaussian blob (size, size) with standard deviations a and b."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    return height * np.exp(-(((columns - x) / a) ** 2 + ((rows - y) / b) ** 2))


def _lit(images: Array, light: str, rng: np.random.Generator) -> Array:
    """Images in [0, 1] in another light, as a camera stores them."""
    n = len(images)
    if light == "gain":
        images = images * rng.uniform(0.2, 1, (n, 1, 1)) + rng.uniform(0, 0.3, (n, 1, 1))
    if light == "dark":
        images = 1 - 0.8 * images
    if light == "bleach":
        images = images * np.exp(-np.arange(n) / 12)[:, None, None]
    if light == "noise":
        return np.asarray(images + rng.normal(0, np.sqrt(10 * images.var()), images.shape))
    if light == "hot":
        noisy = images * 2000 + 300 + rng.normal(0, 20, images.shape)
        pixels = np.round(noisy).astype(np.uint16)
        pixels[5, 3, 3] = 65535
        return pixels
    return np.round(images * 255).clip(0, 255).astype(np.uint8)


CASES: Mapping[str, Callable[..., Case]] = {
    **{light: partial(cell, light=light) for light in ("plain", "gain", "dark", "hot", "bleach")},
    "few": partial(cell, n=8),
    "noise": partial(cell, light="noise"),
    "scale-4x": partial(cell, scale=0.7),
    "particles": particles,
    "particles-noisy": partial(particles, snr=0.1),
    "particles-mirrored": partial(particles, mirrors=True),
}


def scatter(matrices: Array, case: Case) -> tuple[float, float]:
    """Distance of landmarks from their mean place, before and after the maps are undone.

    It is the root mean square in pixels; after, it is divided by the mean scale, so that shrinking
    gains nothing.

    Args:
        matrices: Estimated maps (N, 3, 3).
        case: Images of one kind with their true maps.
    """
    observed = _places(case.matrices, case.points)
    inverse = np.linalg.inv(matrices)
    aligned = np.einsum("nij,nkj->nki", inverse[:, :2, :2], observed) + inverse[:, None, :2, 2]
    spread = aligned.mean(0) - aligned.mean((0, 1))
    ideal = case.points - case.points.mean(0)
    area = np.linalg.det(spread.T @ spread) / np.linalg.det(ideal.T @ ideal)
    ends = [((x - x.mean(0)) ** 2).sum(-1).mean() for x in (observed, aligned)]
    return float(np.sqrt(ends[0])), float(np.sqrt(ends[1] / max(np.sqrt(abs(area)), 1e-6)))


def angle_error(matrices: Array, case: Case, quantile: float = 0.5) -> float:
    """A quantile of the error of angles in degrees, less one turn that all share.

    Args:
        matrices: Estimated maps (N, 3, 3).
        case: Images of one kind with their true maps.
        quantile: From 0 to 1.
    """
    turns = np.exp(1j * (_angles(matrices) - _angles(case.matrices)))
    errors = np.abs(np.rad2deg(np.angle(turns / turns.mean())))
    return float(np.quantile(errors, quantile))


def angle_errors_of_kinds(matrices: Array, case: Case) -> Array:
    """Errors of angles (N,) in degrees, less one turn that each kind shares.

    A picture that is seen from behind is compared with others of its kind that are: a mirrored
    template turns the other way.

    Args:
        matrices: Estimated maps (N, 3, 3).
        case: Images with their true maps.
    """
    is_mirrored = [np.linalg.det(maps[:, :2, :2]) < 0 for maps in (matrices, case.matrices)]
    estimated, true = (
        _angles(np.where(flip[:, None, None], maps @ np.diag([-1.0, 1, 1]), maps))
        for flip, maps in zip(is_mirrored, (matrices, case.matrices), strict=True)
    )
    turns, groups = np.exp(1j * (estimated - true)), 4 * case.kinds + 2 * is_mirrored[1]
    errors = np.zeros(len(turns))
    for group in np.unique(groups + is_mirrored[0]):
        rows = groups + is_mirrored[0] == group
        errors[rows] = np.abs(np.rad2deg(np.angle(turns[rows] / (turns[rows].mean() + 1e-12))))
    return errors


def mirrors_right(matrices: Array, case: Case) -> float:
    """Share of pictures with the right mirror, up to one mirror that a kind shares.

    Args:
        matrices: Estimated maps (N, 3, 3).
        case: Images with their true maps.
    """
    signs = [np.sign(np.linalg.det(maps[:, :2, :2])) for maps in (matrices, case.matrices)]
    same = signs[0] == signs[1]
    shares = [(same[case.kinds == kind].mean(), (case.kinds == kind).mean()) for kind in (0, 1)]
    return float(sum(max(share, 1 - share) * weight for share, weight in shares))


def _places(matrices: Array, points: Array) -> Array:
    """Points (K, 2), moved by maps (N, 3, 3): (N, K, 2)."""
    moved = np.einsum("nij,kj->nki", matrices[:, :2, :2], points)
    return np.asarray(moved + matrices[:, None, :2, 2])


def _angles(matrices: Array) -> Array:
    """Angles (N,) of maps (N, 3, 3) in radians."""
    return np.asarray(
        np.arctan2(matrices[:, 0, 1] - matrices[:, 1, 0], matrices[:, 0, 0] + matrices[:, 1, 1])
    )
