"""Deformations as tables, and back: `tabulate` and its inverse `theta_from_table`.

Summary columns describe a deformation in readable units: degrees, scale factors, pixels or seconds.
Theta are the parameters of a deformation, one column per `chart.factors`. The argument `chart` is
the warp that converts between maps and theta: `model.chart`.
"""

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
        map: N deformations whose tensors do not require gradients.
        chart: The warp that computes the columns.
        full: Whether to return all columns of theta instead of the summary columns. A warp without
            summary columns always returns theta.

    Returns:
        Table (N, columns); `.attrs["units"]` holds the unit of each column by its name.
    """
    summary = {} if full else chart.summary(map)
    columns = summary or dict(zip(chart.factors, chart.theta(map).unbind(1), strict=True))
    table = pd.DataFrame(
        {factor.name: column.cpu().numpy() for factor, column in columns.items()}, range(len(map))
    )
    table.attrs["units"] = {factor.name: factor.unit for factor in columns}
    return table


def theta_from_table(params: Any, chart: Warp, n: int) -> Tensor:
    """Convert a table or an array of deformations to theta.

    Args:
        params: A table of `tabulate(full=True)`; a table of summary columns, if the warp can
            convert them to theta, as affine warps do; or an array (n, P) with the columns in the
            order of `chart.factors`. The columns of a table may be in any order.
        chart: The warp that defines the columns.
        n: Number of rows.

    Returns:
        Theta (n, P), float32.

    Raises:
        DataError: An array or a table has a wrong number of rows, or an array of columns; or a
            value is not finite, or a scale is not positive.
        ConfigError: A table has neither the columns of theta nor those that the warp can convert.
    """
    names = [factor.name for factor in chart.factors]
    if isinstance(params, pd.DataFrame) and set(params) != set(names):
        columns = {str(name): _as_tensor(f"params[{name!r}]", params[name]) for name in params}
        for name, values in columns.items():
            if name.startswith("scale") and (values <= 0).any():
                row = int((values <= 0).nonzero()[0])
                raise DataError(f"row {row} of params is no deformation; {name} must be positive")
        theta = chart.from_columns(columns)
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
