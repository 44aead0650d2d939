"""`PictureSearch`: kinds and poses of noisy pictures, by comparison with templates."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.models.registration import moving_part, registration, sample
from unwarp.models.remembered import RememberedEstimates
from unwarp.models.scan.fitting import MAX_KINDS, choose_number, fit_bank, improve, merge
from unwarp.models.scan.grid import Grid
from unwarp.models.scan.matching import Bank, Poses, match
from unwarp.models.scan.noise import noise_share
from unwarp.warps import AffineMap, IdentityMap, Map, Warp
from unwarp.warps.affine_map import affine_part

COARSE_PX, FINE_PX = 16, 32
"""Sides of square pictures at which kinds are found, and at which poses are estimated."""

N_ANGLES, N_FINE_ANGLES = 24, 48
"""Numbers of angles at these sizes."""

N_FINE_STEPS = 3
"""Steps of expectation maximisation at the finer size."""

MIN_PEAK = 0.3
"""Probability of one pose of the grid from which Gauss-Newton steps give a better one."""

N_STEPS_OF_REGISTRATION, MAX_MOVE = 4, 0.15
"""Number of these steps, and their greatest movement in half-widths."""

RANGES_AFTER_SEARCH = {"rotation": 10.0, "shift": 0.1, "scale": 1.1, "shear": 0.1}
"""Greatest ranges of families that stages predict after a search, by the name of the field."""

MAX_PICTURES = 400
"""Greatest number of pictures that templates are made from."""

SMALLEST = 1e-6
"""Lower bound of the standard deviation of a picture."""


class PictureSearch(nn.Module):
    """The first estimate of the poses of noisy pictures of few kinds.

    A picture is compared with the template of each kind in all poses: rotations, shifts, and the
    scales and the mirror of a warp that has them. It has no trainable parameters. `fit` makes the
    templates from training pictures; before, the estimate is the identity. Brightness and contrast
    of pictures do not count. In training mode the comparison is coarser.

    Args:
        shape: Shape of a picture (C, H, W).
        warp: The family of the estimate, bound to the frame.

    Attributes:
        kind: `search`.
        angles: One start angle: the search has a pose for each picture.
        has_mirror: False: the search finds mirrors itself.
        values: Templates (K, C, h, w), at most 32 pixels wide.
        shares: Shares of the pictures of each kind (K,); 0 for kinds that do not exist.
        noise: Variances of the noise (2,), of coarse and of fine pictures.
        spread: Standard deviations (3,) of shifts in fine pixels, of angles and of log scales.

    >>> from unwarp.warps import Rigid2d
    >>> steps = torch.arange(16.0) - 7.5
    >>> spot = torch.exp(-((steps - 2).square() + (steps[:, None] + 1).square()) / 6)[None, None]
    >>> search = PictureSearch((1, 16, 16), Rigid2d(rotation=0, size=(16, 16)))
    >>> search.fit(torch.cat([spot, spot.roll(2, 3)]).repeat(4, 1, 1, 1))
    ('poses were found by search, with 1 kind of pictures',)
    >>> theta = search.warp.theta(search(torch.cat([spot, spot.roll(2, 3)])))
    >>> (8 * theta.diff(dim=0)).round(decimals=1).abs().tolist()
    [[0.0, 2.0, 0.0]]
    """

    kind = "search"
    angles = (0.0,)
    has_mirror: bool = False
    values: Tensor
    shares: Tensor
    noise: Tensor
    spread: Tensor

    def __init__(self, shape: tuple[int, int, int], warp: Warp) -> None:
        super().__init__()
        self.warp, self._estimates = warp, RememberedEstimates()
        self.register_buffer("values", torch.zeros(MAX_KINDS, shape[0], *self._size(shape[1:])))
        self.register_buffer("shares", torch.zeros(MAX_KINDS))
        self.register_buffer("noise", torch.ones(2))
        self.register_buffer("spread", torch.ones(3))

    @staticmethod
    def _size(size: tuple[int, ...], side: int = FINE_PX) -> tuple[int, int]:
        """Height and width of pictures that are made smaller, if they are larger."""
        share = min(1.0, side / math.sqrt(size[0] * size[1]))
        return max(1, round(size[0] * share)), max(1, round(size[1] * share))

    @property
    def n_kinds(self) -> int:
        """Number of kinds; 0 before `fit`."""
        return int((self.shares > 0).sum())

    @torch.no_grad()
    def fit(self, x: Tensor) -> tuple[str, ...]:
        """Make the templates from training pictures.

        A search that has templates keeps them.

        Args:
            x: Training pictures (N, C, H, W) in random order; up to 400 are used.

        Returns:
            Lines for people on the kinds that were found.
        """
        if self.n_kinds or not len(x):
            return ()
        x = x[:MAX_PICTURES]
        coarse, grid = self.prepare(x, COARSE_PX, N_ANGLES)
        n = choose_number(coarse, grid)
        rough = merge(fit_bank(coarse, n, grid)[0], grid)
        small, grid = self.prepare(x, FINE_PX, N_FINE_ANGLES)
        bank, _ = improve(small, self._resized(rough, small, grid), grid, N_FINE_STEPS)
        self.values[: bank.n], self.shares[: bank.n] = self._centre(small, bank, grid), bank.shares
        self.noise[:] = torch.stack([rough.noise, bank.noise])
        self.spread[:] = bank.spread
        kinds = f"{bank.n} kind{'s' if bank.n > 1 else ''}"
        return (f"poses were found by search, with {kinds} of pictures",)

    def noise_share(self, x: Tensor) -> float:
        """Share of noise in pictures of the size of templates.

        Args:
            x: Pictures (N, C, H, W).
        """
        return noise_share(self.prepare(x, FINE_PX, N_FINE_ANGLES)[0])

    def prepare(self, x: Tensor, side: int, n_angles: int) -> tuple[Tensor, Grid]:
        """Small, standardised pictures, and the grid of their poses.

        Args:
            x: Pictures (N, C, H, W).
            side: Side in pixels of square pictures as large as these.
            n_angles: Number of angles.
        """
        size = self._size(x.shape[2:], side)
        x = F.adaptive_avg_pool2d(x.detach().float(), size)
        x = x - x.mean((2, 3), keepdim=True)
        x = x / x.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(SMALLEST)
        return x, Grid.of(self.warp, size, n_angles, x.device)

    def _resized(self, bank: Bank, x: Tensor, grid: Grid) -> Bank:
        """Templates in the size of other pictures, with noise that fits these."""
        share = min(grid.size) / min(bank.values.shape[2:])
        values = F.interpolate(bank.values, grid.size, mode="bicubic", align_corners=False)
        spread = bank.spread * bank.spread.new_tensor([share, 1.0, 1.0])
        return replace(bank, values=values, noise=x.new_ones(()), spread=spread)

    def _centre(self, x: Tensor, bank: Bank, grid: Grid) -> Tensor:
        """Templates (K, C, h, w) that the mean pose of their pictures has moved.

        The mean pose of each kind is then the identity.
        """
        poses, values = match(x, bank, grid), bank.values.clone()
        maps, warp = self._maps(x, bank, poses, grid), self.warp
        for kind in range(bank.n):
            rows = (poses.kind == kind).nonzero()[:, 0]
            if len(rows):
                mean = affine_part(warp.mean(warp.map(warp.theta(maps[rows]))))
                values[kind] = sample(values[kind][None], mean.invert(), "zeros")[0]
        return values

    def _bank(self, grid: Grid) -> Bank:
        """The templates in the size of a grid."""
        n = self.n_kinds
        values, spread = self.values[:n], self.spread
        is_fine = grid.size == tuple(values.shape[2:])
        if not is_fine:
            share = min(grid.size) / min(values.shape[2:])
            values = F.adaptive_avg_pool2d(values, grid.size)
            spread = spread * spread.new_tensor([share, 1.0, 1.0])
        return Bank(values, self.shares[:n], self.noise[int(is_fine)], spread)

    def _maps(self, x: Tensor, bank: Bank, poses: Poses, grid: Grid) -> AffineMap:
        """Maps from templates to pictures, by Gauss-Newton steps where their peaks are narrow."""
        mirrors = grid.table[poses.turn, 2:]
        map = affine_part(grid.maps(torch.cat([poses.numbers, mirrors], 1), poses.shift))
        rows = (poses.peak >= MIN_PEAK).nonzero()[:, 0]
        if not len(rows):
            return map
        target = sample(bank.values[poses.kind[rows]], map[rows].invert(), "zeros")
        weight = torch.ones_like(target[:, :1])
        options = (N_STEPS_OF_REGISTRATION, MAX_MOVE)
        moves, _ = registration(x[rows], target, weight, grid.directions, *options)
        matrix = map.matrix.clone()
        matrix[rows] = affine_part(moves.compose(map[rows])).matrix
        return AffineMap(matrix)

    @torch.no_grad()
    def poses(self, x: Tensor) -> tuple[Tensor, Map]:
        """Kinds and poses of pictures.

        Args:
            x: Pictures (N, C, H, W).

        Returns:
            Kinds (N,), and N maps from templates to pictures.
        """
        if not self.n_kinds or not len(x):
            return torch.zeros(len(x), dtype=torch.long, device=x.device), IdentityMap(len(x))
        sizes = (COARSE_PX, N_ANGLES) if self.training else (FINE_PX, N_FINE_ANGLES)
        with torch.autocast(x.device.type, enabled=False):
            small, grid = self.prepare(x, *sizes)
            bank = self._bank(grid)
            poses = match(small, bank, grid)
            return poses.kind, self._maps(small, bank, poses, grid)

    def forward(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """First estimates of the poses of pictures.

        Args:
            x: Pictures (N, C, H, W).
            angles: Ignored, since the search finds the angles.

        Returns:
            N maps, without gradients.
        """
        if not self.training or not self.n_kinds or not len(x):
            return self.poses(x)[1]
        return AffineMap(self._estimates.of(x, lambda new: affine_part(self.poses(new)[1]).matrix))

    def train(self, mode: bool = True) -> Self:
        """Begin or end a training, in which estimates are remembered.

        Args:
            mode: Whether to train.
        """
        self._estimates.clear()
        return super().train(mode)


def scan_family(warp: Warp) -> Warp | None:
    """The part of a warp that `PictureSearch` estimates; None for none.

    Args:
        warp: A family, or a chain of families, whose last one that moves points may be rotations
            and shifts.

    >>> from unwarp.warps import Rigid2d
    >>> scan_family(Rigid2d()) == Rigid2d()
    True
    """
    family = moving_part(warp)
    names = {factor.name for factor in family.factors} if family else set()
    return family if {"rotation", "shift_x", "shift_y"} <= names else None


def is_closed(family: Warp) -> bool:
    """Whether a search leaves no column of a family open.

    Args:
        family: Family of affine maps.

    >>> from unwarp.warps import Affine2d, Rigid2d
    >>> is_closed(Rigid2d()), is_closed(Affine2d())
    (True, False)
    """
    searched = {"rotation", "shift_x", "shift_y", "log_scale", "mirror"}
    return all(f.name in searched for f in family.factors if f.half_range > 0)


def limited_family(family: Warp) -> Warp:
    """The family with small ranges, for stages after a search.

    Larger movements destroy right poses of noisy pictures: an error of reconstruction does not
    tell them from wrong ones.

    Args:
        family: Family of affine maps without a mirror.

    >>> from unwarp.warps import Rigid2d
    >>> limited_family(Rigid2d(rotation=180)) == Rigid2d(rotation=10.0, shift=0.1)
    True
    """
    ranges = {
        name: min(float(getattr(family, name)), limit)
        for name, limit in RANGES_AFTER_SEARCH.items()
        if hasattr(family, name)
    }
    return replace(family, **ranges)  # type: ignore[arg-type]
