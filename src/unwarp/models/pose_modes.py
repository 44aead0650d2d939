"""`PoseModes`: all poses that explain a picture, with their errors.

A picture may be explained by several poses: by half turns of an object that looks alike, or by
wrong ones if it is noisy. The encoder corrects the pose from several starts. Poses that agree are
one mode; the weight of a mode follows from its error of reconstruction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.models.latent import Latent
from unwarp.models.model import Model
from unwarp.models.pose_search import pair_with
from unwarp.models.refinement import Refinement
from unwarp.models.registration import affine_pose, moving_part
from unwarp.models.staged import Staged
from unwarp.models.starts import rotation_angle
from unwarp.warps import AffineMap, Map
from unwarp.warps.mirror import reflections

STEP_OF_STARTS_DEG = 30.0
"""Greatest step between start angles for a warp with limited rotations."""

N_ANGLES_OF_CIRCLE = 8
"""Number of start angles on a full circle for a model that has a single start."""

MAX_TURN_IN_MODE_DEG, MAX_SHIFT_IN_MODE = 5.0, 0.02
"""Greatest differences of poses in a mode: of angles, and of centres over the shorter side."""

SHARE_OF_SET = 0.9
"""Sum of the weights of the most probable modes that make up the set of a picture."""

POSES_PER_CHUNK = 1024
"""Number of poses whose reconstructions are computed at once."""

ALMOST = 1e-6
"""Rounding error of a sum of weights."""


@dataclass(frozen=True, eq=False)
class PoseModes:
    """Distinct poses of N pictures, the most probable first.

    Attributes:
        map: M deformations, sorted by picture and then by error.
        rows: Number of the picture of each mode (M,), from 0.
        content: Content codes (M, D).
        misfit: Squared errors of reconstruction (M,), summed over pixels.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Rigid2d
    >>> recipe = AE(warp=Rigid2d(rotation=180), net=Net("mlp", (8,), (8,)))
    >>> modes = PoseModes.of(recipe.build((1, 8, 8)).eval(), torch.rand(3, 1, 8, 8))
    >>> weights = modes.weights(temperature=1.0)
    >>> torch.zeros(3).index_add(0, modes.rows, weights).round(decimals=3).tolist()
    [1.0, 1.0, 1.0]
    """

    map: Map
    rows: Tensor
    content: Tensor
    misfit: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, model: Model, x: Tensor, refinement: Refinement | None = None) -> PoseModes:
        """The modes of pictures.

        The modes of a picture do not depend on the others.

        Args:
            model: The trained model, in evaluation mode.
            x: Pictures (N, C, H, W) on the device of the model.
            refinement: Refinement of learned poses; None for none.
        """
        angles = start_angles(model).to(x).repeat_interleave(len(x), 0)
        start = model.search.choose_angles(x)
        angles = angles if start is None else torch.cat([angles, start])
        posterior = model.encoder(model.canvas.encoder_input(x), None, angles)
        content, n = posterior.content, len(posterior.content)
        map = posterior.map.compose(model.anchor_of(content).invert())
        rows = torch.arange(n, device=x.device) % len(x)
        modes = cls._measured(model, x, map, rows, content)._distinct(x)
        if refinement is None:
            return modes
        map = refinement.refine(x[modes.rows], modes.map, model.padding)
        return cls._measured(model, x, map, modes.rows, modes.content)._distinct(x)

    @classmethod
    def _measured(
        cls, model: Model, x: Tensor, map: Map, rows: Tensor, content: Tensor
    ) -> PoseModes:
        """Poses with the errors of their reconstructions, sorted."""
        parts = [
            (x[rows[part]] - model.reconstruct(Latent(content[part], map[part])))
            .square()
            .flatten(1)
            .sum(1)
            for part in torch.split(torch.arange(len(rows), device=x.device), POSES_PER_CHUNK)
        ]
        misfit = torch.cat(parts)
        order = misfit.argsort(stable=True)
        order = order[rows[order].argsort(stable=True)]
        return cls(map[order], rows[order], content[order], misfit[order])

    def _distinct(self, x: Tensor) -> PoseModes:
        """The poses without those that agree with a better one of the same picture."""
        pose, rank = affine_pose(self.map), self.ranks
        is_distinct = torch.ones_like(rank, dtype=torch.bool)
        places = torch.arange(len(rank), device=rank.device)
        for distance in range(1, int(rank.max()) + 1):
            later = places[rank >= distance]
            is_equal = agree(pose[later], pose[later - distance], x.shape[2:])
            is_distinct[later] &= ~is_equal
        rows = is_distinct.nonzero()[:, 0]
        return PoseModes(self.map[rows], self.rows[rows], self.content[rows], self.misfit[rows])

    @property
    def ranks(self) -> Tensor:
        """Number of better modes of the same picture (M,)."""
        places = torch.arange(len(self.rows), device=self.rows.device)
        return places - torch.searchsorted(self.rows, self.rows)

    def weights(self, temperature: float) -> Tensor:
        """Probability of each mode among those of its picture.

        It is proportional to `exp(-misfit / (2 temperature))`.

        Args:
            temperature: Variance of the noise of a pixel, or the number that a calibration puts in
                its place.

        Returns:
            Weights (M,), which sum to 1 for each picture.
        """
        least = self.misfit[torch.searchsorted(self.rows, self.rows)]
        weight = torch.exp((least - self.misfit).double() / (2 * temperature))
        sums = weight.new_zeros(int(self.rows[-1]) + 1).index_add(0, self.rows, weight)
        return (weight / sums[self.rows]).to(self.misfit)

    def is_in_set(self, temperature: float) -> Tensor:
        """Whether modes are among the fewest with nine tenths of the weight.

        Args:
            temperature: As for `weights`.

        Returns:
            Booleans (M,).
        """
        weights = self.weights(temperature).double()
        before = weights.cumsum(0) - weights
        return before - before[torch.searchsorted(self.rows, self.rows)] < SHARE_OF_SET - ALMOST


def start_angles(model: Model) -> Tensor:
    """Start angles at which all poses of a picture are searched.

    Args:
        model: A model.

    Returns:
        Angles (K,) in radians, with mirrors (K, 2): those of the encoder if it has several, else
        angles over the range of the warp; a single 0 if it does not turn.
    """
    encoder, angles = model.encoder, torch.tensor(model.encoder.angles)
    if len(angles) == 1 and isinstance(encoder, Staged):
        angles = _angles_in_range(largest_turn(model))
    if not encoder.has_mirror:
        return angles
    return torch.cat([pair_with(angles, mirror) for mirror in (0.0, 1.0)])


def has_modes(model: Model) -> bool:
    """Whether poses are searched from several starts.

    Args:
        model: A model.
    """
    return len(start_angles(model)) > 1


def largest_turn(model: Model) -> float:
    """The largest rotation of a model in radians; 0 for none.

    Args:
        model: A model.
    """
    family = moving_part(model.warp)
    factors = () if family is None or model.warp.domain != "image" else family.factors
    return max((f.half_range for f in factors if f.name == "rotation"), default=0.0)


def _angles_in_range(limit: float) -> Tensor:
    """Angles (K,) from -limit to limit, with 0 among them; even ones on a full circle."""
    if limit >= math.pi:
        return torch.arange(N_ANGLES_OF_CIRCLE) * (2 * math.pi / N_ANGLES_OF_CIRCLE)
    n = math.ceil(math.degrees(limit) / STEP_OF_STARTS_DEG - ALMOST)
    return torch.arange(-n, n + 1) * (limit / max(n, 1))


def agree(
    a: AffineMap,
    b: AffineMap,
    size: Sequence[int],
    max_turn: float = MAX_TURN_IN_MODE_DEG,
    max_shift: float = MAX_SHIFT_IN_MODE,
) -> Tensor:
    """Whether poses are nearly the same.

    Args:
        a: Poses of N pictures.
        b: As many others.
        size: Height and width (H, W) of the pictures in pixels.
        max_turn: Greatest difference of angles in degrees.
        max_shift: Greatest distance of the centres, over the shorter side.

    Returns:
        Booleans (N,); False where one is a mirror image of the other.

    >>> from unwarp.warps import translation
    >>> still = translation(torch.zeros(1, 2))
    >>> agree(translation(torch.tensor([[0.01, 0.0]])), still, (28, 28)).item()
    True
    """
    change = affine_pose(a.compose(b.invert()))
    turn = rotation_angle(change, size[0] / size[1]).rad2deg().abs()
    half_sides = change.matrix.new_tensor([size[1], size[0]]) / 2
    centre = change.matrix.new_zeros(1, 2)
    movement = (a.push(centre) - b.push(centre))[:, 0] * half_sides
    is_near: Tensor = movement.square().sum(-1).sqrt() <= max_shift * min(size)
    is_upright: Tensor = reflections(change)[:, 0] == 0
    return is_upright & is_near & (turn <= max_turn)
