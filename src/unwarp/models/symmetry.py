"""Order of rotational symmetry of templates.

An object is k-fold symmetric if a turn by 360 / k degrees changes nothing. Its angle is then known
up to such turns only.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unwarp.models.registration import SMALLEST_VARIANCE, sample, similarity
from unwarp.models.starts import rotation
from unwarp.warps import AffineMap, Window, translation

MAX_ORDER = 8
"""Greatest order of symmetry that is looked for."""

ROUND = 0
"""Order of an object that no turn changes."""

MAX_LOSS = 0.1
"""Greatest loss of correlation by a turn that changes nothing."""

MAX_SHARE_OF_LOSS = 0.25
"""The same as a share of the greatest loss by any turn."""

MAX_LOSS_OF_ROUND = 0.03
"""Greatest loss of correlation by any turn of a round object."""

N_TURNS = 72
"""Number of turns that are compared, from 5 degrees on."""

MIN_RADIUS = 0.5
"""Least radius of the disc around an object, over half of the shorter side."""


@torch.no_grad()
def symmetry_orders(templates: Tensor) -> list[int]:
    """Orders of rotational symmetry of templates.

    A template is turned about its centre of contrast, and compared with itself on the largest disc
    in the frame. Its order is the largest k for which all turns by multiples of 360 / k degrees
    leave nearly the same picture, much more so than turns in between.

    Args:
        templates: Pictures (N, C, H, W).

    Returns:
        N orders: 1 for none, 2 if half a turn changes nothing, and so on; 0 if no turn changes
        anything, as of a disc or an empty picture.

    >>> bar = torch.zeros(1, 1, 16, 16)
    >>> bar[..., 3:13, 7:9] = 1
    >>> symmetry_orders(bar)
    [2]
    """
    return [_order(template[None]) for template in templates]


def _order(template: Tensor) -> int:
    """Order of symmetry of a template (1, C, H, W)."""
    if float(template.var()) <= SMALLEST_VARIANCE:
        return ROUND
    centre, radius = _disc(template)
    if radius < MIN_RADIUS:
        return 1
    turns = torch.arange(1, N_TURNS) / N_TURNS
    losses = _losses(template, centre, radius, turns)
    largest = float(losses.max())
    if largest <= MAX_LOSS_OF_ROUND:
        return ROUND
    limit = min(MAX_LOSS, MAX_SHARE_OF_LOSS * largest)
    for k in range(MAX_ORDER, 1, -1):
        multiples = torch.arange(1, k) / k
        if float(_losses(template, centre, radius, multiples).max()) <= limit:
            return k
    return 1


def _disc(template: Tensor) -> tuple[Tensor, float]:
    """Centre of contrast (1, 2) in half-sides, and radius of the largest disc around it.

    The radius is a share of half of the shorter side.
    """
    rim = torch.cat([template[..., 0, :], template[..., -1, :]], -1)
    contrast = (template - rim.median()).square().sum(1).flatten()
    points = Window.frame(template.shape[2:]).lattice(template)
    centre = contrast @ points / contrast.sum().clamp_min(SMALLEST_VARIANCE)
    half_sides = template.new_tensor(template.shape[:1:-1])
    radius = float(((1 - centre.abs()) * half_sides).min() / half_sides.min())
    return centre[None], radius


def _losses(template: Tensor, centre: Tensor, radius: float, turns: Tensor) -> Tensor:
    """Loss of correlation (K,), from 0, by shares of a full turn (K,)."""
    aspect = template.shape[2] / template.shape[3]
    there = translation(centre)
    turned = there.compose(rotation(2 * math.pi * turns.to(template), aspect))
    map = turned.compose(translation(-centre))
    assert isinstance(map, AffineMap), "products of affine maps are affine"
    points = Window.frame(template.shape[2:]).lattice(template) - centre
    half_sides = template.new_tensor(template.shape[:1:-1])
    distance = (points * half_sides / half_sides.min()).norm(dim=-1)
    weight = (distance <= radius).to(template).reshape(1, 1, *template.shape[2:])
    views = sample(template, map)
    original = template.expand_as(views)
    return 1 - similarity(views, original, weight.expand(len(views), -1, -1, -1))
