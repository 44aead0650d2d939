"""Deformations as tables for people, and back: `tabulate` and its inverse `theta_from_table`."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from unwarp.data.numbers import real_numbers
from unwarp.errors import DataError
from unwarp.warps import Map, Warp


def tabulate(map: Map, chart: Warp, full: bool = False) -> pd.DataFrame:
    """Deformations as a table with one row for each sample.

    Args:
        map: Deformations (N), without gradients.
        chart: The warp that gives the columns.
        full: All columns of theta instead of human ones (degrees, pixels, seconds); also if the
            warp has no human columns.

    Returns:
        Table (N, columns); `.attrs["units"]` holds the unit of each column by its name.
    """
    human = {} if full else chart.summary(map)
    columns = human or dict(zip(chart.factors, chart.theta(map).unbind(1), strict=True))
    table = pd.DataFrame(
        {factor.name: column.cpu().numpy() for factor, column in columns.items()}, range(len(map))
    )
    table.attrs["units"] = {factor.name: factor.unit for factor in columns}
    return table


def theta_from_table(params: Any, chart: Warp, n: int) -> Tensor:
    """Theta of deformations that are given as a table or an array.

    Args:
        params: A table of `tabulate(full=True)` with its columns in any order, a table of the human
            columns of an affine warp, or an array (n, P) in the order of the chart.
        chart: The warp that gives the columns.
        n: Number of rows.

    Returns:
        Theta (n, P), float32.

    Raises:
        DataError: The number of rows or columns is wrong, and the message names those of the chart;
            or a value is not finite, or a scale is not positive.
        ConfigError: The warp does not convert human columns, or some are missing.
    """
    names = [factor.name for factor in chart.factors]
    if isinstance(params, pd.DataFrame) and set(params) != set(names):
        theta = chart.from_columns(
            {str(name): _as_tensor(f"params[{name!r}]", params[name]) for name in params}
        )
    else:
        theta = _as_tensor("params", params[names] if isinstance(params, pd.DataFrame) else params)
    if theta.shape != (n, len(names)):
        raise DataError(
            f"params has shape {tuple(theta.shape)}; give ({n}, {len(names)}): {', '.join(names)}"
        )
    if not theta.isfinite().all():
        row = int(theta.isfinite().all(1).logical_not().nonzero()[0])
        raise DataError(f"row {row} of params is no deformation; scales must be positive")
    return theta


def _as_tensor(name: str, values: Any) -> Tensor:
    """The finite numbers of an argument, float32."""
    return torch.from_numpy(real_numbers(name, values, finite=True)).float()
