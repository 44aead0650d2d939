"""`PoseSearch`: the angle at which each pose begins, of several; clusters of poses that agree.

The angle that explains a sample best is no property of its class where a decoder draws two poses
of the class. So clusters of orbits are formed after training (`update_clusters`), and the candidate
nearest to a cluster is taken. A run may form clusters while the model learns, too: it then learns
from one pose of a class, and the decoder forgets the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unwarp.models.canvas import Canvas
from unwarp.models.networks import Networks
from unwarp.models.poses import (
    FIRST_PASS_TOLERANCE,
    TOLERANCE,
    memberships,
    nearest_candidates,
    orbit_centres,
)
from unwarp.warps.affine_map import affine_part

QUARTERS = (0.0, math.pi / 2, math.pi, -math.pi / 2)
"""Turns in radians that may lead from one pose that explains a sample to another."""
CHUNK = 512
"""Samples whose candidates are computed at once."""


@dataclass(frozen=True)
class Candidates:
    """Poses of N samples from K starts.

    Attributes:
        angles: Angles in radians at which the poses begin (K, N).
        codes: Content (K, N, D).
        misfit: Squared errors (K, N).
    """

    angles: Tensor
    codes: Tensor
    misfit: Tensor


class SingleStart(nn.Module):
    """The search of a model whose poses all begin at one angle: nothing to choose.

    Attributes:
        n_clusters: 0, as there are no clusters of poses.
        updates: 0, as there is nothing to update.
    """

    n_clusters = 0
    updates = 0

    def choose(self, x: Tensor) -> None:
        """None: no angles, for samples `x` (N, *shape)."""

    def update_clusters(self, x: Tensor) -> None:
        """Nothing, for training samples `x` (N, *shape)."""

    def memberships(self, content: Tensor) -> Tensor:
        """Shares (N, 1) of the one cluster that there is in content (N, D)."""
        return content.new_ones(len(content), 1)

    def nearest_cluster(self, content: Tensor) -> Tensor:
        """0 for each row of content (N, D), as (N,)."""
        return torch.zeros(len(content), dtype=torch.long, device=content.device)


class PoseSearch(nn.Module):
    """The choice of the angle at which each pose begins, and the clusters of poses that agree.

    Args:
        networks: The model's networks; they stay the model's own.
        canvas: The model's canvas.
        n_clusters: Number of clusters M; 0 lets each sample have the pose that explains it best.
        updates: Number of updates of the clusters while the model learns, which then follows them.

    Attributes:
        clusters: Content at the centre of each cluster (M, D); NaN before the first update.
    """

    clusters: Tensor

    def __init__(self, networks: Networks, canvas: Canvas, n_clusters: int, updates: int) -> None:
        super().__init__()
        self.networks, self.canvas = networks, canvas
        self.updates = updates if n_clusters else 0
        empty = torch.full((n_clusters, networks.encoder.n_content), torch.nan)
        self.register_buffer("clusters", empty)

    @property
    def n_clusters(self) -> int:
        """Number of clusters M."""
        return len(self.clusters)

    @torch.no_grad()
    def choose(self, x: Tensor) -> Tensor:
        """The angles (N,) in radians at which the poses of samples `x` (N, *shape) begin.

        With clusters, in use and where the run updates them, the candidate nearest to one of them;
        else the angle that explains the sample best.

        Raises:
            DataError: Samples of another shape.
        """
        x = self.canvas.encoder_input(x)
        if not self._has_clusters() or (self.training and not self.updates):
            poses = self.first_pass(x)
            rows = poses.misfit.argmin(0)
        else:
            poses = self.first_pass(x) if self.training else self.candidates(x)
            tolerance = FIRST_PASS_TOLERANCE if self.training else TOLERANCE
            rows, _ = nearest_candidates(poses.codes, poses.misfit, self.clusters, tolerance)
        return poses.angles.gather(0, rows[None])[0]

    def _has_clusters(self) -> bool:
        return self.n_clusters > 0 and not bool(self.clusters.isnan().any())

    def first_pass(self, x: Tensor) -> Candidates:
        """Poses of samples `x` (N, *shape) from each of the K angles, after one brief pass.

        Squared errors are taken on the template's window, where they are cheapest, and count by the
        area that a template pixel covers: else a start could win by shrinking the sample.
        """
        encoder = self.networks.encoder
        angles = x.new_tensor(encoder.angles)
        with self.networks.evaluating():
            posterior = encoder(x, None, angles.repeat_interleave(len(x)), brief=True)
            templates = self.networks.link(self._decode(posterior.content))
        areas = torch.linalg.det(affine_part(posterior.map).matrix[..., :2]).abs()
        misfit = (templates - posterior.canonical).square().flatten(1).sum(1) * areas
        size = (len(angles), len(x))
        codes = posterior.content.reshape(*size, -1)
        return Candidates(angles[:, None].expand(size), codes, misfit.reshape(size))

    def candidates(self, x: Tensor) -> Candidates:
        """Poses of samples `x` (N, *shape) from the best angle and quarters of a turn from it.

        K is 4; squared errors are of the reconstruction.
        """
        first = self.first_pass(x)
        best = first.angles.gather(0, first.misfit.argmin(0)[None])
        angles = best + x.new_tensor(QUARTERS)[:, None]
        posterior = self.networks.encoder(x, None, angles.flatten())
        drawn = self.canvas.draw(self._decode(posterior.content), posterior.map)
        x_hat = self.networks.link(drawn).reshape(len(QUARTERS), *x.shape)
        codes = posterior.content.reshape(len(QUARTERS), len(x), -1)
        return Candidates(angles, codes, (x_hat - x).square().flatten(2).sum(2))

    def _decode(self, content: Tensor) -> Tensor:
        return torch.as_tensor(self.networks.decoder(content))

    @torch.no_grad()
    def update_clusters(self, x: Tensor) -> None:
        """Form the clusters, where there are any, from training samples `x` (N, *shape)."""
        if not self.n_clusters:
            return
        with self.networks.evaluating():
            chunks = torch.split(self.canvas.encoder_input(x), CHUNK)
            poses = [self.candidates(chunk) for chunk in chunks]
        codes = torch.cat([part.codes for part in poses], 1)
        misfit = torch.cat([part.misfit for part in poses], 1)
        n = min(self.n_clusters, len(x))
        centres = orbit_centres(codes, misfit, n)
        self.clusters[:] = centres[torch.arange(self.n_clusters) % n]

    def memberships(self, content: Tensor) -> Tensor:
        """Shares (N, M) of the clusters in content (N, D)."""
        return memberships(content, self.clusters)

    def nearest_cluster(self, content: Tensor) -> Tensor:
        """The cluster (N,) nearest to each row of content (N, D)."""
        return torch.cdist(content, self.clusters).argmin(1)


def search_for(
    networks: Networks,
    canvas: Canvas,
    n_clusters: int,
    updates: int,
) -> PoseSearch | SingleStart:
    """The search for a model's poses: over angles where they begin at several.

    Args:
        networks: The model's networks.
        canvas: The model's canvas.
        n_clusters: Number of clusters of poses.
        updates: Number of updates of the clusters while the model learns.
    """
    if len(networks.encoder.angles) < 2:
        return SingleStart()
    return PoseSearch(networks, canvas, n_clusters, updates)
