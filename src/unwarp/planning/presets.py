"""Presets: recipes that were tuned on data sets."""

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
"""Recipe for images of one bright object on a dark background, anywhere in the frame.

It was tuned on Affine MNIST.
"""


PICTURES = AE(prior=0.8, passes=(2, 8), pose_size=48, net=Net(channels=16))
"""Recipe for images of which nothing is known; trials decide whether it has its warp.

With a wider prior, pictures of one kind are squeezed into those of another: kinds with few pictures
get lost. With a narrower one, deformations are drawn towards the mean. The last stage runs until
the pose hardly changes.
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
"""Recipe for series that differ in timing, standardised and of equal length.

It needs a few hundred training steps or more, with 20 series each.
"""


SHARP = replace(
    SERIES,
    n_content=16,
    net=Net(channels=16, detail=True),
    views=0.5,
    equivariance=200.0,
    bands=1.0,
)
"""Recipe for series that differ in small, short ripples; it was tuned on Trace."""


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

As published, the encoder is one network without stages, and the loss is the reconstruction error
only; a `prior` of 1000 makes the penalty of deformations negligible. The networks are those of
`SERIES`.
"""

RECIPE_OF_DATASET.update({"affine-mnist": DIGITS, "trace": SHARP})

PRESET_OF_DOMAIN: Mapping[str, Recipe] = {"image": PICTURES, "series": SERIES}
"""The default recipe of a domain, by the name of the domain; `default_recipe` adapts it to data."""
