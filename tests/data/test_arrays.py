"""`as_samples`: numbers in, typed errors for all else, and scikit-learn's own checks of both."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import estimator_checks

from unwarp.data import arrays
from unwarp.data.arrays import as_samples
from unwarp.errors import ConfigError, DataError

ROWS = np.random.default_rng(0).normal(size=(5, 6))


def matrix(values: Any) -> Any:
    """A matrix of NumPy, which warns of itself; users have some still."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(values)


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2)))
def test_uint8_is_kept_and_shares_memory(x: np.ndarray) -> None:
    samples, found = as_samples(x)
    assert found == "series" and samples.dtype == np.uint8
    assert np.shares_memory(samples, x)
    np.testing.assert_array_equal(samples[:, 0], x)


@pytest.mark.parametrize(
    "dtype",
    ["f2", "f4", ">f4", "f8", ">f8", "longdouble", "i1", "i2", ">i4", "i8", "u2", "u8", "?"],
)
def test_other_numbers_become_native_float32(dtype: str) -> None:
    x = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    samples, _ = as_samples(x)
    assert samples.dtype == np.float32 and samples.dtype.isnative
    np.testing.assert_array_equal(samples[:, 0], [[0, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize(
    "given_as",
    [
        ROWS.tolist(),
        tuple(map(tuple, ROWS)),
        list(ROWS),
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS).convert_dtypes(),
        ROWS.astype(object),
        np.array([*ROWS, None], dtype=object)[:-1],
        pd.Series(list(ROWS)),
        torch.as_tensor(ROWS),
        torch.as_tensor(ROWS).requires_grad_(),
        np.ma.MaskedArray(ROWS, mask=False),
        matrix(ROWS),
        type("Wrapped", (), {"__array__": lambda self, dtype=None, copy=None: ROWS})(),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_every_array_like_means_the_same(given_as: Any) -> None:
    samples, found = as_samples(given_as)
    assert found == "series" and type(samples) is np.ndarray
    np.testing.assert_array_equal(samples[:, 0], ROWS.astype(np.float32))


def test_bfloat16_tensors_and_lists_of_pictures_are_read() -> None:
    assert as_samples(torch.ones(2, 3, dtype=torch.bfloat16))[0].dtype == np.float32
    picture = Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    samples, found = as_samples([picture, picture])
    assert (samples.shape, samples.dtype, found) == ((2, 3, 10, 10), np.uint8, "image")


def test_the_input_is_never_written_to() -> None:
    x = np.arange(12.0).reshape(3, 4)
    x.flags.writeable = False
    as_samples(x)
    np.testing.assert_array_equal(x, np.arange(12.0).reshape(3, 4))


@given(st.data())
def test_the_first_bad_value_is_named_in_the_layout_of_the_user(data: st.DataObject) -> None:
    shape = (4, 9, 10, 3)
    index = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    bad, word = data.draw(
        st.sampled_from(
            [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity"), (1e300, "large")]
        )
    )
    x = np.zeros(shape)
    x[index] = bad
    with pytest.raises(DataError, match=f"Input contains .*{word}.*{re.escape(str(index))}"):
        as_samples(x)


def test_bad_values_are_found_and_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "BLOCK", 8)
    x = np.zeros((7, 4), np.float32)
    x[5, 2], x[6, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"NaN at index \(5, 2\) of X, the first of 2"):
        as_samples(x)


def test_gaps_may_stand_in_series_alone() -> None:
    x = np.where(np.eye(9) > 0, np.nan, 1.0)
    samples, _ = as_samples(x, gaps=True)
    np.testing.assert_array_equal(samples[:, 0], x)
    for bad, more, words in (
        (x, {}, "NaN"),
        (np.stack([x, x]), {"gaps": True}, "NaN"),
        (x * np.inf, {"gaps": True}, "inf"),
    ):
        with pytest.raises(DataError, match=words):
            as_samples(bad, **more)


@pytest.mark.parametrize("step", [1, 3, 100])
def test_blocks_cover_every_row_once(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "BLOCK", step)
    x = np.arange(22).reshape(11, 2)
    np.testing.assert_array_equal(np.concatenate([x[rows] for rows in arrays.blocks(x)]), x)
    assert list(arrays.blocks(x[:0])) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], r"0 sample\(s\) \(shape=\(0,\)\) while a minimum of 1 is required"),
        (np.empty((0, 3)), r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required"),
        (np.empty((0, 1, 8, 8)), r"0 sample\(s\)"),
        (
            np.empty((12, 0)),
            r"0 feature\(s\) \(shape=\(12, 0\)\) while a minimum of 1 is required\.",
        ),
        (np.ones(4), "Reshape your data"),
        (np.float64(3.0), "single number"),
        (ROWS + 1j, "Complex data not supported"),
        (sparse.csr_array(ROWS), "Sparse data"),
        (sparse.coo_matrix(ROWS), "Sparse data"),
        (torch.eye(3).to_sparse(), "Sparse data"),
        (np.ma.masked_less(ROWS, 0), "masked values"),
        ([["a", "b"], ["c", "d"]], "X must hold numbers, it is of dtype <U1"),
        (pd.DataFrame({"a": ["x", "y"]}), "could not convert string to float"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), "dtype datetime64"),
        (None, "X is of type NoneType"),
        ({"a": [1.0]}, "X is of type dict"),
        ((n for n in range(3)), "X is of type generator"),
        ("pictures/", "unwarp.data.read"),
        ([[1.0, None]], r"NaN at index \(0, 1\)"),
        (
            pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": pd.array([1, 2], "Int64")}),
            r"NaN at index \(1, 0\)",
        ),
        ([[1.0, 2.0], [3.0]], r"sample 0 has shape \(2,\), sample 1 has shape \(1,\)"),
        (
            [np.ones((3, 8, 8)), np.ones((3, 8, 9))],
            r"sample 0 has shape \(3, 8, 8\), sample 1 has shape \(3, 8, 9\)",
        ),
        ([np.ones((8, 8)), np.ones((8, 8, 3))], r"sample 1 has shape \(8, 8, 3\)"),
        ([[[1.0], [2.0, 3.0]], [[1.0], [2.0]]], "sample 0 holds lists of different lengths"),
        (np.array([np.ones(2), np.ones(3)], dtype=object), "X is ragged"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_read_is_refused_with_the_reason(wrong: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_samples(wrong)


def test_objects_that_are_no_numbers_raise_the_type_error_of_numpy() -> None:
    x = ROWS.astype(object)
    x[0, 0] = {"foo": "bar"}
    with pytest.raises(TypeError, match=r"argument must be .* string.* number"):
        as_samples(x)


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="auto, image, series"):
        as_samples(ROWS, domain="video")  # type: ignore[arg-type]


class Reader(TransformerMixin, BaseEstimator):
    """The least estimator that reads its data with `as_samples`."""

    def fit(self, X: Any, y: Any = None) -> Reader:
        samples, _ = as_samples(X)
        self.n_features_in_ = samples[0].size
        return self

    def transform(self, X: Any) -> np.ndarray:
        samples, _ = as_samples(X)
        return samples.reshape(len(samples), -1)


@pytest.mark.parametrize(
    "check",
    [
        "check_complex_data",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_empty_data_messages",
        "check_estimators_nan_inf",
        "check_estimator_sparse_array",
        "check_estimator_sparse_matrix",
        "check_estimator_sparse_tag",
        "check_fit1d",
        "check_fit2d_1sample",
        "check_fit2d_1feature",
        "check_readonly_memmap_input",
        "check_f_contiguous_array_estimator",
        "check_transformer_data_not_an_array",
    ],
)
def test_scikit_learn_finds_the_words_it_expects(check: str) -> None:
    getattr(estimator_checks, check)("Reader", Reader())
