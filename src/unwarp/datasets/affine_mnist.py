"""Affine MNIST, drawn from upright digits as affNIST is: 40 x 40 pictures of randomly deformed digits.

Source: Tieleman 2013, affNIST. Rotation +-20 degrees, shear +-0.2, scales 0.8 to 1.2, and a translation that keeps the
digit's ink inside the frame. Each digit is deformed afresh every time it is drawn in training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from unwarp.datasets import digits
from unwarp.datasets.base import Dataset
from unwarp.warps import Affine2d, AffineMap, Window

SIZE = 40


@dataclass(frozen=True)
class Nuisance:
    """The distribution of deformations; angles in degrees, factors, and the noise's standard deviation."""

    rotation: float = 20.0
    shear: float = 0.2
    scale: float = 0.2
    noise: float = 0.0

    def maps(self, x: Tensor, generator: torch.Generator) -> AffineMap:
        """One random deformation for each clean picture `x` (N, C, h, w), with its ink kept in the frame."""
        uniform = torch.rand(len(x), 4, generator=generator) * 2 - 1
        log_scales = (1 + self.scale * uniform[:, 1:3]).log()
        angle, shear = math.radians(self.rotation) * uniform[:, :1], self.shear * uniform[:, 3:]
        theta = torch.cat([angle, log_scales, shear, torch.zeros(len(x), 2)], -1)
        turned = Affine2d(rotation=180.0).map(theta).push(_ink_corners(x))
        low, high = -1 - turned.amin(1), 1 - turned.amax(1)
        room = torch.rand(len(x), 2, generator=generator) * (high - low).clamp_min(0)
        shift = torch.where(high > low, low + room, (low + high) / 2)
        return Affine2d(rotation=180.0).map(torch.cat([theta[:, :4], shift], -1))

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Fresh observations (N, C, 40, 40) of clean pictures `x` (N, C, h, w)."""
        return self.observe(x, self.maps(x, generator), generator)

    def observe(self, x: Tensor, maps: AffineMap, generator: torch.Generator) -> Tensor:
        """Observations of `x` under given maps, with noise where there is any."""
        frame = Window.frame((SIZE, SIZE))
        out = maps(x, Window((x.shape[2], x.shape[3]), (x.shape[2] / SIZE, x.shape[3] / SIZE)), frame)
        if not self.noise:
            return out
        return (out + self.noise * torch.randn(out.shape, generator=generator)).clamp(0, 1)


def _ink_corners(x: Tensor) -> Tensor:
    """Corners (N, 4, 2) of the box around each picture's ink, in frame coordinates."""
    ink = x.amax(1) > 0

    def ends(hit: Tensor) -> tuple[Tensor, Tensor]:
        n = hit.shape[1]
        first, last = hit.float().argmax(1), n - hit.flip(1).float().argmax(1)
        return (2 * first - n) / SIZE, (2 * last - n) / SIZE

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
    originals = clean.x[torch.as_tensor(rows)]
    maps = nuisance.maps(originals, generator)
    labels = None if clean.labels is None else clean.labels[rows]
    x = nuisance.observe(originals, maps, generator)
    return replace(clean, x=x, name="affine-mnist", labels=labels, ids=rows, maps=maps, draw=None)


def load(part: str = "train") -> Dataset:
    """Affine MNIST from 5,000 real digits: `train` draws afresh, `test` is fixed with each digit drawn twice."""
    clean = digits.load(part)
    return fresh(clean) if part == "train" else observed(clean, 2, seed=1)
