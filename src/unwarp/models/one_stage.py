"""The encoder with one network for content and deformation, for comparison."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.encoder import Encoder
from unwarp.models.posterior import GaussianHead, Posterior, StagePosterior, sample_or_mean
from unwarp.warps import IdentityMap, Warp


class OneStage(Encoder):
    """The encoder with one network for content code and deformation.

    The network sees the raw sample; nothing is undone first. Rate-invariant autoencoders for series
    were published with this structure (Koneripalli et al. 2020). It serves for comparison with
    `Staged`.

    Args:
        warp: The family of deformations, bound to a frame.
        n_content: Size D of the content code.
        trunk: Network from samples to D + P means and, if it is stochastic, D + P log standard
            deviations.

    >>> from unwarp.models import AE, Net
    >>> recipe = AE(encoder="one-stage", net=Net("mlp", (8,), (8,)))
    >>> isinstance(recipe.build((1, 8, 8)).encoder, OneStage)
    True
    """

    def __init__(self, warp: Warp, n_content: int, trunk: GaussianHead) -> None:
        super().__init__(warp, n_content)
        self.trunk = trunk

    def forward(
        self,
        x: Tensor,
        generator: torch.Generator | None = None,
        angles: Tensor | None = None,
        single_pass: bool = False,
    ) -> Posterior:
        """The posterior of samples over content and deformation, before centring.

        Args:
            x: Samples (N, C, ...).
            generator: Source of random numbers, to sample from the posterior; None for the
                posterior mean.
            angles: Ignored, since this encoder has no start.
            single_pass: Ignored, since the network always runs once.

        Returns:
            A posterior of N rows.
        """
        mean, log_sd = self.trunk(x)
        sample = sample_or_mean(mean, log_sd, generator)
        sizes = [self.n_content, len(self.warp.factors)]
        (content_mean, raw_mean), (content, raw) = (
            torch.split(y, sizes, -1) for y in (mean, sample)
        )
        content_log_sd, raw_log_sd = (
            (None, None) if log_sd is None else torch.split(log_sd, sizes, -1)
        )
        # the same tensor, so that the stage computes its map once
        raw = raw_mean if sample is mean else raw
        stage = StagePosterior(self.warp, raw_mean, raw_log_sd, raw)
        theta, identity = self._theta_in_half_ranges(stage.mean_map), IdentityMap(len(x))
        map = stage.sampled_map
        return Posterior(content, map, theta, content_mean, content_log_sd, identity, stage)
