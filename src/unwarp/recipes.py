"""Recipes that were measured, by the data they suit."""

from __future__ import annotations

from unwarp.models import AE
from unwarp.warps import Affine2d, Chain, Displacement2d

DIGITS = AE(
    warp=Chain(Displacement2d(5), Affine2d()),
    n_content=12,
    start="centroid",
    crop=0.7,
    prior=2.0,
    views=0.0,
)
"""Pictures of one light object on a dark background, somewhere in the frame: Affine MNIST."""
