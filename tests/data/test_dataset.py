"""`Dataset`: fields that agree, batches, subsets, and the built-in data sets by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp import datasets
from unwarp.core import Factor
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError, DataError
from unwarp.warps import translation

N = 6
X = torch.arange(N * 16, dtype=torch.float32).reshape(N, 1, 4, 4)
SIZE, TURN = (
    Factor("scale", "factor", 0.5, 1.0),
    Factor("turn_deg", "deg", 0.0, 360.0, periodic=True),
)


def full_dataset() -> Dataset:
    """A data set with all fields."""
    shifts = translation(torch.arange(2.0 * N).reshape(N, 2))
    return Dataset(
        X,
        labels=np.arange(N) * 10,
        ids=np.arange(N) // 2,
        maps=shifts,
        factors=(SIZE, TURN),
        factor_values=np.arange(2 * N).reshape(N, 2),
        mask=X % 3 > 0,
        times=X[:, 0, 0],
    )


@pytest.mark.parametrize(
    "field",
    [
        {"labels": np.zeros(5)},
        {"ids": np.zeros(7)},
        {"maps": translation(torch.zeros(1, 2))},
        {"factor_values": np.zeros((5, 1)), "factors": (SIZE,)},
        {"mask": torch.ones(7, 1, 4, 4, dtype=torch.bool)},
        {"times": torch.zeros(1, 4)},
        {"labels": "abcde"},
        {"ids": 7},
        {"x": None},
        {"x": np.zeros((7, 1, 4, 4))},
    ],
)
def test_fields_have_one_row_each(field: dict[str, Any]) -> None:
    """A field with another number of rows is refused by its name."""
    with pytest.raises(DataError, match=next(iter(field))):
        Dataset(**({"x": X} | field))


@pytest.mark.parametrize("rows", [np.array([4, 0]), np.arange(N) % 3 == 1], ids=["numbers", "mask"])
def test_subset_selects_all_fields(rows: np.ndarray[Any, Any]) -> None:
    """A subset takes the same rows of every field."""
    subset = full_dataset().subset(rows)
    numbers = np.arange(N)[rows]
    assert torch.equal(subset.x, X[torch.as_tensor(numbers)])
    assert subset.labels is not None and subset.ids is not None and subset.maps is not None
    assert (
        subset.labels.tolist() == (numbers * 10).tolist()
        and subset.ids.tolist() == (numbers // 2).tolist()
    )
    assert subset.factor_values is not None and subset.mask is not None and subset.times is not None
    assert subset.factors == (SIZE, TURN)
    assert subset.factor_values.tolist() == [[2 * number, 2 * number + 1] for number in numbers]
    assert torch.equal(subset.mask, subset.x % 3 > 0) and torch.equal(
        subset.times, subset.x[:, 0, 0]
    )
    shifts = subset.maps.push(torch.zeros(1, 2))[:, 0]
    assert shifts[:, 0].tolist() == (2.0 * numbers).tolist()


def test_subset_adds_no_fields() -> None:
    """A subset of samples without facts has none, too."""
    subset = Dataset(X).subset(np.array([1]))
    assert (subset.labels, subset.ids, subset.maps) == (None, None, None)
    assert (subset.factors, subset.factor_values, subset.mask, subset.times) == (
        (),
        None,
        None,
        None,
    )


@pytest.mark.parametrize("values", [None, np.zeros((N, 1)), np.zeros((N, 3)), np.zeros(N)], ids=str)
def test_factors_match_columns(values: np.ndarray[Any, Any] | None) -> None:
    """Another number of factors than columns of their values is refused."""
    with pytest.raises(DataError, match="factors name 2 columns"):
        Dataset(X, factors=(SIZE, TURN), factor_values=values)
    with pytest.raises(DataError, match="factors name 0 columns"):
        Dataset(X, factor_values=np.zeros((N, 1)))


def test_batch_holds_rows_of_index() -> None:
    """A batch holds the rows of its index, repeated ones included."""
    index = torch.tensor([5, 2, 2])
    batch = full_dataset().batch(index, torch.Generator())
    assert torch.equal(batch.x, X[index])
    assert torch.equal(batch.index, index)


def test_draw_follows_its_generator() -> None:
    """Observations are equal for equal seeds and differ for different ones."""

    def noisy(x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.cat([x, x], -1) + torch.rand(x.shape[0], 1, 1, 1, generator=generator)

    data = Dataset(X, draw=noisy)
    index = torch.arange(N)
    first, repeated, different = (
        data.batch(index, torch.Generator().manual_seed(seed)).x for seed in (0, 0, 1)
    )
    assert torch.equal(first, repeated)
    assert not torch.equal(first, different)
    assert data.shape == (1, 4, 8)


@pytest.mark.parametrize("name", ["affnist", "mnist", "fashion-mnist"])
def test_missing_files_are_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error for a data set without files names the folder and the download page."""
    monkeypatch.setenv("UNWARP_DATA", str(tmp_path))
    with pytest.raises(DataError, match=rf"(?s){tmp_path / name}.*https://"):
        datasets.load(name, "test")


def test_unknown_data_set_lists_names() -> None:
    """The built-in data sets are listed, also in the error for an unknown one."""
    names = {"affine-mnist", "affnist", "digits", "dsprites", "fashion-mnist", "mnist"}
    assert names <= set(datasets.names())
    assert "base" not in datasets.names()
    with pytest.raises(ConfigError, match="affnist, bumps, digits, dsprites"):
        datasets.load("imagenet")
