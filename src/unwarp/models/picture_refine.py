"""Refinement of aligned pictures: affine maps onto mean pictures, by Gauss-Newton steps.

A network predicts poses to within a tenth of a pixel or so. A refinement compares each picture with
the mean of the aligned pictures of its kind, and moves it within the family of the warp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from unwarp.models.poses import cluster_centres
from unwarp.models.refinement import Refinement
from unwarp.models.registration import (
    SMALLEST_VARIANCE,
    affine_pose,
    blurred,
    generators,
    is_in_frame,
    moving_part,
    registration,
    sample,
    similarity,
    widened,
)
from unwarp.models.shared_frames import shared_frames
from unwarp.warps import AffineMap, Map, Padding, Warp, deform

ROUNDS, STEPS = 3, 3
"""Number of times that pictures are aligned and averaged, and of steps in each round."""

STEPS_OF_NEW = 9
"""Number of steps for a picture whose reference does not change."""

COARSE_BLUR = 1.5
"""Width in pixels of the Gaussian that blurs noisy pictures for their first steps."""

MAX_PICTURES = 2000
"""Greatest number of pictures that references are the means of."""

MIN_SUPPORT = 0.1
"""Least share of the pictures of a kind that cover a pixel of their mean."""

PICTURES_PER_CHUNK = 256
"""Number of pictures that are registered at once."""


@dataclass(frozen=True, eq=False)
class GaussNewton(Refinement):
    """Affine maps of aligned pictures onto the mean picture of their kind.

    It has no weights that are trained. The kind of a picture is the mean that it resembles most.
    Gain and offset of the light do not matter; pixels beyond the frame have no weight.

    Attributes:
        references: Mean aligned pictures (K, C, H, W), each of mean 0 and variance 1.
        support: Shares of the pictures of a kind that cover each pixel (K, 1, H, W).
        basis: Directions (P, 2, 3) of the family of maps.
        frames: Matrices (K, 2, 3) from the template to each reference: references of one thing,
            such as of small pictures and of large ones, share a template.
        blur: Width in pixels of the Gaussian that blurred the references, against noise.
        why: Reason for the refinement, in words; empty in models of earlier versions.

    >>> from unwarp.warps import Rigid2d, translation
    >>> steps = torch.arange(16.0)
    >>> spot = torch.exp(-((steps - 7) ** 2 + (steps[:, None] - 8) ** 2) / 9)[None, None]
    >>> late = translation(torch.tensor([[-0.1, 0.05], [0.1, -0.05]]))
    >>> x = late(spot.expand(2, -1, -1, -1))
    >>> still = translation(torch.zeros(2, 2))
    >>> refinement = GaussNewton.fit(x, still, Rigid2d(rotation=0), n_kinds=1)
    >>> refinement.refine(x, still).push(torch.zeros(1, 2)).mul(20).round().tolist()
    [[[-2.0, 1.0]], [[2.0, -1.0]]]
    """

    name: ClassVar[str] = "gauss-newton"
    keeps_family: ClassVar[bool] = True
    references: Tensor
    support: Tensor
    basis: Tensor
    frames: Tensor
    blur: float = 0.0
    why: str = ""

    @classmethod
    @torch.no_grad()
    def fit(
        cls,
        x: Tensor,
        map: Map,
        warp: Warp,
        *,
        n_kinds: int = 1,
        blur: float = 0.0,
        rounds: int = ROUNDS,
        seed: int = 0,
    ) -> GaussNewton:
        """The refinement of a collection of pictures.

        The mean movement of the pictures of a kind is none, so that templates stay where they are.

        Args:
            x: Training pictures (N, C, H, W); up to 2,000 are used.
            map: Their N learned deformations.
            warp: The family of the deformations.
            n_kinds: Number K of references.
            blur: Standard deviation of the Gaussian in pixels.
            rounds: Number of times that the pictures are refined; 0 for the means alone.
            seed: Seed of the kinds.
        """
        x, learned = x[:MAX_PICTURES], affine_pose(map[:MAX_PICTURES])
        basis, pose = generators(warp).to(x), learned
        kinds = _kinds(sample(x, pose), n_kinds, seed)
        identity = torch.eye(2, 3).to(x).repeat(int(kinds.max()) + 1, 1, 1)
        for _ in range(rounds):
            refinement = cls(*means(x, pose, kinds, blur), basis, identity, blur)
            moves = refinement.moves(x, pose, kinds, STEPS)
            pose = _centred(affine_pose(moves.compose(pose)), learned, kinds, warp)
        refinement = cls(*means(x, pose, kinds, blur), basis, identity, blur)
        frames, things = shared_frames(
            refinement.references, refinement.weights, basis, torch.bincount(kinds)
        )
        common = affine_pose(pose.compose(AffineMap(frames[kinds])))
        centred = _centred(common, learned, things[kinds], warp)
        # all pictures of a kind have the same change of frame: that of its first
        first = torch.stack([(kinds == kind).nonzero()[0, 0] for kind in range(len(identity))])
        frames = affine_pose(pose[first].invert().compose(centred[first])).matrix
        return replace(refinement, frames=frames if rounds else identity)

    @classmethod
    def of(
        cls, record: Mapping[str, Any], tensors: Mapping[str, Tensor], shape: Sequence[int]
    ) -> GaussNewton:
        """The refinement that `record` and `tensors` describe.

        Args:
            record: Numbers by name.
            tensors: Tensors by name.
            shape: Shape (C, H, W) of a picture.

        Raises:
            ValueError: They do not fit the pictures; the message names the value.
        """
        refinement = cls(**tensors, blur=record["blur"], why=str(record.get("why", "")))
        n_kinds, sizes = len(refinement.references), tuple(shape[1:])
        sizes_by_name = {
            "references": (n_kinds, *shape),
            "support": (n_kinds, 1, *sizes),
            "basis": (len(refinement.basis), 2, 3),
            "frames": (n_kinds, 2, 3),
        }
        for name, size in sizes_by_name.items():
            value = tensors[name]
            if value.shape != size or 0 in size or not value.isfinite().all():
                raise ValueError(f"refinement_{name} of shape {tuple(value.shape)} is not {size}")
        if not 0 <= refinement.blur <= max(sizes):
            raise ValueError(f"refinement.blur={refinement.blur} is no width in pixels")
        return refinement

    def record(self) -> dict[str, Any]:
        """The numbers and the reason of the refinement, for JSON."""
        return {"kind": self.name, "blur": self.blur, "why": self.why}

    @property
    def movement(self) -> str:
        """How pictures were moved, as a sentence for people."""
        n = len(self.references)
        means = (
            "the mean picture" if n == 1 else f"the one of {n} mean pictures that it is most like"
        )
        return f"Each picture was moved onto {means}, within the family of the warp."

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the refinement by name."""
        names = ("references", "support", "basis", "frames")
        return {name: getattr(self, name) for name in names}

    def refine(self, x: Tensor, map: Map, padding: Padding = "zeros") -> Map:
        """Deformations of pictures, moved onto the reference of each.

        The map of a picture does not depend on the others.

        Args:
            x: Pictures (N, C, H, W).
            map: Their N learned deformations.
            padding: Values beyond pictures; not used, since they have no weight.

        Returns:
            N deformations; a picture that resembles its reference no more than before stays.
        """
        # in double precision a picture alone gets the very pose that it gets among others
        wide, learned = widened(x), AffineMap(widened(affine_pose(map).matrix))
        pose, kinds = self.onto_references(wide, learned)
        pose = affine_pose(pose.compose(AffineMap(self.frames.to(wide)[kinds])))
        change = affine_pose(pose.compose(learned.invert()))
        return AffineMap(change.matrix.to(x)).compose(map)

    def onto_references(self, x: Tensor, pose: AffineMap) -> tuple[AffineMap, Tensor]:
        """Poses by which pictures resemble their references, in the frames of these.

        Args:
            x: Pictures (N, C, H, W).
            pose: The affine parts of their deformations.

        Returns:
            N poses, and the number of the reference of each picture (N,).
        """
        kinds = self.kinds(x, pose)
        if self.blur:  # noise makes many small peaks of the correlation: pass over them first
            coarse = self.moves(x, pose, kinds, STEPS_OF_NEW, COARSE_BLUR)
            pose = affine_pose(coarse.compose(pose))
        moves = self.moves(x, pose, kinds, STEPS_OF_NEW)
        return affine_pose(moves.compose(pose)), kinds

    @torch.no_grad()
    def kinds(self, x: Tensor, pose: AffineMap) -> Tensor:
        """Number (N,) of the reference that each picture resembles most.

        Args:
            x: Pictures (N, C, H, W).
            pose: The affine parts of their deformations.
        """
        return self.likeness(x, pose).argmax(0)

    @torch.no_grad()
    def likeness(self, x: Tensor, pose: AffineMap) -> Tensor:
        """Correlations (K, N) of aligned pictures with each reference.

        Args:
            x: Pictures (N, C, H, W).
            pose: The affine parts of their deformations.
        """
        aligned, inside = sample(x, pose), is_in_frame(x, pose)
        pairs = zip(self.references.to(x), self.weights.to(x), strict=True)
        return torch.stack(
            [similarity(aligned, r.expand_as(x), inside * weight) for r, weight in pairs]
        )

    @property
    def weights(self) -> Tensor:
        """Weights (K, 1, H, W): 1 where enough pictures cover pixels."""
        return (self.support >= MIN_SUPPORT).to(self.support)

    @torch.no_grad()
    def moves(
        self, x: Tensor, pose: AffineMap, kinds: Tensor, n_steps: int, blur: float = 0.0
    ) -> AffineMap:
        """Movements of observed pictures onto their references.

        Args:
            x: Pictures (N, C, H, W).
            pose: The affine parts of their deformations.
            kinds: Number of the reference of each (N,).
            n_steps: Number of Gauss-Newton steps.
            blur: Width in pixels of a Gaussian that blurs pictures and references alike.

        Returns:
            N maps, which act after the deformations.
        """
        parts = []
        for rows in torch.split(torch.arange(len(x), device=x.device), PICTURES_PER_CHUNK):
            undone = pose[rows].invert()
            target = sample(self.references.to(x)[kinds[rows]], undone)
            weight = sample_weight(self.weights.to(x)[kinds[rows]], undone)
            moving, target = (blurred(part, blur) for part in (x[rows], target))
            map, _ = registration(moving, target, weight, self.basis.to(x), n_steps)
            parts.append(map.matrix)
        return AffineMap(torch.cat(parts))


def sample_weight(weight: Tensor, map: AffineMap) -> Tensor:
    """Weights at the places where maps send the pixels.

    Args:
        weight: Weights of pictures (N, 1, H, W).
        map: N maps from the pixels of the result.

    Returns:
        Weights (N, 1, H, W); 0 beyond the frame.
    """
    return deform(weight, map.invert()) * is_in_frame(weight, map)


def means(x: Tensor, pose: AffineMap, kinds: Tensor, blur: float = 0.0) -> tuple[Tensor, Tensor]:
    """Mean aligned pictures of each kind, and their coverage.

    Args:
        x: Pictures (N, C, H, W).
        pose: The affine parts of their deformations.
        kinds: Kind of each picture (N,), from 0.
        blur: Standard deviation in pixels of the Gaussian that blurs the means.

    Returns:
        Means (K, C, H, W), each of mean 0 and variance 1, and shares (K, 1, H, W).
    """
    aligned, inside = standardised(sample(x, pose)), is_in_frame(x, pose)
    member = torch.nn.functional.one_hot(kinds).to(x).T
    covered = (member @ inside.flatten(1)).reshape(-1, *inside.shape[1:])
    sums = (member @ (inside * aligned).flatten(1)).reshape(-1, *x.shape[1:])
    share = covered / member.sum(1)[:, None, None, None]
    return standardised(blurred(sums / covered.clamp_min(1.0), blur)), share


def standardised(x: Tensor) -> Tensor:
    """Pictures of mean 0 and variance 1; constant ones are 0.

    Args:
        x: Pictures (N, C, H, W).
    """
    centred = x - x.mean((1, 2, 3), keepdim=True)
    variance = centred.square().mean((1, 2, 3), keepdim=True)
    return centred / variance.clamp_min(SMALLEST_VARIANCE).sqrt()


def _kinds(aligned: Tensor, n: int, seed: int) -> Tensor:
    """Kinds (N,) of aligned pictures by k-means, numbered without gaps."""
    if n == 1:
        return torch.zeros(len(aligned), dtype=torch.long, device=aligned.device)
    flat = standardised(aligned).flatten(1)
    centres = cluster_centres(flat[None], flat.new_zeros(1, len(flat)), n, seed, restarts=3)
    nearest = torch.cdist(flat, centres).argmin(1)
    numbers: Tensor = torch.unique(nearest, return_inverse=True)[1]
    return numbers


def _centred(pose: AffineMap, learned: AffineMap, kinds: Tensor, warp: Warp) -> AffineMap:
    """Poses whose mean movement from the learned ones is none in each kind."""
    family = moving_part(warp)
    assert family is not None, "only affine families are refined"
    change, matrix = learned.invert().compose(pose), pose.matrix.clone()
    for kind in range(int(kinds.max()) + 1):
        rows = (kinds == kind).nonzero()[:, 0]
        # the changes are small, so that the mean matrix is nearly of the family
        mean_change = AffineMap(affine_pose(change[rows]).matrix.mean(0, keepdim=True))
        mean = affine_pose(family.map(family.theta(mean_change)))
        matrix[rows] = affine_pose(pose[rows].compose(mean.invert())).matrix
    return AffineMap(matrix)
