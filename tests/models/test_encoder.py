"""The base of encoders reads poses and codes off the posterior."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp import Affine2d
from unwarp.models.encoder import Encoder
from unwarp.models.posterior import Posterior, StagePosterior
from unwarp.warps import IdentityMap


class Constant(Encoder):
    """An encoder with the same answer for all samples."""

    def forward(
        self,
        x: Tensor,
        generator: torch.Generator | None = None,
        angles: Tensor | None = None,
        single_pass: bool = False,
    ) -> Posterior:
        """Codes of 3 and raw parameters of .1."""
        raw, content = torch.full((len(x), 6), 0.1), torch.full((len(x), self.n_content), 3.0)
        stage = StagePosterior(self.warp, raw, None, raw)
        theta, start = self._theta_in_half_ranges(stage.mean_map), IdentityMap(len(x))
        return Posterior(content, stage.sampled_map, theta, content, None, start, stage)


def test_pose_and_code_are_those_of_posterior() -> None:
    """Without methods of its own, an encoder takes both from `forward`."""
    encoder, x = Constant(Affine2d(), 2), torch.zeros(4, 1, 8, 8)
    expected = Affine2d().map(Affine2d().constrain(torch.full((4, 6), 0.1)))
    torch.testing.assert_close(encoder.pose(x).parts[0].reference, expected.parts[0].reference)
    assert torch.equal(encoder.content_code(x), torch.full((4, 2), 3.0))
    assert encoder.begin(x) == () and not encoder.has_circular_lags


def test_periodic_columns_have_no_half_range() -> None:
    """Columns without a Gaussian prior are 0 in half-ranges, all others are divided."""
    warp = Affine2d(rotation=180)
    encoder = Constant(warp, 1)
    is_periodic = torch.tensor([factor.periodic for factor in warp.factors])
    assert is_periodic.any()
    inverse = torch.tensor([1 / factor.half_range for factor in warp.factors])
    torch.testing.assert_close(encoder.inverse_half_ranges, inverse.masked_fill(is_periodic, 0.0))
