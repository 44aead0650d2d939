"""Deformations as tables, and back without loss."""

from __future__ import annotations

import pytest
import torch

from unwarp.analysis.tables import tabulate, theta_from_table
from unwarp.errors import DataError
from unwarp.warps import Affine2d, Chain, Displacement2d, Warp, warp_named

AFFINE = Affine2d().bind((20, 30))
CHAIN = Chain(Displacement2d(3), Affine2d()).bind((20, 30))


def random_theta(warp: Warp, n: int = 7) -> torch.Tensor:
    """Random theta (n, P) of a warp."""
    return warp.constrain(
        torch.randn(n, len(warp.factors), generator=torch.Generator().manual_seed(0))
    )


@pytest.mark.parametrize(
    "warp", [AFFINE, CHAIN, warp_named("time")], ids=lambda warp: str(warp.name)
)
def test_full_table_leads_back(warp: Warp) -> None:
    """A full table, in any order of columns, gives theta again."""
    theta = random_theta(warp)
    table = tabulate(warp.map(theta), warp, full=True)
    assert list(table) == [f.name for f in warp.factors]
    exact = theta_from_table(table, warp, 7)
    torch.testing.assert_close(exact, theta, atol=1e-4, rtol=1e-4)
    assert torch.equal(theta_from_table(table[list(table)[::-1]], warp, 7), exact)
    assert torch.equal(theta_from_table(exact.numpy(), warp, 7), exact)


def test_human_columns_lead_back() -> None:
    """Human columns of an affine warp give theta again."""
    theta = random_theta(AFFINE)
    table = tabulate(AFFINE.map(theta), AFFINE)
    assert table.attrs["units"]["shift_x_px"] == "px"
    torch.testing.assert_close(theta_from_table(table, AFFINE, 7), theta, atol=1e-4, rtol=1e-4)


def test_identity_has_empty_table() -> None:
    """A warp without columns has a table without columns."""
    table = tabulate(warp_named("identity").map(torch.zeros(4, 0)), warp_named("identity"))
    assert table.shape == (4, 0)


@pytest.mark.parametrize("rows", [6, 8])
def test_other_number_of_rows_is_refused(rows: int) -> None:
    """The error names both shapes and the columns."""
    with pytest.raises(
        DataError, match=rf"params has shape \(7, 6\); give \({rows}, 6\): rotation"
    ):
        theta_from_table(
            tabulate(AFFINE.map(random_theta(AFFINE)), AFFINE, full=True), AFFINE, rows
        )


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_scales_are_positive(value: float) -> None:
    """A table with a scale that no deformation has is refused by row and column."""
    table = tabulate(AFFINE.map(random_theta(AFFINE)), AFFINE)
    table.loc[3, "scale_y"] = value
    with pytest.raises(DataError, match="row 3 of params is no deformation; scale_y must be"):
        theta_from_table(table, AFFINE, 7)


def test_columns_that_overflow_are_refused() -> None:
    """Finite columns whose theta is not finite are refused by row."""
    table = tabulate(warp_named("gain").map(torch.zeros(4, 2)), warp_named("gain"))
    table.loc[2, "gain"] = -1.0
    with pytest.raises(DataError, match="row 2 of params is no deformation"):
        theta_from_table(table, warp_named("gain"), 4)
