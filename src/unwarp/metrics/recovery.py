"""Recovery of known deformations: relative poses, absolute poses, and factors.

In general the pose of a template is arbitrary: handwritten digits, for example, are slanted even
before they are deformed. The pose itself therefore cannot be scored. Instead each original is
observed twice, under true maps A1 and A2. The estimate of the relative deformation, map2 o map1^-1,
is compared with A2 o A1^-1.

In some data sets all samples of a class have the same pose before they are deformed, such as
rendered shapes. There the pose itself is compared, after one common map of each class is removed,
and angles are compared modulo the symmetry of the shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unwarp.core import Array, Factor, Labels
from unwarp.errors import DataError
from unwarp.metrics.agreement import (
    angle_error_modulo,
    circular_median,
    group_masks,
    r2,
    symmetry_period,
)
from unwarp.metrics.probes import split_rows, standardise
from unwarp.metrics.registry import score_function
from unwarp.warps import Affine2d, Map
from unwarp.warps.affine_map import affine_part


def observation_pairs(
    ids: NDArray[np.integer],
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Rows of the first two observations of each original.

    Args:
        ids: Number of the original that each observation shows (N,).

    Returns:
        First and second rows (n_pairs,), sorted by id. Originals with one observation are left out.

    >>> [rows.tolist() for rows in observation_pairs(np.array([5, 3, 5, 3, 9]))]
    [[1, 0], [3, 2]]
    """
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    pair_starts = first[np.r_[np.diff(first), len(ids) - first[-1]] >= 2]
    return order[pair_starts], order[pair_starts + 1]


def relative_poses(
    map: Map, true_map: Map, ids: NDArray[np.integer], size: tuple[int, int]
) -> dict[Factor, tuple[torch.Tensor, ...]]:
    """Estimated and true relative deformation of each pair of observations.

    Only the affine part of each map is used. The shift is that of the object's centre, which is the
    position of the template's centre in the first observation. A rotation about the object's centre
    is therefore no shift.

    Args:
        map: Estimated maps, N rows.
        true_map: True maps, N rows.
        ids: Number of the original that each observation shows (N,).
        size: Height and width of the frame in pixels (H, W).

    Returns:
        Estimated and true values (n_pairs,) by `Factor` of an affine summary, in its unit. The
        column `mirror` is among them only if there is a mirror.
    """
    first, second = (torch.as_tensor(rows) for rows in observation_pairs(ids))
    warp = Affine2d(size=size, mirror=True)
    estimate, truth = (_relative_map(affine_part(m), first, second) for m in (map, true_map))
    # the template's centre is (0, 0), so that its observed position is the shift t of the map
    centre = affine_part(true_map)[first].matrix[:, :, 2]
    columns: dict[Factor, tuple[torch.Tensor, ...]] = {}
    for (factor, a), b in zip(
        warp.summary(estimate).items(), warp.summary(truth).values(), strict=True
    ):
        if not factor.discrete or bool((a + b).any()):
            columns[factor] = (a, b)
    # the summary has the shift of the frame's centre, which a rotation of the object changes
    shifts = [m.push(centre[:, None])[:, 0] - centre for m in (estimate, truth)]
    for axis, factor in enumerate(f for f in columns if f.name.startswith("shift")):
        half = size[1 - axis] / 2
        columns[factor] = tuple(shift[:, axis] * half for shift in shifts)
    return columns


def _relative_map(map: Map, first: torch.Tensor, second: torch.Tensor) -> Map:
    """The n_pairs deformations that turn the first observations into the second ones."""
    return map[second].compose(map[first].invert())


@score_function(best=0.0)
def recovery(
    map: Map, true_map: Map, ids: NDArray[np.integer], size: tuple[int, int]
) -> dict[str, float]:
    """Median error of the relative deformation of two observations.

    Args:
        map: Estimated maps, N rows.
        true_map: True maps, N rows.
        ids: Number of the original that each observation shows (N,); the first two observations of
            each original are compared.
        size: Size of the frame: pixels (H, W) of images or time steps (T,) of series.

    Returns:
        Median absolute errors, 0 at best. For images: `angle_deg` (180 for a wrong mirror),
        `shift_px` (length of the difference), `scale` (difference of factors) and `shear_deg`. For
        series: `warp_error`, the
        largest distance between estimated and true relative map, as a share of the series' length.
    """
    if len(size) == 1:
        return {"warp_error": _time_map_error(map, true_map, ids, size[0])}
    columns = {f.name: a - b for f, (a, b) in relative_poses(map, true_map, ids, size).items()}
    # the difference of two angles can exceed 180 degrees
    angle = (columns["rotation_deg"] + 180) % 360 - 180
    is_mirrored = columns.get("mirror", torch.zeros_like(angle)) != 0
    angle = angle.masked_fill(is_mirrored, 180.0)
    shift = torch.hypot(columns["shift_x_px"], columns["shift_y_px"])
    scales = torch.cat([columns["scale_x"], columns["scale_y"]])
    errors = {
        "angle_deg": angle,
        "shift_px": shift,
        "scale": scales,
        "shear_deg": columns["shear_deg"],
    }
    return {name: float(error.abs().median()) for name, error in errors.items()}


def relative_displacements(
    map: Map, true_map: Map, ids: NDArray[np.integer], n_times: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Estimated and true displacements in time between the observations of each pair.

    Args:
        map: Estimated maps of series, N rows.
        true_map: True maps, N rows.
        ids: Number of the original that each observation shows (N,).
        n_times: Number of evenly spaced times at which they are compared, both ends included.

    Returns:
        Estimated and true times minus observed times (n_pairs, n_times), as shares of the length.
    """
    first, second = (torch.as_tensor(rows) for rows in observation_pairs(ids))
    times = torch.linspace(0, 1, n_times)[:, None]
    relative = (_relative_map(m, first, second) for m in (map, true_map))
    estimate, truth = ((m.pull(times) - times)[..., 0] for m in relative)
    return estimate, truth


def _time_map_error(map: Map, true_map: Map, ids: NDArray[np.integer], length: int) -> float:
    """Median over pairs of the largest distance between relative time maps (lengths of series)."""
    estimate, truth = relative_displacements(map, true_map, ids, length)
    return float((estimate - truth).abs().amax(1).median())


def absolute_poses(
    map: Map,
    true_map: Map,
    labels: Labels,
    size: tuple[int, int],
    orders: Mapping[int, int] | None = None,
) -> dict[Factor, tuple[torch.Tensor, ...]]:
    """Estimated and true poses, after one common map per class is removed.

    If all samples of a class have the same pose before deformation, a perfect model estimates
    `map = true_map o s o C`. Here C is the pose of the model's template, the same for the class,
    and s is a rotation by a multiple of 360 / order degrees, a symmetry of the shape. C is
    estimated by the median over the class of each parameter of affine maps, and s by the nearest
    such rotation. Both are removed from the estimate.

    Args:
        map: Estimated maps, N rows.
        true_map: True maps, N rows.
        labels: Classes (N,).
        size: Height and width of the frame in pixels (H, W).
        orders: Symmetry order of each class; classes that are not in it have order 1.

    Returns:
        Estimated and true values (N,) by `Factor` of an affine summary, in its unit.

    Raises:
        ConfigError: An order is not a whole number of 1 or more.
    """
    warp = Affine2d(size=size, mirror=True)
    estimate, truth = affine_part(map), affine_part(true_map)
    # theta of s o C for each sample, with the errors of the estimate
    common = warp.theta(truth.invert().compose(estimate))
    for label in np.unique(labels):
        rows = torch.as_tensor(np.flatnonzero(labels == label))
        period = float(symmetry_period((orders or {}).get(label, 1)))
        common[rows] = _common_map(common[rows], period, warp)
    poses = estimate.compose(warp.map(common).invert())
    summaries = zip(warp.summary(poses).items(), warp.summary(truth).values(), strict=True)
    return {factor: (a, b) for (factor, a), b in summaries}


def _common_map(theta: torch.Tensor, period: float, warp: Affine2d) -> torch.Tensor:
    """Theta of s o C (n, 7) for each sample of a class, with one C for the class.

    Args:
        theta: Theta of s o C with errors (n, 7).
        period: Each s is a rotation by a multiple of this many degrees.
        warp: The warp that converts between theta and maps.
    """
    angle = theta[:, 0].rad2deg().numpy()
    common_angle = circular_median(angle, period)
    turn = torch.zeros_like(theta)
    turn[:, 0] = torch.as_tensor(np.deg2rad(np.round((angle - common_angle) / period) * period))
    symmetry = warp.map(turn)
    frame = warp.theta(symmetry.invert().compose(warp.map(theta))).median(0).values
    # the ordinary median of angles is not defined on a circle
    frame[0] = np.deg2rad(common_angle)
    return warp.theta(symmetry.compose(warp.map(frame.expand(len(theta), -1))))


@score_function
def absolute_recovery(
    map: Map, true_map: Map, labels: Labels, size: tuple[int, int], orders: Mapping[int, int]
) -> dict[str, float]:
    """Errors and R2 of absolute poses, for the worst class or axis.

    It is meant for data sets with one pose per class before deformation (see `absolute_poses`). The
    labels are used to remove one common map per class and to look up the symmetry.

    Args:
        map: Estimated maps, N rows.
        true_map: True maps, N rows.
        labels: Classes (N,).
        size: Height and width of the frame in pixels (H, W).
        orders: Symmetry order of each class; classes that are not in it have order 1.

    Returns:
        `absolute_angle_deg` and `absolute_shift_px` (median errors of the worst class, 0 at best);
        `absolute_r2_shift` and `absolute_r2_log_scale` (R2 of the worse axis, 1 at best).

    Raises:
        ConfigError: An order is not a whole number of 1 or more.
    """
    columns = {
        factor.name: [values.double().numpy() for values in pair]
        for factor, pair in absolute_poses(map, true_map, labels, size, orders).items()
    }
    # the symmetry is removed already, so that the order is 1
    angle = angle_error_modulo(*columns["rotation_deg"])
    shift = np.hypot(*(np.subtract(*columns[name]) for name in ("shift_x_px", "shift_y_px")))
    classes = group_masks(labels)
    return {
        "absolute_angle_deg": max(float(np.median(angle[rows])) for rows in classes),
        "absolute_shift_px": max(float(np.median(shift[rows])) for rows in classes),
        "absolute_r2_shift": min(r2(*columns[name]) for name in ("shift_x_px", "shift_y_px")),
        "absolute_r2_log_scale": min(r2(*np.log(columns[name])) for name in ("scale_x", "scale_y")),
    }


@score_function(best=1.0, chance=0.0)
def factor_r2(
    latents: Array, factors: Sequence[Factor], factor_values: NDArray[Any], seed: int = 0
) -> dict[str, float]:
    """R2 of a linear map from all latents to each known factor.

    The map is fitted by least squares to two thirds of the samples and scored on the other third.
    Models with and without a warp can be compared by it. Of scale factors (unit `factor`), the
    logarithm is predicted. Classes (unit `class`), periodic factors (see `circular_correlation`)
    and factors that do not vary are left out.

    Args:
        latents: Codes (N, D).
        factors: The F factors that describe the columns of `factor_values`.
        factor_values: Known factors (N, F).
        seed: Seed of the split.

    Returns:
        `r2_<name>` of each remaining factor (see `r2`); 1 is perfect, about 0 is chance.

    Raises:
        DataError: `factor_values` is not (N, F).
    """
    if np.shape(factor_values) != (len(latents), len(factors)):
        raise DataError(
            f"factor_values must be ({len(latents)}, {len(factors)}), got "
            f"{np.shape(factor_values)}; give one row for each sample and one column for each "
            "factor"
        )
    fit, held_out = split_rows(len(latents), seed)
    train, test = (
        np.pad(part, ((0, 0), (0, 1)), constant_values=1)  # a column of ones for the intercept
        for part in standardise(latents[fit], latents[held_out])
    )
    scores = {}
    for factor, column in zip(factors, np.asarray(factor_values, float).T, strict=True):
        if factor.unit == "class" or factor.periodic or np.ptp(column) == 0:
            continue
        true = np.log(column) if factor.unit == "factor" else column
        weights = np.linalg.lstsq(train, true[fit], rcond=None)[0]
        scores[f"r2_{factor.name}"] = r2(test @ weights, true[held_out])
    return scores
