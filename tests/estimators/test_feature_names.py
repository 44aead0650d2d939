"""Data frames: names of columns are checked, index and columns come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency

from tests.estimators.series import NAN, RECIPE, waves
from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.errors import DataError
from unwarp.estimators.feature_names import feature_names_of

X = np.stack(waves([40] * 8))
TABLE = pd.DataFrame(X, index=list("hgfedcba"), columns=[f"t{step}" for step in range(40)])


def unwarper(**arguments: Any) -> Unwarper:
    """A small estimator, not yet trained."""
    return Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu", **arguments)


@pytest.fixture(scope="module")
def trained() -> Unwarper:
    """An estimator that was trained on the table."""
    return unwarper().fit(TABLE)


def test_scikit_learn_checks_names() -> None:
    """Its check of attributes, errors and warnings."""
    check_dataframe_column_names_consistency("Unwarper", unwarper())


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_tables_come_back(trained: Unwarper) -> None:
    """Aligned samples, templates and reconstructions have the index and columns of `X`."""
    for name in ("align", "template", "reconstruct"):
        table = getattr(trained, name)(TABLE)
        assert table.index.equals(TABLE.index) and table.columns.equals(TABLE.columns)
        np.testing.assert_array_equal(table, getattr(trained, name)(TABLE.to_numpy()))
    assert trained.transform_params(TABLE).index.equals(TABLE.index)
    assert trained.transform_params(TABLE).attrs["units"]


def test_prepared_tables_come_back(trained: Unwarper) -> None:
    """Also after samples were read once, split, or given as other data of the samples."""
    for samples in (
        trained.prepare_samples(TABLE),
        trained.open(TABLE),
        trained.parse(TABLE),
    ):
        pd.testing.assert_frame_equal(trained.align(samples), trained.align(TABLE))
    part = trained.parse(TABLE).subset([5, 2])
    assert list(trained.align(part).index) == ["c", "f"]
    assert list(trained.transform_params(part).index) == ["c", "f"]
    other = TABLE.set_axis(range(8), axis=0)
    assert list(trained.align(TABLE, other=other).index) == list(range(8))
    out = np.empty_like(X)
    assert trained.align(TABLE, out=out) is out


@pytest.mark.parametrize("missing", ["interpolate", "mask"])
def test_tables_with_gaps_come_back(missing: Any) -> None:
    """Series with missing values have their labels, too."""
    table = TABLE.copy()
    table.iloc[2, 3:6] = NAN
    table.iloc[4, 30:] = NAN
    model = unwarper(missing=missing).fit(table)
    for name in ("align", "reconstruct"):
        result = getattr(model, name)(table)
        assert result.index.equals(table.index) and result.columns.equals(table.columns)
    assert model.transform(table.iloc[:, :35]).shape == (8, 3)


def test_images_in_tables_come_back() -> None:
    """Flattened images keep rows and columns, and their dtype."""
    x = pictures(10).astype(np.uint8).reshape(10, -1)
    table = pd.DataFrame(x, index=range(10, 20)).add_prefix("p")
    model = Unwarper(image_shape=(20, 20), max_steps=2, n_clusters=2).fit(table)
    aligned = model.align(table)
    assert aligned.index.equals(table.index) and (aligned.dtypes == np.uint8).all()
    assert list(model.feature_names_in_) == list(table.columns)


def test_output_keeps_the_index() -> None:
    """`set_output` gives codes with the index of the samples."""
    model = unwarper().set_output(transform="pandas")
    for codes in (model.fit_transform(TABLE), model.transform(TABLE)):
        assert codes.index.equals(TABLE.index)
        assert list(codes.columns) == ["content_0", "content_1", "content_2"]


def test_other_columns_are_refused(trained: Unwarper) -> None:
    """In another order or with other names: an error; without names: a warning."""
    for columns in (TABLE.columns[::-1], TABLE.columns.str.upper()):
        with pytest.raises(DataError, match="The feature names should match"):
            trained.align(TABLE[TABLE.columns].set_axis(columns, axis=1))
    for samples in (X, torch.from_numpy(X), X.tolist()):
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            trained.transform(samples)
    with pytest.raises(DataError, match="input_features is not equal"):
        trained.get_feature_names_out(TABLE.columns[::-1])


def test_files_have_no_names(trained: Unwarper, tmp_path: Path) -> None:
    """Samples of a file are taken without a warning, and so is a sample to align to."""
    np.save(tmp_path / "x.npy", X)
    codes = trained.transform(tmp_path / "x.npy")
    np.testing.assert_array_equal(codes, trained.transform(TABLE))
    trained.align(TABLE, to=X[0])


def test_names_are_saved_and_forgotten(tmp_path: Path) -> None:
    """A loaded estimator checks names; a refit without names has none."""
    model = unwarper().fit(TABLE)
    model.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.feature_names_in_, TABLE.columns)
    with pytest.raises(DataError, match="feature names"):
        loaded.transform(TABLE.add_suffix("s"))
    assert not hasattr(model.fit(X), "feature_names_in_")


@pytest.mark.parametrize(
    "samples",
    [X, None, TABLE.set_axis(range(40), axis=1), TABLE.rename(columns={"t3": 3})],
    ids=["array", "none", "numbers", "mixed"],
)
def test_only_texts_are_names(samples: Any) -> None:
    """Columns that are numbers, or numbers and texts, have no names."""
    assert feature_names_of(samples) is None


def test_channels_of_tables_are_checked(tmp_path: Path) -> None:
    """Long tables with other channels, or another order, are refused, also by a loaded model."""
    steps = {"id": np.repeat(range(8), 40), "time": np.tile(range(40), 8)}
    table = pd.DataFrame({**steps, "ecg": X.ravel(), "resp": np.roll(X, 3, axis=0).ravel()})
    model = unwarper().fit(table)
    model.save(tmp_path / "model")
    table[["id", "time", "resp", "ecg"]].to_csv(tmp_path / "swapped.csv", index=False)
    for trained in (model, Unwarper.load(tmp_path / "model")):
        for other in (tmp_path / "swapped.csv", table.rename(columns={"ecg": "foo"})):
            for method in (trained.transform, trained.align, trained.score):
                with pytest.raises(DataError, match="the model was trained on ecg, resp"):
                    method(other)
    rows = table.melt(["id", "time"], var_name="channel").sort_values("value", ascending=False)
    codes = dict(zip(model.open(rows).row_names.tolist(), model.transform(rows), strict=True))
    expected = [codes[str(k)] for k in range(8)]
    np.testing.assert_allclose(expected, model.transform(table), atol=1e-4)
