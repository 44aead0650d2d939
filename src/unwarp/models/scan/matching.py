"""Comparison of pictures with templates at all poses of a grid.

    Grid          turns (rotations, scales, mirrors) and shifts to try
    Bank          templates, with the noise and the spread of poses
    expect        log evidence of pictures, and the sums that new templates are made of
    match         the most likely kind of each picture, and its pose
    likeness      the greatest correlations of pictures with templates

The pictures are x = shift(turn(T)) + white noise. All shifts are compared at once, by Fourier
transforms on the circle: c = irfft(F(x) conj F(turn(T))).

Reference:
    Sigworth (1998), A maximum-likelihood approach to single-particle image refinement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from unwarp.models.registration import sample
from unwarp.models.scan.grid import Grid

NUMBERS_PER_CHUNK = 2**22
"""Greatest number of comparisons at once, to bound the memory."""

SMALLEST = 1e-9
"""Lower bound of a number that others are divided by."""


@dataclass(frozen=True)
class Bank:
    """Templates with the facts that a likelihood needs.

    Attributes:
        values: Templates (K, C, H, W).
        shares: Share of the pictures of each kind (K,).
        noise: Variance of the noise, ().
        spread: Standard deviations (3,) of shifts in pixels, of angles and of log scales.

    >>> Bank(torch.zeros(2, 1, 8, 8), torch.ones(2) / 2, torch.tensor(1.0), torch.ones(3)).n
    2
    """

    values: Tensor
    shares: Tensor
    noise: Tensor
    spread: Tensor

    @property
    def n(self) -> int:
        """Number K of templates."""
        return len(self.values)

    def log_prior(self, grid: Grid) -> Tensor:
        """Log probabilities (K, O, S) of kinds, turns and shifts.

        Args:
            grid: The poses.
        """
        squares = (grid.numbers / self.spread[1:]).square().sum(1)
        shifts = (grid.shifts / self.spread[0]).square().sum(1)
        poses = (-0.5 * squares).log_softmax(0)[:, None] + (-0.5 * shifts).log_softmax(0)
        return self.shares.clamp_min(SMALLEST).log()[:, None, None] + poses


class Part(NamedTuple):
    """Comparisons of a part of the pictures with all templates.

    Attributes:
        rows: Rows of the pictures.
        joint: Log joint probabilities (n, K, O, S), less that of noise alone.
        errors: Squared errors (n, K, O, S), less the square of the picture.
    """

    rows: slice
    joint: Tensor
    errors: Tensor


def overlaps(x: Tensor, values: Tensor, grid: Grid) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Products of pictures with templates in all poses, part by part.

    Args:
        x: Pictures (N, C, H, W).
        values: Templates (K, C, H, W).
        grid: The poses.

    Yields:
        Rows of the pictures, products (n, K, O, S), and squares of the templates (K, O, 1).
    """
    back, places = grid.turns.invert(), grid.places
    turned = torch.stack([sample(template[None], back, "zeros") for template in values])
    transform = torch.fft.rfft2(turned).conj()
    norms = turned.square().sum((2, 3, 4))[..., None]
    n_rows = max(1, NUMBERS_PER_CHUNK // (norms.numel() * math.prod(grid.size)))
    for start in range(0, len(x), n_rows):
        rows = slice(start, start + n_rows)
        product = torch.einsum("nchw,kochw->nkohw", torch.fft.rfft2(x[rows]), transform)
        yield rows, torch.fft.irfft2(product, s=grid.size).flatten(3)[..., places], norms


def likelihoods(x: Tensor, bank: Bank, grid: Grid) -> Iterator[Part]:
    """Comparisons of pictures with templates, part by part.

    Args:
        x: Pictures (N, C, H, W).
        bank: The templates.
        grid: The poses.
    """
    prior = bank.log_prior(grid)
    for rows, overlap, norms in overlaps(x, bank.values, grid):
        errors = norms - 2 * overlap
        yield Part(rows, prior - errors / (2 * bank.noise), errors)


def likeness(x: Tensor, values: Tensor, grid: Grid) -> Tensor:
    """Greatest correlations (N, K) of pictures with templates, over all poses.

    Args:
        x: Pictures (N, C, H, W).
        values: Templates (K, C, H, W).
        grid: The poses.
    """
    parts = []
    for rows, overlap, norms in overlaps(x, values, grid):
        squares = norms * x[rows].square().sum((1, 2, 3))[:, None, None, None]
        parts.append((overlap / squares.clamp_min(SMALLEST).sqrt()).flatten(2).amax(2))
    return torch.cat(parts)


@dataclass(frozen=True)
class Sums:
    """Sums over pictures, weighted by the probabilities of their poses.

    Attributes:
        evidence: Log probability of each picture (N,).
        templates: Sums of pictures that are shifted and turned back (K, C, H, W).
        counts: Sums of the weights (K,).
        squares: Sum of squared residuals, ().
        spread: Sums of squares (3,) of shifts along an axis, of angles and of log scales.
    """

    evidence: Tensor
    templates: Tensor
    counts: Tensor
    squares: Tensor
    spread: Tensor


def expect(x: Tensor, bank: Bank, grid: Grid) -> Sums:
    """Log evidence of pictures, and sums for new templates.

    Args:
        x: Pictures (N, C, H, W).
        bank: The templates.
        grid: The poses.
    """
    numbers, moves = grid.numbers.square(), grid.shifts.square().sum(1) / 2
    evidence: list[Tensor] = []
    sums: list[tuple[Tensor, ...]] = []
    for rows, joint, errors in likelihoods(x, bank, grid):
        evidence.append(joint.flatten(1).logsumexp(1))
        weight = (joint - evidence[-1][:, None, None, None]).exp()
        by_turn, by_shift = weight.sum((0, 1, 3)), weight.sum((0, 1, 2))
        spread = torch.cat([(by_shift @ moves)[None], by_turn @ numbers])
        facts = (weight.sum((0, 2, 3)), (weight * errors).sum(), spread)
        part = (_unshifted(x[rows], weight, grid), *facts)
        sums = [part] if not sums else [tuple(map(torch.add, sums[0], part))]
    spectrum, counts, squares, spread = sums[0]
    unshifted = torch.fft.irfft2(spectrum, s=grid.size)
    templates = torch.stack([sample(part, grid.turns, "zeros").sum(0) for part in unshifted])
    power = x.square().flatten(1).sum(1)
    log_scale = 0.5 * x[0].numel() * (2 * math.pi * bank.noise).log()
    log_evidence = torch.cat(evidence) - power / (2 * bank.noise) - log_scale
    return Sums(log_evidence, templates, counts, power.sum() + squares, spread)


def _unshifted(x: Tensor, weight: Tensor, grid: Grid) -> Tensor:
    """Transforms (K, O, C, H, W') of weighted sums of pictures whose shifts are undone."""
    canvas = weight.new_zeros(*weight.shape[:3], math.prod(grid.size))
    canvas[..., grid.places] = weight
    transform = torch.fft.rfft2(canvas.reshape(*canvas.shape[:3], *grid.size)).conj()
    return torch.einsum("nkohw,nchw->kochw", transform, torch.fft.rfft2(x))


@dataclass(frozen=True)
class Poses:
    """Kinds and poses of pictures.

    Attributes:
        kind: Template of each picture (N,).
        turn: Most likely turn of each picture (N,), a row of `Grid.turns`.
        numbers: Angle and log scale (N, 2).
        shift: Shift (N, 2) in pixels, (y, x).
        peak: Probability of the most likely pose of the grid (N,).
        evidence: Log probabilities of the kinds (N, K).
    """

    kind: Tensor
    turn: Tensor
    numbers: Tensor
    shift: Tensor
    peak: Tensor
    evidence: Tensor


def match(x: Tensor, bank: Bank, grid: Grid) -> Poses:
    """The most likely kinds and poses of pictures.

    A pose is the mean over the peak of the likelihood.

    Args:
        x: Pictures (N, C, H, W).
        bank: The templates.
        grid: The poses.
    """
    parts, shifts = [], grid.shifts
    for _, joint, _ in likelihoods(x, bank, grid):
        evidence = joint.flatten(2).logsumexp(2).log_softmax(1)
        kind = evidence.argmax(1)
        weight = joint[torch.arange(len(joint)), kind].flatten(1).softmax(1)
        peak, place = weight.max(1)
        turn = place // len(shifts)
        near, change = grid.neighbours(turn)
        weight = weight.reshape(*near.shape, len(shifts)) * near[..., None]
        weight = weight / weight.sum((1, 2), keepdim=True)
        numbers = grid.angles_and_scales[turn] + torch.einsum("nos,nof->nf", weight, change)
        shift = weight.sum(1) @ shifts
        parts.append((kind, turn, numbers, shift, peak, evidence))
    return Poses(*(torch.cat(column) for column in zip(*parts, strict=True)))
