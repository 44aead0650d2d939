"""Fashion-MNIST in its published IDX files: 70,000 images of clothing.

Reference:
    Xiao, Rasul, Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms.
"""

from __future__ import annotations

from pathlib import Path

from unwarp.data.dataset import Dataset
from unwarp.datasets.folders import published_folder
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
"""Name of each label, 0 to 9."""


def load(part: str = "train", folder: str | Path | None = None) -> Dataset:
    """Load images of clothing, 60,000 for training and 10,000 for testing.

    Args:
        part: `train` or `test`.
        folder: Folder with the four gzipped files; None for `$UNWARP_DATA/fashion-mnist`.

    Returns:
        Images (N, 1, 28, 28) in [0, 1] with labels 0 to 9; `CLASSES` has their names. The licence
        is MIT.

    Raises:
        DataError: The part is unknown, or the folder or a file is missing or damaged.
    """
    x, labels = read_part(published_folder("fashion-mnist", folder, URL), part)
    return Dataset(x, "fashion-mnist", "Fashion-MNIST (Xiao, Rasul, Vollgraf 2017)", "MIT", labels)
