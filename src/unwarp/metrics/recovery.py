"""Whether the deformation was found, where it is known: relative recovery, factor by factor.

The canonical frame is arbitrary (real digits are slanted), so the pose itself cannot be scored. Each sample is observed
twice, under true maps A1 and A2; the estimate of the relative deformation, map2 o map1^-1, is compared with A2 o A1^-1.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from unwarp.types import Factor
from unwarp.warps import Affine2d, AffineMap, Map
from unwarp.warps.affine import affine_part


def pairs(ids: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Rows of the first and the second observation of every sample that was observed at least twice."""
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    twice = first[np.r_[np.diff(first), len(ids) - first[-1]] >= 2]
    return order[twice], order[twice + 1]


def relative(
    map: Map, true_map: Map, ids: NDArray[np.integer], size: tuple[int, int]
) -> dict[Factor, tuple[torch.Tensor, ...]]:
    """Recovered and true relative deformation of each pair, by factor; shifts are taken at the first object's place.

    Args:
        map: Estimated maps (N).
        true_map: True maps (N).
        ids: Which original each observation shows (N,).
        size: Frame in pixels (H, W).

    Returns:
        For each `Factor` of an affine summary, recovered and true values (n_pairs,).
    """
    one, two = (torch.as_tensor(rows) for rows in pairs(ids))
    warp = Affine2d(size=size)
    found, true = (_relative(affine_part(m), one, two) for m in (map, true_map))
    place = affine_part(true_map)[one].matrix[:, :, 2]
    columns: dict[Factor, tuple[torch.Tensor, ...]] = {}
    for (factor, a), b in zip(warp.summary(found).items(), warp.summary(true).values(), strict=True):
        columns[factor] = (a, b)
    moves = [m.push(place[:, None])[:, 0] - place for m in (found, true)]
    for axis, factor in enumerate(f for f in columns if f.name.startswith("shift")):
        half = size[1 - axis] / 2
        columns[factor] = tuple(move[:, axis] * half for move in moves)
    return columns


def _relative(map: AffineMap, one: torch.Tensor, two: torch.Tensor) -> Map:
    return map[two].compose(map[one].invert())


def recovery(map: Map, true_map: Map, ids: NDArray[np.integer], size: tuple[int, int]) -> dict[str, float]:
    """Median absolute error of the relative deformation: `angle_deg`, `shift_px` (length), `scale`, `shear_deg`."""
    columns = {f.name: (a - b, f) for f, (a, b) in relative(map, true_map, ids, size).items()}

    def median(values: torch.Tensor) -> float:
        return float(values.abs().median())

    turn = (columns["rotation_deg"][0] + 180) % 360 - 180
    shift = torch.hypot(columns["shift_x_px"][0], columns["shift_y_px"][0])
    scales = torch.cat([columns["scale_x"][0], columns["scale_y"][0]])
    return {
        "angle_deg": median(turn),
        "shift_px": median(shift),
        "scale": median(scales),
        "shear_deg": median(columns["shear_deg"][0]),
    }


SCORES = (recovery,)
