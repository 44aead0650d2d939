"""Names of the columns of data frames, checked as in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data
from torch import Tensor

from unwarp.core import Array
from unwarp.data.source import Source
from unwarp.errors import DataError


class Names(BaseEstimator):  # type: ignore[misc]
    """An estimator without parameters, which scikit-learn gives its attribute.

    >>> hasattr(Names(), "feature_names_in_")
    False
    """


def feature_names_of(X: Any) -> Array | None:
    """Names of the columns of training samples.

    Args:
        X: Samples of any form.

    Returns:
        The names (K,), as objects, if `X` is a data frame and all its columns have texts as names;
        else None.

    >>> feature_names_of(pd.DataFrame({"a": [1], "b": [2]})).tolist()
    ['a', 'b']
    """
    table, names = _table(X), Names()
    if table is None:
        return None
    try:
        validate_data(names, table, reset=True, skip_check_array=True, ensure_2d=False)
    except TypeError:  # texts and numbers are mixed
        return None
    return getattr(names, "feature_names_in_", None)


def check_feature_names(estimator: Any, X: Any) -> None:
    """Compare the columns of samples with those of the training samples.

    Series that may have any length may have other columns, too.

    Args:
        estimator: A trained estimator.
        X: Samples of any form. Files and data sets have no names, and are accepted.

    Raises:
        DataError: Names differ, or their order; the message is that of scikit-learn.
    """
    table = _table(X)
    names = getattr(estimator, "feature_names_in_", None)
    if table is None and (names is None or not isinstance(X, np.ndarray | Tensor | list | tuple)):
        return
    has_any_length = estimator.schema_.clock.any_length
    if has_any_length and (names is None or np.shape(table)[1:] != np.shape(names)):
        return
    values = np.empty((0, 0)) if table is None else table
    try:
        validate_data(estimator, values, reset=False, skip_check_array=True, ensure_2d=False)
    except ValueError as error:
        raise DataError(str(error)) from None
    except TypeError:  # texts and numbers are mixed
        return


def columns_in_order(argument: str, values: Any, names: list[str]) -> Any:
    """A table with its columns in a given order; anything else unchanged.

    Args:
        argument: Name of the argument, for messages.
        values: A data frame, or an array without names.
        names: Names of the columns, in order.

    Returns:
        The table. One whose columns are numbered 0, 1, 2, ... in that order has no names, and is
        returned unchanged.

    Raises:
        DataError: The columns have other names.

    >>> table = pd.DataFrame([[1, 2]], columns=["b", "a"])
    >>> columns_in_order("Z", table, ["a", "b"]).to_numpy().tolist()
    [[2, 1]]
    """
    if not hasattr(values, "columns") or list(values.columns) == list(range(len(values.columns))):
        return values
    columns = [str(name) for name in values.columns]
    if sorted(columns) != sorted(names):
        raise DataError(
            f"{argument} has the columns {', '.join(columns)}; give {', '.join(names)}, or an "
            f"array in that order, such as {argument}.to_numpy()"
        )
    return values[names]


def _table(X: Any) -> Any:
    """A data frame with the columns of samples; None if they have no names."""
    if isinstance(X, Source) and X.frame is not None:
        return pd.DataFrame(columns=X.frame.columns)
    x = X.x if isinstance(X, Source) else X
    return x if hasattr(x, "columns") else None
