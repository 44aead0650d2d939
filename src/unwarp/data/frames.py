"""The form of a data frame: its index and its columns."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, Self

from unwarp.core import Array


@dataclass(frozen=True, eq=False)
class Frame:
    """Index and columns of a data frame of pandas.

    Results get the same index and, if they have as many columns, the same columns.

    Attributes:
        index: Labels of the rows (N), a `pandas.Index`.
        columns: Labels of the columns, a `pandas.Index`.

    >>> import numpy as np, pandas as pd
    >>> frame = Frame.of(pd.DataFrame([[1, 2]], index=["a"], columns=["x", "y"]))
    >>> frame.restore(np.array([[3, 4]])).loc["a", "y"]
    np.int64(4)
    """

    index: Any
    columns: Any

    @classmethod
    def of(cls, X: Any) -> Self | None:
        """The form of samples; None if they are no data frame.

        Args:
            X: Samples of any form.
        """
        # whoever has a data frame has imported pandas
        pandas = sys.modules.get("pandas")
        is_frame = pandas is not None and isinstance(X, pandas.DataFrame)
        return cls(X.index, X.columns) if is_frame else None

    def subset(self, rows: slice | Array) -> Self:
        """The form of some of the rows.

        Args:
            rows: A slice, or indices of the rows to keep, from 0 (M,).
        """
        return replace(self, index=self.index[rows])

    def restore(self, values: Any) -> Any:
        """Results as a data frame.

        Args:
            values: One row for each row of the data frame (N, K).

        Returns:
            A data frame, with columns counted from 0 if there are more or fewer than in the
            original one; `values` if they are no table.
        """
        import pandas as pd

        if getattr(values, "ndim", 0) != 2 or len(values) != len(self.index):
            return values
        has_same_columns = values.shape[1] == len(self.columns)
        return pd.DataFrame(values, self.index, self.columns if has_same_columns else None)
