"""Columns of `transform`: scaled poses, names, and what old models lack."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest
import torch

from tests.estimators.series import NAN, fit_series, waves
from unwarp import Unwarper
from unwarp.core import SERIES
from unwarp.errors import ConfigError
from unwarp.estimators.feature_columns import BASES, Columns, Views, fill_gaps, scale_of_pose

X = np.stack(waves([40] * 12)).astype(np.float32)


@pytest.fixture(scope="module")
def trained() -> Unwarper:
    """A small model of series whose poses are no identities; no test changes it."""
    return fit_series(X)


@pytest.fixture(scope="module")
def views(trained: Unwarper) -> Views:
    """The training series as features see them."""
    return Views.of(trained.model_, SERIES, trained.prepare(X))


@pytest.mark.parametrize("base", BASES)
def test_columns_have_names(base: str, trained: Unwarper, views: Views) -> None:
    """Every kind has a finite column for each of its names, with and without the pose."""
    columns = Columns.fit(base, views)
    for has_pose in (False, True):
        names = columns.names(trained.model_, SERIES, has_pose)
        values = columns(views, has_pose)
        assert values.shape == (12, len(names)) and len({*names}) == len(names)
        assert values.isfinite().all()


@pytest.mark.parametrize("base", ["raw", "elastic", "slopes", "content-timing"])
def test_arrays_make_columns_again(base: str, views: Views) -> None:
    """Columns from their record and arrays give the same numbers."""
    columns = Columns.fit(base, views)
    again = Columns.of(columns.record(), columns.arrays())
    assert torch.equal(again(views), columns(views))


def test_wrong_arrays_are_refused(views: Views) -> None:
    """A kind without the arrays that it needs, or with those of another, or an unknown kind."""
    slopes = Columns.fit("slopes", views)
    for record, arrays in (
        (slopes.record(), {}),
        (slopes.record() | {"base": "raw"}, slopes.arrays()),
        (slopes.record() | {"base": "smell"}, slopes.arrays()),
    ):
        with pytest.raises(ValueError, match="features base="):
            Columns.of(record, arrays)


def test_pose_is_as_near_as_the_code() -> None:
    """Scaled poses have the mean nearest distance of the columns; one point has no scale."""
    codes, pose = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(0))
    scale = scale_of_pose(codes, 100 * pose)
    nearest = [
        torch.cdist(x, x).fill_diagonal_(torch.inf).amin(1).mean()
        for x in (codes, scale * 100 * pose)
    ]
    assert nearest[0].isclose(nearest[1])
    assert scale_of_pose(codes, torch.zeros(30, 4)) == scale_of_pose(codes[:1], pose[:1]) == 1.0


def test_transform_appends_the_pose(trained: Unwarper) -> None:
    """The codes stay the first columns, in the dtype of the samples, and all have names."""
    codes = trained.transform(X)
    both = trained.transform(X, pose=True)
    with pytest.raises(ConfigError, match="pose='no'"):
        trained.get_feature_names_out(pose="no")  # type: ignore[arg-type]
    assert both.dtype == X.dtype and both.shape[1] == len(trained.get_feature_names_out(pose=True))
    np.testing.assert_allclose(both[:, : codes.shape[1]], codes, atol=1e-5)
    assert both[:, codes.shape[1] :].std() > 0
    with pytest.raises(ConfigError, match="pose="):
        trained.transform(X, pose=2)  # type: ignore[arg-type]
    table = copy(trained).set_output(transform="pandas")
    assert [*table.transform(X)] == [*table.get_feature_names_out()]
    with pytest.raises(ConfigError, match="set_output"):
        table.transform(X, pose=True)


def test_old_models_have_no_pose_scale(views: Views) -> None:
    """Columns of a model that an earlier version saved give codes, and refuse the pose."""
    columns = Columns.of(None, {})
    assert torch.equal(columns(views), views.content)
    with pytest.raises(ConfigError, match="fit it again"):
        columns(views, has_pose=True)


def test_gaps_are_filled() -> None:
    """Raw columns have no NaN, and images stay as they are."""
    filled = fill_gaps(torch.tensor([[[1.0, NAN, 3.0]]]))
    assert filled.tolist() == [[[1.0, 2.0, 3.0]]]
    image = torch.rand(1, 1, 3, 3)
    assert fill_gaps(image) is image
