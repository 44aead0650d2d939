"""Whether the deformation was found, where it is known: relative and absolute recovery, factor by factor.

The canonical frame is arbitrary (real digits are slanted), so the pose itself cannot be scored. Each sample is observed
twice, under true maps A1 and A2; the estimate of the relative deformation, map2 o map1^-1, is compared with A2 o A1^-1.

Where all samples of a class share their frame (drawn shapes), the pose itself is compared, with one common map of each
class taken out. A shape of symmetry order k looks the same after 360 / k degrees: angles are then known modulo that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unwarp.core import Array, Factor, Labels
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.disentanglement import split, standardised
from unwarp.metrics.registry import score_function
from unwarp.warps import Affine2d, AffineMap, Map
from unwarp.warps.affine_map import affine_part


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
    for (factor, a), b in zip(
        warp.summary(found).items(), warp.summary(true).values(), strict=True
    ):
        columns[factor] = (a, b)
    moves = [m.push(place[:, None])[:, 0] - place for m in (found, true)]
    for axis, factor in enumerate(f for f in columns if f.name.startswith("shift")):
        half = size[1 - axis] / 2
        columns[factor] = tuple(move[:, axis] * half for move in moves)
    return columns


def _relative(map: AffineMap, one: torch.Tensor, two: torch.Tensor) -> Map:
    return map[two].compose(map[one].invert())


@score_function(best=0.0)
def recovery(
    map: Map, true_map: Map, ids: NDArray[np.integer], size: tuple[int, int]
) -> dict[str, float]:
    """Median error of the relative deformation: `angle_deg`, `shift_px` (length), `scale`, `shear_deg`.

    Of series: `warp_error`, the largest distance of two time maps, in lengths of the series.
    """
    if len(size) == 1:
        one, two = (torch.as_tensor(rows) for rows in pairs(ids))
        grid = torch.linspace(0, 1, size[0])[:, None]
        found, true = (m[two].compose(m[one].invert()).pull(grid)[..., 0] for m in (map, true_map))
        return {"warp_error": float((found - true).abs().amax(1).median())}
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


def r2(found: Array, true: Array, groups: Labels | None = None) -> float:
    """Share of the variance of `true` (N,) that `found` (N,) explains as it stands, with no slope fitted.

    One common offset of each group is taken out first where `groups` (N,) are given. 1 is perfect; the mean scores 0,
    worse is negative; NaN where `true` does not vary.
    """
    error = _paired(found, true)
    for rows in _groups(groups):
        error[rows] -= error[rows].mean()
    total = float(np.square(true - np.mean(true)).sum())
    return 1 - float(np.square(error).sum()) / total if total else float("nan")


def circular_correlation(found: Array, true: Array, order: int = 1) -> float:
    """Correlation of two angles in degrees (N,), known modulo 360 / `order`: -1 to 1, 0 where independent.

    It ignores any common offset and, unlike those built on mean directions, needs none, so angles may fill the circle.
    A reversed sense of rotation gives -1. NaN where an angle never varies.

    Source:
        Fisher, Lee (1983), A correlation coefficient for circular data, Biometrika 70.
    """
    _paired(found, true)
    _period(order)
    a, b = (np.exp(1j * np.deg2rad(order * np.asarray(angle, float))) for angle in (found, true))
    together = abs((a * b.conj()).sum()) ** 2 - abs((a * b).sum()) ** 2
    apart = [len(z) ** 2 - abs(np.square(z).sum()) ** 2 for z in (a, b)]
    varies = min(apart) > 1e-9 * len(a) ** 2
    return float(together / np.sqrt(np.prod(apart))) if varies else float("nan")


def angle_error_modulo(
    found: Array, true: Array, order: int | NDArray[np.integer] = 1, groups: Labels | None = None
) -> Array:
    """Absolute difference of angles in degrees, (N,), modulo 360 / `order` of each sample: 0 to 180 / `order`.

    Args:
        found: Estimated angles (N,).
        true: True angles (N,).
        order: Symmetry order, 1 for none, of all samples or of each (N,).
        groups: Where given (N,), the offset that minimises the mean error of each group is taken out first.

    Raises:
        ConfigError: If an order is not a whole number of 1 or more.
        DataError: If lengths disagree, or a group has more than one order.
    """
    difference = _paired(found, true)
    period = np.broadcast_to(_period(order), difference.shape)
    for rows in _groups(groups):
        if len(set(period[rows])) > 1:
            raise DataError(
                "samples of one group have different symmetry orders; give one order a group"
            )
        difference[rows] -= _common_turn(difference[rows], period[rows][0])
    return np.asarray(np.abs(_wrap(difference, period)))


def _paired(found: Array, true: Array) -> Array:
    if np.ndim(found) != 1 or np.shape(found) != np.shape(true):
        raise DataError(
            f"found and true must be columns of one length (N,), got {np.shape(found)}, {np.shape(true)}"
        )
    return np.subtract(found, true, dtype=float)


def _groups(groups: Labels | None) -> list[NDArray[np.bool_]]:
    return [] if groups is None else [np.asarray(groups == group) for group in np.unique(groups)]


def _period(order: int | NDArray[np.integer]) -> Array:
    orders = np.asarray(order)
    if (orders < 1).any() or (orders % 1 != 0).any():
        raise ConfigError(
            f"symmetry orders must be whole numbers of 1 or more (1: none), got {order}"
        )
    return np.asarray(360.0 / orders)


def _wrap(angle: Array, period: float | Array) -> Array:
    return np.asarray((angle + period / 2) % period - period / 2)


def _common_turn(difference: Array, period: float) -> float:
    """The circular median: a scan finds the right lobe, the ordinary median within it is exact."""
    starts = np.linspace(0, period, 64, endpoint=False)
    near = starts[np.argmin([np.abs(_wrap(difference - start, period)).mean() for start in starts])]
    return float(near + np.median(_wrap(difference - near, period)))


def absolute(
    map: Map,
    true_map: Map,
    labels: Labels,
    size: tuple[int, int],
    orders: Mapping[int, int] | None = None,
) -> dict[Factor, tuple[torch.Tensor, ...]]:
    """Recovered and true pose of each sample, by factor, with one common map of each class taken out.

    Where a class shares its frame, found = true o s o C, with C the class's own frame and s a symmetry of the shape.
    C is the median over the class in the affine chart, s the nearest turn by a multiple of 360 / order degrees.

    Args:
        map: Estimated maps (N).
        true_map: True maps (N).
        labels: Classes (N,), used here alone.
        size: Frame in pixels (H, W).
        orders: Symmetry order of each class, 1 where it is not given.

    Returns:
        For each `Factor` of an affine summary, recovered and true values (N,).
    """
    warp = Affine2d(size=size)
    found, true = affine_part(map), affine_part(true_map)
    fixed = warp.theta(true.invert().compose(found))
    for label in np.unique(labels):
        rows = torch.as_tensor(np.flatnonzero(labels == label))
        fixed[rows] = _frames(fixed[rows], float(_period((orders or {}).get(label, 1))), warp)
    placed = found.compose(warp.map(fixed).invert())
    summaries = zip(warp.summary(placed).items(), warp.summary(true).values(), strict=True)
    return {factor: (a, b) for (factor, a), b in summaries}


def _frames(theta: torch.Tensor, period: float, warp: Affine2d) -> torch.Tensor:
    """For frames s o C with noise (n, 6), rotation first: s o C without, s a multiple of `period` degrees."""
    angle = theta[:, 0].rad2deg().numpy()
    common = _common_turn(angle, period)
    turn = torch.zeros_like(theta)
    turn[:, 0] = torch.as_tensor(np.deg2rad(np.round((angle - common) / period) * period))
    symmetry = warp.map(turn)
    frame = warp.theta(symmetry.invert().compose(warp.map(theta))).median(0).values
    frame[0] = np.deg2rad(common)
    return warp.theta(symmetry.compose(warp.map(frame.expand(len(theta), -1))))


@score_function
def absolute_recovery(
    map: Map, true_map: Map, labels: Labels, size: tuple[int, int], orders: Mapping[int, int]
) -> dict[str, float]:
    """Scores of `absolute`, the worst class, axis or scale counting.

    Returns:
        `absolute_angle_deg` (median error, worst class), `absolute_shift_px` (median length, worst class),
        `absolute_r2_shift` (worse axis), `absolute_r2_log_scale` (worse scale).
    """
    columns = {
        f.name: [v.double().numpy() for v in pair]
        for f, pair in absolute(map, true_map, labels, size, orders).items()
    }
    turn = angle_error_modulo(*columns["rotation_deg"])
    shift = np.hypot(*(np.subtract(*columns[name]) for name in ("shift_x_px", "shift_y_px")))
    return {
        "absolute_angle_deg": max(float(np.median(turn[rows])) for rows in _groups(labels)),
        "absolute_shift_px": max(float(np.median(shift[rows])) for rows in _groups(labels)),
        "absolute_r2_shift": min(r2(*columns[name]) for name in ("shift_x_px", "shift_y_px")),
        "absolute_r2_log_scale": min(r2(*np.log(columns[name])) for name in ("scale_x", "scale_y")),
    }


@score_function(best=1.0, chance=0.0)
def factor_r2(
    latents: Array, factors: Sequence[Factor], factor_values: NDArray[Any], seed: int = 0
) -> dict[str, float]:
    """How well a linear map from all latents gives each known factor: `r2_<name>` on a third of samples held out.

    So models with and without a warp can be compared. Scale factors (unit `factor`) are taken in logarithms. Left out:
    classes (unit `class`), full circles (see `circular_correlation`) and factors that do not vary.

    Args:
        latents: Codes (N, D).
        factors: What each column of `factor_values` is.
        factor_values: Known factors (N, F).
        seed: Seed of the split.
    """
    if np.shape(factor_values) != (len(latents), len(factors)):
        raise DataError(
            f"factor_values must be ({len(latents)}, {len(factors)}), got {np.shape(factor_values)}"
        )
    fit, held_out = split(len(latents), seed)
    train, test = (
        np.pad(part, ((0, 0), (0, 1)), constant_values=1)
        for part in standardised(latents[fit], latents[held_out])
    )
    scores = {}
    for factor, column in zip(factors, np.asarray(factor_values, float).T, strict=True):
        if factor.unit == "class" or factor.periodic or np.ptp(column) == 0:
            continue
        true = np.log(column) if factor.unit == "factor" else column
        weights = np.linalg.lstsq(train, true[fit], rcond=None)[0]
        scores[f"r2_{factor.name}"] = r2(test @ weights, true[held_out])
    return scores
