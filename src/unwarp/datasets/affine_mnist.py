"""Affine MNIST, drawn from upright digits as affNIST is: 40 x 40 pictures of randomly deformed digits.

Source: Tieleman 2013, affNIST. Rotation +-20 degrees, shear +-0.2, scales 0.8 to 1.2, and a translation that keeps the
digit's ink inside the frame. Each digit is deformed afresh every time it is drawn in training.
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


@dataclass(frozen=True)
class Nuisance:
    """The distribution of deformed observations.

    Attributes:
        rotation: Largest rotation in degrees, either way.
        shear: Largest shear.
        scale: Largest change of a scale.
        shift: Largest shift as a share of the frame; None for wherever the ink stays inside.
        noise: Standard deviation of noise on the grey values.
        binary: `threshold` (1 where the grey value is above 1/2), `draw` (1 with the grey value as probability), or None.
        size: Pixels of the frame along each axis.
    """

    rotation: float = 20.0
    shear: float = 0.2
    scale: float = 0.2
    shift: float | None = None
    noise: float = 0.0
    binary: Literal["threshold", "draw"] | None = None
    size: int = SIZE

    def maps(self, x: Tensor, generator: torch.Generator) -> AffineMap:
        """One random deformation for each clean picture `x` (N, C, h, w), with its ink kept in the frame."""
        uniform = torch.rand(len(x), 4, generator=generator) * 2 - 1
        log_scales = (1 + self.scale * uniform[:, 1:3]).log()
        angle, shear = math.radians(self.rotation) * uniform[:, :1], self.shear * uniform[:, 3:]
        theta = torch.cat([angle, log_scales, shear, torch.zeros(len(x), 2)], -1)
        warp, place = Affine2d(rotation=180.0), torch.rand(len(x), 2, generator=generator)
        if self.shift is not None:
            return warp.map(torch.cat([theta[:, :4], 2 * self.shift * (2 * place - 1)], -1))
        turned = warp.map(theta).push(_ink_corners(x, self.size))
        low, high = -1 - turned.amin(1), 1 - turned.amax(1)
        shift = torch.where(high > low, low + place * (high - low).clamp_min(0), (low + high) / 2)
        return warp.map(torch.cat([theta[:, :4], shift], -1))

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Fresh observations (N, C, size, size) of clean pictures `x` (N, C, h, w)."""
        return self.observe(x, self.maps(x, generator), generator)

    def observe(self, x: Tensor, maps: AffineMap, generator: torch.Generator) -> Tensor:
        """Observations of `x` under given maps, with noise where there is any."""
        own = Window((x.shape[2], x.shape[3]), (x.shape[2] / self.size, x.shape[3] / self.size))
        out = maps(x, own, Window.frame((self.size, self.size)))
        if self.noise:
            out = (out + self.noise * torch.randn(out.shape, generator=generator)).clamp(0, 1)
        if self.binary == "threshold":
            return (out > 0.5).to(out.dtype)
        return binarised(out, generator) if self.binary == "draw" else out


def binarised(x: Tensor, generator: torch.Generator) -> Tensor:
    """Pixels 0 or 1, drawn afresh with the grey values of `x` as probabilities (Salakhutdinov and Murray 2008)."""
    return (torch.rand(x.shape, generator=generator) < x).to(x.dtype)


def _ink_corners(x: Tensor, size: int) -> Tensor:
    """Corners (N, 4, 2) of the box around each picture's ink, in coordinates of a frame of `size` pixels."""
    ink = x.amax(1) > 0

    def ends(hit: Tensor) -> tuple[Tensor, Tensor]:
        n = hit.shape[1]
        first, last = hit.float().argmax(1), n - hit.flip(1).float().argmax(1)
        return (2 * first - n) / size, (2 * last - n) / size

    left, right = ends(ink.any(1))
    top, bottom = ends(ink.any(2))
    return torch.stack([torch.stack([a, b], -1) for a in (left, right) for b in (top, bottom)], 1)


def fresh(clean: Dataset, nuisance: Nuisance | None = None) -> Dataset:
    """A training set that deforms the clean pictures afresh at every draw."""
    return replace(clean, name="affine-mnist", draw=nuisance or Nuisance())


def observed(clean: Dataset, draws: int, seed: int, nuisance: Nuisance | None = None) -> Dataset:
    """A fixed set: each clean picture observed `draws` times, with true maps and the original's row as `ids`."""
    nuisance, generator = nuisance or Nuisance(), torch.Generator().manual_seed(seed)
    rows = np.repeat(np.arange(len(clean)), draws)
    originals = clean.subset(rows)
    maps = nuisance.maps(originals.x, generator)
    x = nuisance.observe(originals.x, maps, generator)
    return replace(originals, x=x, name="affine-mnist", ids=rows, maps=maps, draw=None)


def load(part: str = "train") -> Dataset:
    """Affine MNIST from 5,000 real digits: `train` draws afresh, `test` is fixed with each digit drawn twice."""
    clean = digits.load(part)
    return fresh(clean) if part == "train" else observed(clean, 2, seed=1)
