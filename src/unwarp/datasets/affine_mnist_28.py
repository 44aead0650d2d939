"""All of MNIST at 28 x 28, rotated by up to 20 degrees and shifted by up to 10 % of the frame, binarised.

The deformations of Skafte Detlefsen and Hauberg 2019, Explicit disentanglement of appearance and perspective in generative
models. Each time a training digit is drawn it is deformed afresh, a test digit once; a pixel is 1 where the deformed
digit's grey value is above 1/2. (Pixels drawn with the grey value as probability would carry 73 nats of noise a picture that no
model can explain, 27 of them from the blur of the interpolation.)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unwarp.data.dataset import Dataset
from unwarp.datasets import mnist
from unwarp.datasets.affine_mnist import Nuisance, fresh, observed

NUISANCE = Nuisance(rotation=20.0, shear=0.0, scale=0.0, shift=0.1, binary="threshold", size=28)


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """`train` draws afresh, `test` is fixed; MNIST is read from `folder` or `$UNWARP_DATA/mnist`."""
    clean = mnist.load(part, folder)
    made = (
        fresh(clean, NUISANCE) if part == "train" else observed(clean, 1, seed=1, nuisance=NUISANCE)
    )
    return replace(made, name="affine-mnist-28")
