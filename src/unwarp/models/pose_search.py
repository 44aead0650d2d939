"""`PoseSearch`: the choice of a start angle for each sample.

The pose network corrects a first estimate of the pose, the start. From one start it cannot learn to
predict any angle on the full circle. So every sample is encoded at several start angles, rotations
of the first estimate, and one of them is chosen. If the warp has a mirror, it is encoded twice at
each of them, for the template and for its mirror image. No network predicts a mirror.

The start angle with the least squared error is not always a good choice: a decoder may have learned
two templates of one class, half a turn apart, and then samples of one class get two different
poses. So pose clusters, clusters of content codes, are formed after training (`update_clusters`).
Among the start angles that explain a sample about equally well, the one with the code nearest to a
cluster centre is chosen. Clusters may also be updated during training: the model is then trained on
one pose per class, and the decoder unlearns the other template.
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
    cluster_centres,
    distances_of_codes,
    fewest_centres,
    memberships,
    nearest_candidates,
)
from unwarp.warps.affine_map import affine_part
from unwarp.warps.constants import constant

QUARTER_TURNS_RAD = (0.0, math.pi / 2, math.pi, -math.pi / 2)
"""Rotations from the best start angle to the angles of `PoseSearch.candidates`, in radians."""
SAMPLES_PER_CHUNK = 512
"""Number of samples for which candidates are computed at once, to bound the memory."""


@dataclass(frozen=True)
class Candidates:
    """Encodings of N samples at K start angles.

    `PoseSearch.first_pass` and `PoseSearch.candidates` return them. Pass `codes` and `misfit` to
    `nearest_candidates` to choose a start angle for each sample.

    Attributes:
        angles: Start angles in radians (K, N); with mirrors (K, N, 2), see `unwarp.models.starts`.
        codes: Content codes (K, N, D).
        misfit: Squared errors of the reconstructions (K, N), summed over features.

    >>> poses = Candidates(torch.tensor([[0.0], [1.5]]), torch.zeros(2, 1, 3), torch.ones(2, 1))
    >>> poses.angles.gather(0, poses.misfit.argmin(0)[None])
    tensor([[0.]])
    """

    angles: Tensor
    codes: Tensor
    misfit: Tensor

    def best(self) -> Tensor:
        """Start angles with the least squared errors, (N,) or (N, 2)."""
        return self.at(self.misfit.argmin(0))

    def at(self, rows: Tensor) -> Tensor:
        """One start angle of each sample.

        Args:
            rows: Index (N,) of the start angle of each sample, from 0 to K - 1.

        Returns:
            Start angles (N,) or (N, 2).
        """
        return self.angles[rows, torch.arange(len(rows), device=rows.device)]


class SingleStart(nn.Module):
    """Stand-in for `PoseSearch` in a model with one start angle.

    There is nothing to choose. It has the methods of `PoseSearch`, so `Model` can call either
    without a check.

    Attributes:
        n_clusters: 0: there are no pose clusters.
        n_updates: 0: no update of clusters during training.

    >>> SingleStart().choose_angles(torch.zeros(2, 1, 8, 8)) is None
    True
    """

    n_clusters = 0
    n_updates = 0

    def choose_angles(self, x: Tensor) -> None:
        """None, which encoders read as a start without a rotation.

        Args:
            x: Samples (N, *shape).
        """

    def update_clusters(self, x: Tensor) -> None:
        """Do nothing, as there are no clusters.

        Args:
            x: Training samples (N, *shape).
        """

    def memberships(self, content: Tensor) -> Tensor:
        """Memberships (N, 1) in a single cluster: all ones.

        Args:
            content: Content codes (N, D).
        """
        return content.new_ones(len(content), 1)

    def nearest_cluster(self, content: Tensor) -> Tensor:
        """Index (N,) of a single cluster: all zeros.

        Args:
            content: Content codes (N, D).
        """
        return torch.zeros(len(content), dtype=torch.long, device=content.device)


class PoseSearch(nn.Module):
    """The choice of one of K start angles for each sample.

    Every sample is encoded at each of the encoder's K start angles. Without pose clusters the angle
    with the least squared error is chosen. With pose clusters, the angles that explain a sample
    about equally well are candidates, and the candidate with the code nearest to a cluster centre
    is chosen. Samples of one class then share a pose. In training, a choice takes as long as K
    passes of the pose network, of one run per stage each.

    Args:
        networks: The model's networks. They are not registered as submodules of the search.
        canvas: The model's canvas.
        n_clusters: Greatest number M of pose clusters; 0 chooses by the squared error only.
        n_updates: Number of updates of the clusters during training. With 0, training chooses by
            the squared error only.

    Attributes:
        clusters: Cluster centres in the space of the content codes (M, D), some of them equal
            where fewer clusters are enough; NaN before the first update.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Affine2d
    >>> recipe = AE(warp=Affine2d(rotation=180), starts=4, net=Net("mlp", (8,), (8,)))
    >>> search = recipe.build((1, 8, 8)).eval().search
    >>> search.choose_angles(torch.rand(5, 1, 8, 8)).shape  # one angle per image
    torch.Size([5])
    """

    clusters: Tensor

    def __init__(self, networks: Networks, canvas: Canvas, n_clusters: int, n_updates: int) -> None:
        super().__init__()
        self.networks, self.canvas = networks, canvas
        self.n_updates = n_updates if n_clusters else 0
        unknown = torch.full((n_clusters, networks.encoder.n_content), torch.nan)
        self.register_buffer("clusters", unknown)
        # a training on a GPU waits for each look at the clusters, so it looks only after changes
        self._last_look: tuple[Tensor | None, int, bool] = None, 0, False

    @property
    def n_clusters(self) -> int:
        """Number M of pose clusters.

        0 if the start angle with the least squared error is always chosen.
        """
        return len(self.clusters)

    @torch.no_grad()
    def choose_angles(self, x: Tensor) -> Tensor:
        """The chosen start angle of each sample.

        Once the pose clusters are formed, the candidate with the code nearest to a cluster centre
        is chosen: in evaluation mode always, in training mode only if `n_updates` is above 0. In
        all other cases the angle with the least squared error is chosen.

        Args:
            x: Samples (N, *shape).

        Returns:
            Angles (N,) in radians; (N, 2) with mirrors.

        Raises:
            DataError: The samples have another shape.
        """
        x = self.canvas.encoder_input(x)
        if not self._has_clusters() or (self.training and not self.n_updates):
            return self.first_pass(x).best()
        poses = self.first_pass(x) if self.training else self.candidates(x)
        max_ratio = MAX_FIRST_PASS_MISFIT_RATIO if self.training else MAX_MISFIT_RATIO
        rows, _ = nearest_candidates(poses.codes, poses.misfit, self.clusters, max_ratio)
        return poses.at(rows)

    def _has_clusters(self) -> bool:
        """Whether the pose clusters have been formed; False if there are none."""
        if torch.compiler.is_compiling():  # a graph is traced from a trained model
            return self.n_clusters > 0
        if not self.n_clusters:
            return False
        clusters = self.clusters
        if clusters.is_inference():  # such a tensor does not count its changes
            return not bool(clusters.isnan().any())
        tensor, version, _ = self._last_look
        if tensor is not clusters or version != clusters._version:
            self._last_look = clusters, clusters._version, not bool(clusters.isnan().any())
        return self._last_look[2]

    def first_pass(self, x: Tensor) -> Candidates:
        """Cheap estimates of the encodings at all of the encoder's start angles.

        Each invertible stage runs once. The squared error compares the template with the
        canonicalised sample, on the window of the templates. It is multiplied by the area that a
        template pixel covers in the sample: otherwise a pose that shrinks the canonicalised sample
        would have a smaller error for that reason only.

        Args:
            x: Encoder inputs (N, C, ...).

        Returns:
            Encodings at K start angles; with mirrors at 2 K, first those without a mirror.
        """
        encoder = self.networks.encoder
        angles = constant(encoder.angles, x)
        if encoder.has_mirror:
            angles = torch.cat([pair_with(angles, mirror) for mirror in (0.0, 1.0)])
        with self.networks.evaluating():
            starts = angles[:, None].expand(-1, len(x), *angles.shape[1:]).flatten(0, 1)
            posterior = encoder(x, None, starts, single_pass=True)
            templates = self.networks.link(self._decode(posterior.content))
        # the determinant of a map is the area in the sample per unit of area in the template
        areas = torch.linalg.det(affine_part(posterior.map).matrix[..., :2]).abs()
        misfit = (templates - posterior.canonical).square().flatten(1).sum(1) * areas
        size = (len(angles), len(x))
        codes = posterior.content.reshape(*size, -1)
        angles = angles[:, None].expand(*size, *angles.shape[1:])
        return Candidates(angles, codes, misfit.reshape(size))

    def candidates(self, x: Tensor) -> Candidates:
        """Encodings at the best start angle and at quarter turns from it.

        These are four angles, or one if the encoder has one start angle. The best angle is that
        with the least squared error of `first_pass`. With mirrors, the best angle of the template
        and that of its mirror image, and quarter turns from both, are compared. All stages run as
        often as in `Model.encode`, and squared errors are those of the reconstructions on the
        frame.

        Args:
            x: Encoder inputs (N, C, ...).

        Returns:
            Encodings at 4 start angles, the best angle first; with mirrors at 8 or 2.
        """
        angles = self._angles_near_best(self.first_pass(x))
        posterior = self.networks.encoder(x, None, angles.flatten(0, 1))
        rendering = self.canvas.render(self._decode(posterior.content), posterior.map)
        x_hat = self.networks.link(rendering).reshape(len(angles), *x.shape)
        codes = posterior.content.reshape(len(angles), len(x), -1)
        return Candidates(angles, codes, (x_hat - x).square().flatten(2).sum(2))

    def _angles_near_best(self, rough: Candidates) -> Tensor:
        """The best start angle of each sample and its quarter turns, (4, N) or (8, N, 2).

        With mirrors the first half has that of the best start. With a single start angle there are
        no quarter turns.
        """
        has_circle = len(self.networks.encoder.angles) > 1
        turns = rough.misfit.new_tensor(QUARTER_TURNS_RAD if has_circle else (0.0,))[:, None]
        best = rough.best()
        if not self.networks.encoder.has_mirror:
            return best + turns
        is_other = rough.angles[..., 1] != best[:, 1]
        other = rough.at(rough.misfit.masked_fill(~is_other, torch.inf).argmin(0))
        pairs = [pair_with(start[:, 0] + turns, start[:, 1]) for start in (best, other)]
        return torch.cat(pairs)

    def _decode(self, content: Tensor) -> Tensor:
        """Templates of content codes (N, D), before the link."""
        return torch.as_tensor(self.networks.decoder(content))

    @torch.no_grad()
    def update_clusters(self, x: Tensor) -> None:
        """Form the pose clusters from training samples.

        After training only as many clusters are formed as describe the codes well (see
        `fewest_centres`); further rows of `clusters` repeat their centres. In training, when codes
        still change, all are formed, unless there is a mirror. With `n_clusters` 0 it does nothing.

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
        is_early = self.training and not self.networks.encoder.has_mirror
        find = cluster_centres if is_early else fewest_centres
        centres = find(codes, misfit, min(self.n_clusters, len(x)))
        self.clusters[:] = centres[torch.arange(self.n_clusters) % len(centres)]

    def memberships(self, content: Tensor) -> Tensor:
        """Soft memberships of content codes in the pose clusters.

        Args:
            content: Content codes (N, D).

        Returns:
            Memberships (N, M) in [0, 1]; each row sums to 1.
        """
        return memberships(content, self.clusters)

    def nearest_cluster(self, content: Tensor) -> Tensor:
        """Index (N,) of the cluster centre nearest to each content code.

        Args:
            content: Content codes (N, D).
        """
        return distances_of_codes(content, self.clusters).argmin(1)


def pair_with(angles: Tensor, mirrors: Tensor | float) -> Tensor:
    """Start angles with their mirrors, as pairs.

    Args:
        angles: Angles in radians (..., N).
        mirrors: 1 for mirrored templates, else 0, (N,) or one for all.

    Returns:
        Pairs (..., N, 2) of angle and mirror.

    >>> pair_with(torch.tensor([0.0, 1.5]), 1.0).tolist()
    [[0.0, 1.0], [1.5, 1.0]]
    """
    return torch.stack([angles, torch.zeros_like(angles) + mirrors], -1)


def build_pose_search(
    networks: Networks,
    canvas: Canvas,
    n_clusters: int,
    n_updates: int,
) -> PoseSearch | SingleStart:
    """A search over the encoder's starts; `SingleStart` for a single one.

    Args:
        networks: The model's networks; the encoder has the start angles.
        canvas: The model's canvas.
        n_clusters: Number of pose clusters; 0 for none.
        n_updates: Number of updates of the clusters during training.
    """
    if len(networks.encoder.angles) < 2 and not networks.encoder.has_mirror:
        return SingleStart()
    return PoseSearch(networks, canvas, n_clusters, n_updates)
