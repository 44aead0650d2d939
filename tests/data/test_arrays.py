"""`as_samples` accepts any array of numbers and refuses all else with the reason."""

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

from unwarp.data import blocks
from unwarp.data.arrays import as_samples
from unwarp.errors import ConfigError, DataError

ROWS = np.random.default_rng(0).normal(size=(5, 6))


def matrix(values: Any) -> Any:
    """A matrix of NumPy, without the warning that it is outdated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(values)


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2)))
def test_uint8_shares_memory(x: np.ndarray) -> None:
    """Numbers of type uint8 are neither converted nor copied."""
    samples, domain = as_samples(x)
    assert domain == "series" and samples.dtype == np.uint8
    assert np.shares_memory(samples, x)
    np.testing.assert_array_equal(samples[:, 0], x)


@pytest.mark.parametrize(
    "dtype",
    ["f2", "f4", ">f4", "f8", ">f8", "longdouble", "i1", "i2", ">i4", "i8", "u2", "u8", "?"],
)
def test_other_numbers_become_float32(dtype: str) -> None:
    """All other types become float32 in the machine's byte order."""
    x = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    samples, _ = as_samples(x)
    assert samples.dtype == np.float32 and samples.dtype.isnative
    np.testing.assert_array_equal(samples[:, 0], [[0, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize(
    "X",
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
def test_array_likes_are_read(X: Any) -> None:
    """Lists, tensors, data frames and other array-likes give the same samples."""
    samples, domain = as_samples(X)
    assert domain == "series" and type(samples) is np.ndarray
    np.testing.assert_array_equal(samples[:, 0], ROWS.astype(np.float32))


def test_bfloat16_and_pillow_are_read() -> None:
    """Types that NumPy lacks, and lists of Pillow images, are accepted."""
    assert as_samples(torch.ones(2, 3, dtype=torch.bfloat16))[0].dtype == np.float32
    picture = Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    samples, domain = as_samples([picture, picture])
    assert (samples.shape, samples.dtype, domain) == ((2, 3, 10, 10), np.uint8, "image")


def test_input_is_never_modified() -> None:
    """A read-only array is accepted and unchanged."""
    x = np.arange(12.0).reshape(3, 4)
    x.flags.writeable = False
    as_samples(x)
    np.testing.assert_array_equal(x, np.arange(12.0).reshape(3, 4))


@given(st.data())
def test_bad_value_is_named(data: st.DataObject) -> None:
    """The error names the first bad value by its index in the user's layout."""
    shape = (4, 9, 10, 3)
    index = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    value, word = data.draw(
        st.sampled_from(
            [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity"), (1e300, "large")]
        )
    )
    x = np.zeros(shape)
    x[index] = value
    with pytest.raises(DataError, match=f"Input contains .*{word}.*{re.escape(str(index))}"):
        as_samples(x)


def test_bad_values_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad values of all blocks are counted, and the first of them is named."""
    monkeypatch.setattr(blocks, "NUMBERS_PER_BLOCK", 8)
    x = np.zeros((7, 4), np.float32)
    x[5, 2], x[6, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"NaN at index \(5, 2\) of X, the first of 2"):
        as_samples(x)


def test_gaps_are_of_series_only() -> None:
    """NaN is accepted in series if gaps are allowed; infinity never is."""
    x = np.where(np.eye(9) > 0, np.nan, 1.0)
    samples, _ = as_samples(x, allow_gaps=True)
    np.testing.assert_array_equal(samples[:, 0], x)
    for X, allow_gaps, message in (
        (x, False, "NaN"),
        (np.stack([x, x]), True, "NaN"),
        (x * np.inf, True, "inf"),
    ):
        with pytest.raises(DataError, match=message):
            as_samples(X, allow_gaps=allow_gaps)


@pytest.mark.parametrize(
    ("X", "message"),
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
        (torch.empty(3, 4, device="meta"), "X is a tensor without values on meta"),
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
def test_unusable_data_are_refused(X: Any, message: str) -> None:
    """Data that are no samples are refused with the reason."""
    with pytest.raises(DataError, match=message):
        as_samples(X)


def test_objects_raise_type_error() -> None:
    """Objects that are not numbers raise the error of NumPy as well, as scikit-learn expects."""
    x = ROWS.astype(object)
    x[0, 0] = {"foo": "bar"}
    for kind in (TypeError, DataError):
        with pytest.raises(kind, match=r"argument must be .* string.* number.*; drop or encode"):
            as_samples(x)


def test_unknown_domain_lists_domains() -> None:
    """The error for an unknown domain lists the registered ones."""
    with pytest.raises(ConfigError, match="auto, image, series"):
        as_samples(ROWS, domain="video")


class Reader(TransformerMixin, BaseEstimator):
    """The smallest estimator that reads its data with `as_samples`."""

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
def test_scikit_learn_checks_pass(check: str) -> None:
    """scikit-learn's checks of estimators pass with the errors of `as_samples`."""
    if not hasattr(estimator_checks, check):
        pytest.skip("this version of scikit-learn has no such check")
    getattr(estimator_checks, check)("Reader", Reader())
