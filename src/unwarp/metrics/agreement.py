"""Agreement of estimates and truth: R2, and angles modulo a symmetry.

A shape of symmetry order k looks the same after a turn by 360 / k degrees. Its angle is therefore
determined only up to multiples of this period.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Labels
from unwarp.errors import ConfigError, DataError

N_SCAN_ANGLES = 64
"""Number of starting points of the search for a circular median."""


def r2(predicted: Array, true: Array, groups: Labels | None = None) -> float:
    """Coefficient of determination of predictions, without a fitted slope.

    `1 - sum (predicted - true)^2 / sum (true - mean)^2`, with the mean of the true values.

    Args:
        predicted: Predictions (N,).
        true: True values (N,).
        groups: Group of each sample (N,); the mean error of each group is subtracted first, so that
            a constant offset in a group is no error. None to subtract nothing.

    Returns:
        1 for perfect predictions, 0 for predictions by the mean of `true`, negative for worse ones;
        NaN if `true` does not vary.

    Raises:
        DataError: The arrays differ in length, or do not have one axis.

    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    error = _difference(predicted, true)
    for rows in group_masks(groups):
        error[rows] -= error[rows].mean()
    total = float(np.square(true - np.mean(true)).sum())
    return 1 - float(np.square(error).sum()) / total if total else float("nan")


def circular_correlation(estimated: Array, true: Array, order: int = 1) -> float:
    """Circular correlation of two angles (Fisher and Lee 1983).

    `sum sin(a_i - a_j) sin(b_i - b_j) / sqrt(sum sin^2(a_i - a_j) sum sin^2(b_i - b_j))` over pairs
    of samples, computed in O(N). A constant offset between the angles does not change it. It needs
    no mean direction, so that angles may cover the full circle.

    Args:
        estimated: Estimated angles in degrees (N,).
        true: True angles in degrees (N,).
        order: Symmetry order; angles are compared modulo 360 / `order` degrees.

    Returns:
        -1 (opposite sense of rotation) to 1, 0 if independent; NaN if one of the two does not vary.

    Raises:
        ConfigError: The order is not a whole number of 1 or more.
        DataError: The arrays differ in length, or do not have one axis.

    Source:
        Fisher, Lee (1983), A correlation coefficient for circular data, Biometrika 70.
    """
    _difference(estimated, true)
    symmetry_period(order)
    angles = (estimated, true)
    a, b = (np.exp(1j * np.deg2rad(order * np.asarray(angle, float))) for angle in angles)
    # the sums over pairs equal these squared moduli of sums, up to a common factor; a and b are
    # the angles as complex numbers of modulus 1
    covariation = abs((a * b.conj()).sum()) ** 2 - abs((a * b).sum()) ** 2
    variations = [len(z) ** 2 - abs(np.square(z).sum()) ** 2 for z in (a, b)]
    # rounding leaves a small variation of constant angles
    has_variation = min(variations) > 1e-9 * len(a) ** 2
    return float(covariation / np.sqrt(np.prod(variations))) if has_variation else float("nan")


def angle_error_modulo(
    estimated: Array,
    true: Array,
    order: int | NDArray[np.integer] = 1,
    groups: Labels | None = None,
) -> Array:
    """Absolute errors of angles modulo a symmetry.

    Random angles have a median error of 90 / `order` degrees, so that an order that is too high
    makes errors look small.

    Args:
        estimated: Estimated angles in degrees (N,).
        true: True angles in degrees (N,).
        order: Symmetry order (1 for no symmetry): one number for all samples, or one per sample
            (N,).
        groups: Group of each sample (N,); the offset that minimises the mean error of each group is
            subtracted first. None to subtract nothing.

    Returns:
        Degrees (N,), 0 to 180 / `order`.

    Raises:
        ConfigError: An order is not a whole number of 1 or more.
        DataError: The arrays differ in length, or a group has more than one order.

    >>> angle_error_modulo(np.array([179.0, 91.0]), np.array([-179.0, 0.0]), order=4).tolist()
    [2.0, 1.0]
    """
    difference = _difference(estimated, true)
    period = np.broadcast_to(symmetry_period(order), difference.shape)
    for rows in group_masks(groups):
        if len(set(period[rows])) > 1:
            raise DataError(
                "samples of one group have different symmetry orders; give one order per group"
            )
        difference[rows] -= circular_median(difference[rows], period[rows][0])
    return np.asarray(np.abs(_wrap(difference, period)))


def group_masks(groups: Labels | None) -> list[NDArray[np.bool_]]:
    """Masks that select the samples of each group.

    Args:
        groups: Group of each sample (N,); None for no groups.

    Returns:
        One mask (N,) for each distinct group, in sorted order; an empty list for None.
    """
    return [] if groups is None else [np.asarray(groups == group) for group in np.unique(groups)]


def symmetry_period(order: int | NDArray[np.integer]) -> Array:
    """Smallest turn in degrees that leaves a shape unchanged: 360 / `order`.

    Args:
        order: Symmetry order: 1 for none, 2 for an ellipse, 4 for a square. A number, or an array
            of any shape.

    Returns:
        Degrees, of the shape of `order`.

    Raises:
        ConfigError: An order is not a whole number of 1 or more.

    >>> symmetry_period(4).item()
    90.0
    """
    orders = np.asarray(order)
    if (orders < 1).any() or (orders % 1 != 0).any():
        raise ConfigError(
            f"symmetry orders must be whole numbers of 1 or more, got {order}; give 1 for a shape "
            "without symmetry"
        )
    return np.asarray(360.0 / orders)


def circular_median(angles: Array, period: float) -> float:
    """Angle with the smallest mean absolute distance from angles on a circle.

    The best of several points on the circle is the start. The ordinary median of the distances from
    the start is then exact.

    Args:
        angles: Angles in degrees (N,).
        period: Length of the circle in degrees.

    Returns:
        Degrees; the angle may be outside [0, `period`).
    """
    # the mean distance has several minima on a circle: start near the lowest
    starts = np.linspace(0, period, N_SCAN_ANGLES, endpoint=False)
    errors = [np.abs(_wrap(angles - start, period)).mean() for start in starts]
    nearest = starts[np.argmin(errors)]
    return float(nearest + np.median(_wrap(angles - nearest, period)))


def _wrap(angle: Array, period: float | Array) -> Array:
    """Angles in [-period / 2, period / 2)."""
    return np.asarray((angle + period / 2) % period - period / 2)


def _difference(estimated: Array, true: Array) -> Array:
    """Difference (N,) of two arrays of one axis and equal length."""
    if np.ndim(estimated) != 1 or np.shape(estimated) != np.shape(true):
        raise DataError(
            "estimated and true values must be columns of one length (N,), got shapes "
            f"{np.shape(estimated)} and {np.shape(true)}; give one value for each sample"
        )
    return np.subtract(estimated, true, dtype=float)
