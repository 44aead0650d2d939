"""All of MNIST at 28 x 28 pixels, rotated, shifted and binarised.

Rotations are up to 20 degrees and shifts up to 10 % of the frame. A pixel is 1 if the grey value of
the deformed digit is above 1/2. To draw a pixel as 1 with its grey value as probability would add
73 nats of noise per image that no model can predict; 27 of these nats come from the blur of the
interpolation.

Reference:
    Skafte Detlefsen and Hauberg (2019), Explicit disentanglement of appearance and perspective in
    generative models.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unwarp.data.dataset import Dataset
from unwarp.datasets import mnist
from unwarp.datasets.affine_mnist import Nuisance, fixed_observations, with_random_draws

NUISANCE = Nuisance(rotation=20.0, shear=0.0, scale=0.0, shift=0.1, binary="threshold", size=28)
"""The distribution of the observations."""


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Load the deformed digits, made from MNIST's published files.

    Args:
        part: `train` or `test`.
        folder: Folder with MNIST's files; None for `$UNWARP_DATA/mnist`.

    Returns:
        For `train`, 60,000 clean digits with `draw`, which generates new observations in each
        batch. For `test`, 10,000 fixed observations with `maps`. Observations are (N, 1, 28, 28),
        0 or 1, with labels 0 to 9.

    Raises:
        DataError: The part is unknown, or a file is missing or damaged.
    """
    clean = mnist.load(part, folder)
    if part == "train":
        deformed = with_random_draws(clean, NUISANCE)
    else:
        deformed = fixed_observations(clean, 1, seed=1, nuisance=NUISANCE)
    return replace(deformed, name="affine-mnist-28")
