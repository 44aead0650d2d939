"""Calibration of the weights of pose modes, without labels.

Training pictures are moved to the poses of others. Of such a second view the pose is known, but for
the error of the first one. The temperature is chosen so that, in nine of ten second views, the
pose is near one of the fewest modes that have nine tenths of the weight.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unwarp.models.model import Model
from unwarp.models.pose_modes import SHARE_OF_SET, PoseModes, agree, largest_turn
from unwarp.models.refinement import Refinement
from unwarp.models.registration import affine_pose, white_noise
from unwarp.warps import AffineMap, deform

MAX_PICTURES = 200
"""Greatest number of pictures, and least number of second views of fewer pictures."""

MIN_PICTURES = 20
"""Least number of pictures for a calibration; fewer get the variance of their residuals."""

MAX_ERROR_DEG = 10.0
"""Greatest error of the angle of a mode that is right."""

MIN_NOISE_SHARE = 0.1
"""Share of white noise in the variance from which interpolation takes noise away."""

SHARE_OF_NOISE_TAKEN = 5 / 9
"""Mean share of the variance of white noise that bilinear interpolation takes away."""

N_TEMPERATURES, LARGEST_RATIO = 40, 1e4
"""Number of temperatures, and the largest one over the variance of the residuals."""


@torch.no_grad()
def mode_temperature(
    model: Model, x: Tensor, refinement: Refinement | None = None, seed: int = 0
) -> float:
    """The temperature at which nine of ten sets hold the pose.

    It is never less than the variance of the residuals, by which errors are log likelihoods.

    Args:
        model: The trained model, in evaluation mode.
        x: Training pictures (N, C, H, W) on the device of the model; up to 200 are used.
        refinement: Refinement of learned poses; None for none.
        seed: Seed of the second views.
    """
    x, generator = x[:MAX_PICTURES], torch.Generator().manual_seed(seed)
    first = PoseModes.of(model, x, refinement)
    best = first.ranks == 0
    pose = AffineMap(affine_pose(first.map).matrix[best])
    variance = max(float(first.misfit[best].mean()) / x[0].numel(), torch.finfo(x.dtype).tiny)
    if len(x) < MIN_PICTURES or not largest_turn(model):
        return variance
    pairs = []
    for _ in range(math.ceil(MAX_PICTURES / len(x))):
        targets = pose[torch.randperm(len(x), generator=generator).to(x.device)]
        views = second_views(x, affine_pose(targets.compose(pose.invert())), model, generator)
        modes = PoseModes.of(model, views, refinement)
        is_right = agree(
            affine_pose(modes.map), targets[modes.rows], x.shape[2:], MAX_ERROR_DEG, math.inf
        )
        pairs.append((modes, is_right))
    temperatures = variance * torch.logspace(0, math.log10(LARGEST_RATIO), N_TEMPERATURES)
    shares = torch.tensor([_mean_coverage(pairs, float(t)) for t in temperatures])
    # the sets grow with the temperature; the share that they hold may never reach nine tenths
    return float(temperatures[(shares >= shares.max().clamp_max(SHARE_OF_SET)).nonzero()[0, 0]])


def second_views(x: Tensor, map: AffineMap, model: Model, generator: torch.Generator) -> Tensor:
    """Pictures that maps move, with as much noise as before.

    Args:
        x: Pictures (N, C, H, W).
        map: N maps of pictures.
        model: The model, whose padding lies beyond them.
        generator: Source of the noise, on the CPU.
    """
    views = deform(x, map, padding=model.padding)
    noise, variance = white_noise(x), x.var((2, 3))
    if float(noise.median()) < MIN_NOISE_SHARE * float(variance.median()):
        return views
    sd = (noise.median() * SHARE_OF_NOISE_TAKEN).sqrt()
    return views + sd * torch.randn(x.shape, generator=generator).to(x)


def coverage(modes: PoseModes, is_right: Tensor, temperature: float) -> float:
    """Share of pictures with a right mode in their set.

    The set are the fewest modes that have nine tenths of the weight.

    Args:
        modes: M modes of pictures.
        is_right: Whether each mode is right (M,).
        temperature: As for `PoseModes.weights`.
    """
    n = int(modes.rows[-1]) + 1
    hits = modes.rows[is_right & modes.is_in_set(temperature)]
    return int(torch.zeros(n).index_fill(0, hits.cpu(), 1.0).sum()) / n


def _mean_coverage(pairs: list[tuple[PoseModes, Tensor]], temperature: float) -> float:
    """Mean coverage over rounds of second views."""
    return sum(coverage(*pair, temperature) for pair in pairs) / len(pairs)
