"""Whether, and how, the poses of pictures are refined after training.

A refinement moves each picture onto the mean aligned picture of its kind. It is used where it helps
pictures that the means do not contain, which is measured without labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unwarp.core import RefineName
from unwarp.data.samples import Samples, reference_view
from unwarp.devices import resolve_device
from unwarp.estimators.clusters import search_of
from unwarp.models.model import Model
from unwarp.models.picture_refine import MAX_PICTURES, GaussNewton
from unwarp.models.registration import affine_pose, generators, moving_part
from unwarp.models.scan.noise import noise_share
from unwarp.warps import AffineMap, deform

MIN_PICTURES = 8
"""Least number of pictures whose two halves are compared."""

MAX_COMPARED = 240
"""Greatest number of pictures that are compared."""

NUMBERS_OF_KINDS = (1, 2, 4, 8)
"""Numbers of mean pictures to choose from."""

MIN_PICTURES_PER_KIND = 12
"""Least mean number of pictures in a mean, of half of the pictures."""

MAX_RATIO_OF_KINDS = 0.6
"""Greatest remainder with more kinds, over that with fewer, for which there are more."""

NOISY = 0.5
"""Share of noise in the variance of pictures from which a blur is of use."""

BLURS = (1.0, 1.5)
"""Widths in pixels of the Gaussians that means of noisy pictures may be blurred with."""

MAX_ERROR_RATIO, MAX_TAIL_RATIO = 0.75, 1.0
"""Greatest ratios of errors of pose, refined over learned: of the median and of the 90 % quantile.
"""

MAX_REMAINDER_RATIO = 0.3
"""Greatest ratio of the variance that means leave, refined over learned, that speaks for itself."""

MAX_ERROR_RATIO_OF_GOOD_MEANS = 1.25
"""Greatest ratio of the median error of a pose where means leave so little."""

MAX_REMAINDER_OF_SAME_THINGS = 0.02
"""Greatest share of the variance that the means leave of pictures of the same few things."""

MIN_SHARE_BETTER = 0.75
"""Least share of held-out pictures that become more like their mean picture."""

STANDARD_ERRORS = 2.0
"""Number of standard errors by which the fall of the remainder is clear."""

SHARE_OF_VIEW = 0.15
"""Share of the ranges of a warp that second views of pictures are moved by."""

PICTURES_PER_CHUNK = 256
"""Number of pictures whose poses are estimated at once."""

SMALLEST = 1e-12
"""Lower bound of a number that others are divided by."""


@dataclass(frozen=True)
class PictureEvidence:
    """Held-out pictures without and with a refinement.

    Half of the pictures make mean pictures, the other half is moved onto them. The error of a pose
    is measured by second views: a picture that is moved by a known map must get a pose that differs
    by this map. Noise and spots move with their picture, so that noisy pictures and pictures of the
    same few things are judged by the remainder.

    Attributes:
        n_kinds: Number of mean pictures.
        blur: Width in pixels of the Gaussian that blurs them; 0 for pictures without much noise.
        noise: Share of noise in the variance of the pictures.
        learned: Share of the variance that the means leave, by learned poses.
        refined: The same by refined poses.
        gain: Fall of this share, less that by chance, in standard errors.
        better: Share of the pictures that become more like their mean picture.
        errors: Errors of poses in pixels: medians of learned and refined ones, then 90 % quantiles.

    >>> evidence = PictureEvidence(1, 0.0, 0.01, 0.04, 0.01, 9.0, 1.0, (0.2, 0.1, 0.5, 0.3))
    >>> evidence.supports
    True
    >>> str(evidence)
    'error of the pose of second views 0.20 px -> 0.10 px; 1 mean picture leaves 4.0% -> 1.0%'
    """

    n_kinds: int
    blur: float
    noise: float
    learned: float
    refined: float
    gain: float
    better: float
    errors: tuple[float, float, float, float]

    @classmethod
    @torch.no_grad()
    def of(cls, model: Model, x: Tensor, seed: int = 0) -> PictureEvidence:
        """The evidence of two halves of pictures.

        Args:
            model: The trained model, in evaluation mode.
            x: Pictures (N, C, H, W); up to 240 are compared.
            seed: Seed of the halves.
        """
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:MAX_COMPARED]
        halves = x[order[::2]], x[order[1::2]]
        poses = learned_poses(model, halves[0]), learned_poses(model, halves[1])
        noise = noise_share(x[order])
        trials = [
            _trial(model, halves, poses, n_kinds, blur, noise, seed)
            for n_kinds in NUMBERS_OF_KINDS
            if n_kinds == 1 or n_kinds * MIN_PICTURES_PER_KIND <= len(halves[0])
            for blur in (BLURS if noise >= NOISY else (0.0,))
        ]
        return _best(trials)

    @property
    def supports(self) -> bool:
        """Whether a refinement makes the poses of held-out pictures better."""
        if self.noise >= NOISY:
            return self.gain >= STANDARD_ERRORS
        if self.better < MIN_SHARE_BETTER:
            return False
        if self.refined <= MAX_REMAINDER_OF_SAME_THINGS and self.gain >= STANDARD_ERRORS:
            return True
        before, after, tail_before, tail_after = self.errors
        if self.refined <= MAX_REMAINDER_RATIO * self.learned:
            return after <= MAX_ERROR_RATIO_OF_GOOD_MEANS * before
        is_less = after <= MAX_ERROR_RATIO * before and tail_after <= MAX_TAIL_RATIO * tail_before
        return is_less and self.refined < self.learned

    @property
    def remainder(self) -> float:
        """Share of the variance that refined poses leave beyond the noise."""
        return max(self.refined - self.noise, SMALLEST)

    def is_preferable(self, other: PictureEvidence) -> bool:
        """Whether its number of kinds, or its blur, is the better one.

        More kinds always leave less, so that they have to leave much less.

        Args:
            other: Evidence for the same pictures, with as many kinds or fewer.
        """
        if self.n_kinds == other.n_kinds:
            return self.refined < other.refined
        return self.remainder < MAX_RATIO_OF_KINDS * other.remainder

    def __str__(self) -> str:
        means = "1 mean picture leaves" if self.n_kinds == 1 else f"{self.n_kinds} means leave"
        shares = f"{means} {self.learned:.1%} -> {self.refined:.1%}"
        if self.noise >= NOISY:
            return f"{shares} of noisy pictures that they do not contain"
        before, after, *_ = self.errors
        return f"error of the pose of second views {before:.2f} px -> {after:.2f} px; {shares}"


Pair = tuple[Tensor, Tensor]


def _trial(
    model: Model,
    halves: Pair,
    poses: tuple[AffineMap, AffineMap],
    n_kinds: int,
    blur: float,
    noise: float,
    seed: int,
) -> PictureEvidence:
    """The evidence for a number of kinds and a blur."""
    before, after, errors = [], [], []
    for i in (0, 1):
        x, pose, training = halves[1 - i], poses[1 - i], (halves[i], poses[i], model.warp)
        plain = GaussNewton.fit(*training, n_kinds=n_kinds, seed=seed, blur=blur, rounds=0)
        refinement = GaussNewton.fit(*training, n_kinds=n_kinds, seed=seed, blur=blur)
        refined, _ = refinement.onto_references(x, pose)
        before.append(1 - plain.likeness(x, pose).amax(0).square())
        after.append(1 - refinement.likeness(x, refined).amax(0).square())
        final = affine_pose(refinement.refine(x, pose))
        errors.append(pose_errors(model, x, (pose, final), refinement, seed))
    left, rest = torch.cat(before), torch.cat(after)
    fall = left - rest - len(refinement.basis) / x[0].numel() * rest
    gain = fall.mean() / (fall.std() / len(fall) ** 0.5).clamp_min(SMALLEST)
    distances, better = torch.cat(errors, 1), float((rest < left).float().mean())
    a, b, c, d = (float(error.quantile(q)) for q in (0.5, 0.9) for error in distances)
    shares = float(left.mean()), float(rest.mean())
    return PictureEvidence(n_kinds, blur, noise, *shares, float(gain), better, (a, b, c, d))


def _best(trials: list[PictureEvidence]) -> PictureEvidence:
    """The best trial; they have ever more kinds."""
    best = trials[0]
    for trial in trials[1:]:
        if trial.is_preferable(best):
            best = trial
    return best


def pose_errors(
    model: Model,
    x: Tensor,
    poses: tuple[AffineMap, AffineMap],
    refinement: GaussNewton,
    seed: int = 0,
) -> Tensor:
    """Errors of poses, by second views of the same pictures.

    The second views are moved by random maps of the family.

    Args:
        model: The trained model.
        x: Pictures (N, C, H, W).
        poses: Their learned poses and their refined ones.
        refinement: The refinement of other pictures.
        seed: Seed of the maps.

    Returns:
        Root mean square distances (2, N) in pixels, of points half way to the corners: those of
        learned poses, then of refined ones.
    """
    family = moving_part(model.warp)
    assert family is not None, "only affine families are refined"
    generator = torch.Generator().manual_seed(seed)
    moves = affine_pose(family.continuous.sample(len(x), generator, SHARE_OF_VIEW))
    views = deform(x, moves, padding="border")
    learned = learned_poses(model, views)
    pairs = zip(poses, (learned, affine_pose(refinement.refine(views, learned))), strict=True)
    points = 0.5 * x.new_tensor([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])
    half_sides = x.new_tensor(x.shape[:1:-1]) / 2
    errors = []
    for pose, second in pairs:
        change = second.compose(pose.invert()).push(points) - moves.push(points)
        errors.append((change * half_sides).square().sum(-1).mean(-1).sqrt())
    return torch.stack(errors)


def learned_poses(model: Model, x: Tensor) -> AffineMap:
    """The affine parts of learned deformations.

    Args:
        model: The trained model, on the CPU or not.
        x: Pictures (N, C, H, W) on the CPU.

    Returns:
        N maps on the CPU.
    """
    device = next(model.parameters()).device
    parts = (
        affine_pose(model.pose(part.to(device))) for part in torch.split(x, PICTURES_PER_CHUNK)
    )
    return AffineMap(torch.cat([part.matrix.cpu() for part in parts]))


def _is_searched(model: Model, x: Tensor) -> bool:
    """Whether a search found the poses of noisy pictures by the same comparison."""
    return search_of(model) is not None and noise_share(x) >= NOISY


@torch.no_grad()
def fit_picture_refinement(
    model: Model,
    data: Samples,
    refine: RefineName,
    *,
    seed: int = 0,
    device: str = "cpu",
    notify: Callable[[str], None] = lambda message: None,
) -> GaussNewton | None:
    """The refinement of the poses of training pictures.

    Args:
        model: The trained model.
        data: Training pictures.
        refine: `none`, `gauss-newton`, or `auto` for a refinement where it helps held-out pictures.
        seed: Seed of the halves that are compared.
        device: Device that estimates deformations.
        notify: Function that shows a message to people.

    Returns:
        The refinement; None for none.
    """
    if refine == "none" or not len(generators(model.warp)):
        if refine == "gauss-newton":
            notify(f"refinement: none, since the maps of {model.warp.name!r} are not affine")
        return None
    x = reference_view(data, MAX_PICTURES).x
    if refine == "auto" and (len(x) < MIN_PICTURES or _is_searched(model, x)):
        return None
    model.to(resolve_device(device)).eval()
    evidence = PictureEvidence.of(model, x, seed) if len(x) >= MIN_PICTURES else None
    poses = learned_poses(model, x)
    model.to("cpu")
    if refine == "auto":
        if evidence is None or not evidence.supports:
            return None
        notify(f"refinement: {evidence}")
    n_kinds, blur = (evidence.n_kinds, evidence.blur) if evidence else (1, 0.0)
    why = str(evidence) if refine == "auto" else "refine='gauss-newton' asked for it"
    refinement = GaussNewton.fit(x, poses, model.warp, n_kinds=n_kinds, blur=blur, seed=seed)
    return replace(refinement, why=why)
