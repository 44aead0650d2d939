"""Fashion-MNIST in its published IDX files, from a folder or from `$UNWARP_DATA/fashion-mnist`."""

from __future__ import annotations

from pathlib import Path

from unwarp.data.dataset import Dataset
from unwarp.datasets.home import home
from unwarp.datasets.mnist import read_part

URL = "https://github.com/zalandoresearch/fashion-mnist/tree/master/data/fashion"
CLASSES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
"""What each label stands for."""


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Pieces of clothing (N, 1, 28, 28) in [0, 1]: 60,000 for `train`, 10,000 for `test`.

    Source:
        Xiao, Rasul, Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms.

    Raises:
        DataError: No folder is known, or a file in it is absent or damaged.
    """
    x, labels = read_part(home("fashion-mnist", folder, URL), part)
    return Dataset(x, "fashion-mnist", "Fashion-MNIST (Xiao, Rasul, Vollgraf 2017)", "MIT", labels)
