"""The base of encoders of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from unwarp.models.hooks import begin_unchanged
from unwarp.models.posterior import Posterior, has_gaussian_prior
from unwarp.warps import Map, Warp

EncoderKind = Literal["staged", "one-stage"]
"""Kind of encoder: `unwarp.models.staged` or, for comparison, `unwarp.models.one_stage`."""


class Encoder(nn.Module):
    """Base of encoders: a module from samples to a `Posterior`.

    A subclass defines `forward(x, generator, angles, single_pass)`, as documented in
    `staged.Staged.forward`.

    Args:
        warp: The family of deformations, bound to a frame.
        n_content: Size D of the content code.

    Attributes:
        angles: Start angles in radians among which `PoseSearch` chooses; one angle if there is no
            choice.
        has_mirror: Whether `PoseSearch` also chooses between the template and its mirror image.
        inverse_half_ranges: 1 / half-range of each column of theta (P,), where the half-range of a
            factor is half of the width between its bounds; 0 for columns without a Gaussian prior.

    >>> from unwarp.warps import Affine2d
    >>> Encoder(Affine2d(), 3).angles
    (0.0,)
    """

    angles: tuple[float, ...] = (0.0,)
    has_mirror: bool = False
    inverse_half_ranges: Tensor

    def __init__(self, warp: Warp, n_content: int) -> None:
        super().__init__()
        self.warp, self.n_content = warp, n_content
        half_ranges = torch.tensor([f.half_range for f in warp.factors])
        is_gaussian = torch.tensor([has_gaussian_prior(f) for f in warp.factors], dtype=torch.bool)
        inverse = torch.where(is_gaussian, 1 / half_ranges.clamp_min(1e-12), 0.0)
        self.register_buffer("inverse_half_ranges", inverse, persistent=False)

    def pose(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """The posterior mean deformations of samples, `forward(x, None, angles).map`.

        Args:
            x: Samples (N, C, ...).
            angles: Start angles (N,) in radians, or with mirrors (N, 2); None for no rotation.

        Returns:
            N maps before centring.
        """
        posterior: Posterior = self(x, None, angles)
        return posterior.map

    def content_code(self, x: Tensor, angles: Tensor | None = None) -> Tensor:
        """Content codes of samples, `forward(x, None, angles).content`.

        Args:
            x: Samples (N, C, ...).
            angles: Start angles (N,) in radians, or with mirrors (N, 2); None for no rotation.

        Returns:
            Content codes (N, D).
        """
        posterior: Posterior = self(x, None, angles)
        return posterior.content

    @property
    def begin(self) -> Callable[[Tensor], tuple[str, ...]]:
        """The hook that fits the start; by default it does nothing."""
        return begin_unchanged

    @property
    def has_circular_lags(self) -> bool:
        """Whether the deformations are lags on a circle, which have no mean."""
        return False

    def _theta_in_half_ranges(self, map: Map) -> Tensor:
        """Theta (N, P) of a map in half-ranges; 0 in columns without a Gaussian prior."""
        return self.warp.theta(map).to(self.inverse_half_ranges.device) * self.inverse_half_ranges
