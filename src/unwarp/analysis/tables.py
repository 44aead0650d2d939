"""Deformations as tables for people, and back: `tabulate` and its inverse `theta_of`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from unwarp.errors import DataError
from unwarp.warps import Map, Warp


def tabulate(map: Map, chart: Warp, full: bool = False) -> pd.DataFrame:
    """Deformations (N) as a table, with units in the column names and in `.attrs["units"]`.

    Args:
        map: The deformations.
        chart: What the columns mean.
        full: Every column of theta, instead of human ones.
    """
    human = {} if full else chart.summary(map)
    columns = human or dict(zip(chart.factors, chart.theta(map).unbind(1), strict=True))
    table = pd.DataFrame(
        {factor.name: column.cpu().numpy() for factor, column in columns.items()}, range(len(map))
    )
    table.attrs["units"] = {factor.name: factor.unit for factor in columns}
    return table


def theta_of(params: Any, chart: Warp, n: int) -> Tensor:
    """Theta (n, P) of a table that `tabulate` gave in full, of its affine human columns, or of an array (n, P).

    Raises:
        DataError: Another number of rows or columns; the message names those of the chart.
    """
    names = [f.name for f in chart.factors]
    if isinstance(params, pd.DataFrame) and set(params) != set(names):
        theta = chart.from_columns(
            {str(name): torch.tensor(np.array(params[name], np.float32)) for name in params}
        )
    else:
        table = params[names].to_numpy() if isinstance(params, pd.DataFrame) else np.asarray(params)
        theta = torch.tensor(np.array(table, np.float32))
    if theta.shape != (n, len(names)):
        raise DataError(
            f"params has shape {tuple(theta.shape)}; give ({n}, {len(names)}): {', '.join(names)}"
        )
    return theta
