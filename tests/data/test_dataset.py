"""`Dataset`: columns that agree, batches, subsets, and the folder as registry."""

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


def full() -> Dataset:
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
    "column",
    [
        {"labels": np.zeros(5)},
        {"ids": np.zeros(7)},
        {"maps": translation(torch.zeros(1, 2))},
        {"factor_values": np.zeros((5, 1)), "factors": (SIZE,)},
        {"mask": torch.ones(7, 1, 4, 4, dtype=torch.bool)},
        {"times": torch.zeros(1, 4)},
    ],
)
def test_columns_of_another_length_are_refused_by_name(column: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=next(iter(column))):
        Dataset(X, **column)


@pytest.mark.parametrize("rows", [np.array([4, 0]), np.arange(N) % 3 == 1], ids=["places", "mask"])
def test_a_subset_takes_the_same_rows_of_every_column(rows: np.ndarray[Any, Any]) -> None:
    kept = full().subset(rows)
    places = np.arange(N)[rows]
    assert torch.equal(kept.x, X[torch.as_tensor(places)])
    assert kept.labels is not None and kept.ids is not None and kept.maps is not None
    assert (
        kept.labels.tolist() == (places * 10).tolist()
        and kept.ids.tolist() == (places // 2).tolist()
    )
    assert kept.factor_values is not None and kept.mask is not None and kept.times is not None
    assert kept.factors == (SIZE, TURN)
    assert kept.factor_values.tolist() == [[2 * place, 2 * place + 1] for place in places]
    assert torch.equal(kept.mask, kept.x % 3 > 0) and torch.equal(kept.times, kept.x[:, 0, 0])
    seen = kept.maps.push(torch.zeros(1, 2))[:, 0]
    assert seen[:, 0].tolist() == (2.0 * places).tolist()


def test_a_subset_of_samples_alone_has_no_other_columns() -> None:
    kept = Dataset(X).subset(np.array([1]))
    assert (kept.labels, kept.ids, kept.maps) == (None, None, None)
    assert (kept.factors, kept.factor_values, kept.mask, kept.times) == ((), None, None, None)


@pytest.mark.parametrize("values", [None, np.zeros((N, 1)), np.zeros((N, 3)), np.zeros(N)], ids=str)
def test_every_factor_names_one_column(values: np.ndarray[Any, Any] | None) -> None:
    with pytest.raises(DataError, match="factors name 2 columns"):
        Dataset(X, factors=(SIZE, TURN), factor_values=values)
    with pytest.raises(DataError, match="factors name 0 columns"):
        Dataset(X, factor_values=np.zeros((N, 1)))


def test_a_batch_is_a_slice_that_knows_where_it_came_from() -> None:
    index = torch.tensor([5, 2, 2])
    batch = full().batch(index, torch.Generator())
    assert torch.equal(batch.x, X[index])
    assert torch.equal(batch.index, index)


def test_a_drawing_data_set_observes_afresh_and_by_its_generator_alone() -> None:
    def noisy(x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.cat([x, x], -1) + torch.rand(x.shape[0], 1, 1, 1, generator=generator)

    data = Dataset(X, draw=noisy)
    index = torch.arange(N)
    one, again, other = (
        data.batch(index, torch.Generator().manual_seed(seed)).x for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert data.shape == (1, 4, 8)


@pytest.mark.parametrize("name", ["affnist", "mnist", "fashion-mnist"])
def test_absent_files_are_asked_for_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNWARP_DATA", str(tmp_path))
    with pytest.raises(DataError, match=rf"(?s){tmp_path / name}.*https://"):
        datasets.load(name, "test")


def test_the_folder_lists_its_data_sets_and_an_unknown_one_is_refused() -> None:
    known = {"affine-mnist", "affnist", "digits", "dsprites", "fashion-mnist", "mnist"}
    assert known <= set(datasets.names())
    assert "base" not in datasets.names()
    with pytest.raises(ConfigError, match="affnist, bumps, digits, dsprites"):
        datasets.load("imagenet")
