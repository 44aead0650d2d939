"""`PoseSearch`: the choice among several angles at which a pose may begin.

A pose network with one start cannot predict an angle on the full circle, so poses begin at several
angles and one of them is chosen. The angle that explains a sample best is not a property of its
class if the decoder draws two poses of the class. So clusters of poses are formed after training
(`update_clusters`), and the start with the code nearest to a cluster is chosen. A run may form the
clusters while the model learns, too: the model then learns from one pose of a class, and the
decoder forgets the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unwarp.models.canvas import Canvas
from unwarp.models.networks import Networks
from unwarp.models.poses import (
    MAX_FIRST_PASS_MISFIT_RATIO,
    MAX_MISFIT_RATIO,
    memberships,
    nearest_candidates,
    orbit_centres,
)
from unwarp.warps.affine_map import affine_part

QUARTER_TURNS_RAD = (0.0, math.pi / 2, math.pi, -math.pi / 2)
"""Rotations that may lead from one pose that explains a sample to another."""
SAMPLES_PER_CHUNK = 512
"""Samples for which candidates are computed at once, to bound the memory."""


@dataclass(frozen=True)
class Candidates:
    """Poses of N samples from each of K starts.

    `PoseSearch.first_pass` and `PoseSearch.candidates` return them. Pass codes and misfit to
    `nearest_candidates` to choose a start for each sample.

    Attributes:
        angles: Angles in radians at which the poses begin (K, N).
        codes: Content codes (K, N, D).
        misfit: Squared errors of the reconstructions, summed over features (K, N).

    >>> poses = Candidates(torch.tensor([[0.0], [1.5]]), torch.zeros(2, 1, 3), torch.ones(2, 1))
    >>> poses.angles.gather(0, poses.misfit.argmin(0)[None])
    tensor([[0.]])
    """

    angles: Tensor
    codes: Tensor
    misfit: Tensor


class SingleStart(nn.Module):
    """The search of a model with a single angle: no choice.

    It has the methods of `PoseSearch`, so that a model need not ask which of the two it has.

    Attributes:
        n_clusters: 0, as there are no clusters of poses.
        n_updates: 0, as there is nothing to update.

    >>> SingleStart().choose_angles(torch.zeros(2, 1, 8, 8)) is None
    True
    """

    n_clusters = 0
    n_updates = 0

    def choose_angles(self, x: Tensor) -> None:
        """None, which encoders take as no rotation.

        Args:
            x: Samples (N, *shape).
        """

    def update_clusters(self, x: Tensor) -> None:
        """Do nothing, as there are no clusters.

        Args:
            x: Training samples (N, *shape).
        """

    def memberships(self, content: Tensor) -> Tensor:
        """Shares (N, 1) of the only cluster: all ones.

        Args:
            content: Content codes (N, D).
        """
        return content.new_ones(len(content), 1)

    def nearest_cluster(self, content: Tensor) -> Tensor:
        """Index (N,) of the only cluster: all zeros.

        Args:
            content: Content codes (N, D).
        """
        return torch.zeros(len(content), dtype=torch.long, device=content.device)


class PoseSearch(nn.Module):
    """The choice among several angles at which a pose may begin.

    Every sample is encoded from each of K angles. Without clusters the angle with the least squared
    error is chosen. With clusters, several poses that explain a sample about equally well are
    candidates, and the one with the code nearest to a cluster is chosen: samples of one class then
    share a pose. A choice costs about K single passes of the pose network.

    Args:
        networks: The model's networks; they stay submodules of the model alone.
        canvas: The model's canvas.
        n_clusters: Number M of clusters; 0 to choose by the squared error alone.
        n_updates: Number of updates of the clusters during training, which then follows them.

    Attributes:
        clusters: Content at the centre of each cluster (M, D); NaN before the first update.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Affine2d
    >>> recipe = AE(warp=Affine2d(rotation=180), starts=4, net=Net("mlp", (8,), (8,)))
    >>> search = recipe.build((1, 8, 8)).eval().search
    >>> search.choose_angles(torch.rand(5, 1, 8, 8)).shape  # an angle for each of five pictures
    torch.Size([5])
    """

    clusters: Tensor

    def __init__(self, networks: Networks, canvas: Canvas, n_clusters: int, n_updates: int) -> None:
        super().__init__()
        self.networks, self.canvas = networks, canvas
        self.n_updates = n_updates if n_clusters else 0
        unknown = torch.full((n_clusters, networks.encoder.n_content), torch.nan)
        self.register_buffer("clusters", unknown)

    @property
    def n_clusters(self) -> int:
        """Number M of clusters of poses.

        0 if each sample takes the angle with the least squared error.
        """
        return len(self.clusters)

    @torch.no_grad()
    def choose_angles(self, x: Tensor) -> Tensor:
        """Angles at which the poses of samples begin.

        In evaluation mode, once the clusters are formed, it is the candidate nearest to one of
        them. In training this holds only if the run updates the clusters; otherwise the angle with
        the least squared error is chosen.

        Args:
            x: Samples (N, *shape).

        Returns:
            Angles (N,) in radians.

        Raises:
            DataError: The samples have another shape.
        """
        x = self.canvas.encoder_input(x)
        if not self._has_clusters() or (self.training and not self.n_updates):
            poses = self.first_pass(x)
            rows = poses.misfit.argmin(0)
        else:
            poses = self.first_pass(x) if self.training else self.candidates(x)
            max_ratio = MAX_FIRST_PASS_MISFIT_RATIO if self.training else MAX_MISFIT_RATIO
            rows, _ = nearest_candidates(poses.codes, poses.misfit, self.clusters, max_ratio)
        return poses.angles.gather(0, rows[None])[0]

    def _has_clusters(self) -> bool:
        """Whether there are clusters, and they were formed."""
        return self.n_clusters > 0 and not bool(self.clusters.isnan().any())

    def first_pass(self, x: Tensor) -> Candidates:
        """Poses from each of the encoder's angles, estimated cheaply.

        Each stage runs once. The squared error is taken on the window of the templates. It is
        multiplied by the area that a template pixel covers in the sample: otherwise a start could
        win by shrinking the sample.

        Args:
            x: Encoder inputs (N, C, ...).

        Returns:
            Candidates from K angles.
        """
        encoder = self.networks.encoder
        angles = x.new_tensor(encoder.angles)
        with self.networks.evaluating():
            posterior = encoder(x, None, angles.repeat_interleave(len(x)), single_pass=True)
            templates = self.networks.link(self._decode(posterior.content))
        areas = torch.linalg.det(affine_part(posterior.map).matrix[..., :2]).abs()
        misfit = (templates - posterior.canonical).square().flatten(1).sum(1) * areas
        size = (len(angles), len(x))
        codes = posterior.content.reshape(*size, -1)
        return Candidates(angles[:, None].expand(size), codes, misfit.reshape(size))

    def candidates(self, x: Tensor) -> Candidates:
        """Poses from the best angle and the other quarters of the circle.

        All passes of the stages run, and squared errors are those of the full reconstruction.

        Args:
            x: Encoder inputs (N, C, ...).

        Returns:
            Candidates from 4 angles, the best of `first_pass` first.
        """
        rough = self.first_pass(x)
        best = rough.angles.gather(0, rough.misfit.argmin(0)[None])
        angles = best + x.new_tensor(QUARTER_TURNS_RAD)[:, None]
        posterior = self.networks.encoder(x, None, angles.flatten())
        rendering = self.canvas.render(self._decode(posterior.content), posterior.map)
        x_hat = self.networks.link(rendering).reshape(len(angles), *x.shape)
        codes = posterior.content.reshape(len(angles), len(x), -1)
        return Candidates(angles, codes, (x_hat - x).square().flatten(2).sum(2))

    def _decode(self, content: Tensor) -> Tensor:
        """Templates of content (N, D), before the link."""
        return torch.as_tensor(self.networks.decoder(content))

    @torch.no_grad()
    def update_clusters(self, x: Tensor) -> None:
        """Form the clusters of poses from training samples.

        Clusters beyond the number of samples repeat others. Without clusters it does nothing.

        Args:
            x: Training samples (N, *shape).
        """
        if not self.n_clusters:
            return
        with self.networks.evaluating():
            chunks = torch.split(self.canvas.encoder_input(x), SAMPLES_PER_CHUNK)
            poses = [self.candidates(chunk) for chunk in chunks]
        codes = torch.cat([part.codes for part in poses], 1)
        misfit = torch.cat([part.misfit for part in poses], 1)
        n = min(self.n_clusters, len(x))
        centres = orbit_centres(codes, misfit, n)
        self.clusters[:] = centres[torch.arange(self.n_clusters) % n]

    def memberships(self, content: Tensor) -> Tensor:
        """Soft shares of the clusters in content codes.

        Args:
            content: Content codes (N, D).

        Returns:
            Shares (N, M); rows sum to 1.
        """
        return memberships(content, self.clusters)

    def nearest_cluster(self, content: Tensor) -> Tensor:
        """Index (N,) of the cluster nearest to each content code.

        Args:
            content: Content codes (N, D).
        """
        return torch.cdist(content, self.clusters).argmin(1)


def build_pose_search(
    networks: Networks,
    canvas: Canvas,
    n_clusters: int,
    n_updates: int,
) -> PoseSearch | SingleStart:
    """The search over a model's angles; `SingleStart` for one angle.

    Args:
        networks: The model's networks.
        canvas: The model's canvas.
        n_clusters: Number of clusters of poses.
        n_updates: Number of updates of the clusters during training.
    """
    if len(networks.encoder.angles) < 2:
        return SingleStart()
    return PoseSearch(networks, canvas, n_clusters, n_updates)
