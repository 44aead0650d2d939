"""Measured recipes, and the data sets that they were measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unwarp.models import AE, Net, Optimiser, Recipe
from unwarp.models.recipe import RECIPE_OF_DATASET
from unwarp.warps import Affine2d, Chain, CosineTime, Displacement2d, SquareTime

DIGITS = AE(
    warp=Chain(Displacement2d(5), Affine2d()),
    n_content=12,
    start="centroid",
    crop=0.7,
    prior=2.0,
    views=0.0,
)
"""Recipe for pictures of one light object on a dark background, at any place in the frame.

It was measured on Affine MNIST.
"""


SERIES = AE(
    warp=CosineTime(),
    n_content=8,
    refinements=0,
    passes=(1, 1),
    padding="border",
    net=Net(channels=16),
    views=0.3,
    swap=False,
    equivariance=100.0,
    optimiser=Optimiser(lr=3e-3, warmup=40, clip=100.0),
)
"""Recipe for standardised series of one length that differ in timing.

It needs some hundred steps of 20 series or more.
"""


SHARP = replace(
    SERIES,
    n_content=16,
    net=Net(channels=16, detail=True),
    views=0.5,
    equivariance=200.0,
    bands=1.0,
)
"""Recipe for series that differ in small, short ripples; it was measured on Trace."""


RATE_INVARIANT = replace(
    SERIES,
    warp=SquareTime(),
    encoder="one-stage",
    prior=1e3,
    views=0.0,
    swap=False,
    equivariance=0.0,
)
"""The rate-invariant autoencoder (Koneripalli et al. 2020), for comparison.

As published it has one stage and minimises the reconstruction error alone; the networks are those
of `SERIES`.
"""

RECIPE_OF_DATASET.update({"affine-mnist": DIGITS, "trace": SHARP})

PRESET_OF_DOMAIN: Mapping[str, Recipe] = {"image": AE(), "series": SERIES}
"""The recipe from which a default starts, by the name of the domain."""
