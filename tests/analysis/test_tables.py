"""Deformations as tables: nothing is lost on the way back, and what has no way back is refused."""

from __future__ import annotations

import pytest
import torch

from unwarp.analysis.tables import tabulate, theta_of
from unwarp.errors import DataError
from unwarp.warps import Affine2d, Chain, Displacement2d, Warp, named

AFFINE = Affine2d().bind((20, 30))
CHAIN = Chain(Displacement2d(3), Affine2d()).bind((20, 30))


def drawn(warp: Warp, n: int = 7) -> torch.Tensor:
    return warp.constrain(
        torch.randn(n, len(warp.factors), generator=torch.Generator().manual_seed(0))
    )


@pytest.mark.parametrize("warp", [AFFINE, CHAIN, named("time")], ids=lambda warp: str(warp.name))
def test_a_full_table_leads_back_without_loss(warp: Warp) -> None:
    theta = drawn(warp)
    table = tabulate(warp.map(theta), warp, full=True)
    assert list(table) == [f.name for f in warp.factors]
    exact = theta_of(table, warp, 7)
    torch.testing.assert_close(exact, theta, atol=1e-4, rtol=1e-4)
    assert torch.equal(theta_of(table[list(table)[::-1]], warp, 7), exact)
    assert torch.equal(theta_of(exact.numpy(), warp, 7), exact)


def test_human_columns_of_an_affine_warp_lead_back() -> None:
    theta = drawn(AFFINE)
    table = tabulate(AFFINE.map(theta), AFFINE)
    assert table.attrs["units"]["shift_x_px"] == "px"
    torch.testing.assert_close(theta_of(table, AFFINE, 7), theta, atol=1e-4, rtol=1e-4)


def test_a_warp_without_columns_has_an_empty_table() -> None:
    table = tabulate(named("identity").map(torch.zeros(4, 0)), named("identity"))
    assert table.shape == (4, 0)


@pytest.mark.parametrize("rows", [6, 8])
def test_another_number_of_rows_is_refused(rows: int) -> None:
    with pytest.raises(
        DataError, match=rf"params has shape \(7, 6\); give \({rows}, 6\): rotation"
    ):
        theta_of(tabulate(AFFINE.map(drawn(AFFINE)), AFFINE, full=True), AFFINE, rows)
