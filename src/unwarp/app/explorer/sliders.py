"""Sliders of content dimensions and deformation parameters, in units for people."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Factor
from unwarp.errors import ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.warps.maps import IdentityMap

MAX_VALUE = 1e6
"""Greatest number that a slider takes; far greater ones would overflow."""

LOG = re.compile(r"(^|_)log_")
"""Mark of the names of columns of theta that are logarithms of factors."""

AXIS = re.compile(r"(?:^|_)([xy])(?:_\d+)*$")
"""End of the names of columns of theta that move points along an axis."""


@dataclass(frozen=True)
class Slider:
    """A column of theta, as a slider in a unit for people.

    Attributes:
        factor: Name, unit and range of the slider; see `title`.
        to_theta: Function from values of the slider to values of theta.
        of_theta: Its inverse.
        neutral: Theta without a deformation; 0 unless the family was centred.

    >>> slider = slider_of(Factor("rotation", "rad", -1.0, 1.0), (28, 28), 1.0, "px")
    >>> slider.factor.name, round(slider.factor.high, 1), slider.identity
    ('rotation_deg', 57.3, 0.0)
    """

    factor: Factor
    to_theta: Callable[[Array], Array]
    of_theta: Callable[[Array], Array]
    neutral: float = 0.0

    @property
    def title(self) -> str:
        """Name for people, without the unit."""
        factor = self.factor
        return factor.name.removesuffix(f"_{factor.unit}").replace("_", " ")

    @property
    def identity(self) -> float:
        """Value without a deformation."""
        return float(self.of_theta(np.array([self.neutral], np.float64))[0])


def slider_of(
    factor: Factor, size: tuple[int, ...], seconds_per_length: float, time_unit: str
) -> Slider:
    """The slider of a column of theta.

    Angles are in degrees, logarithms of factors are factors, shifts are in pixels and lags in the
    unit of time. Other columns keep their unit.

    Args:
        factor: The column.
        size: Pixels (H, W) or time steps (T,) of a sample.
        seconds_per_length: Length of a series in the unit of time.
        time_unit: The unit of time: `s` or `samples`.
    """
    name, axis = factor.name, AXIS.search(factor.name)
    if factor.unit == "rad":
        return _scaled(factor, f"{name}_deg", "deg", 180 / math.pi)
    if name.endswith("shear") and not factor.unit:
        return _curved(factor, f"{name}_deg", "deg", _degrees_of_shear, _shear_of_degrees)
    if LOG.search(name) and factor.unit == "log factor":
        return _curved(factor, LOG.sub(r"\1", name), "factor", np.exp, np.log)
    if factor.unit == "half-widths" and axis and len(size) == 2:
        return _scaled(factor, f"{name}_px", "px", size["yx".index(axis[1])] / 2)
    if factor.unit == "lengths" and name.endswith("lag"):
        return _scaled(factor, f"{name}_{time_unit}", time_unit, seconds_per_length)
    return _scaled(factor, name, factor.unit, 1.0)


def _degrees_of_shear(shear: Array) -> Array:
    """Angles in degrees of shears, their tangents."""
    return np.asarray(np.degrees(np.arctan(shear)))


def _shear_of_degrees(angle: Array) -> Array:
    """Shears of angles in degrees."""
    return np.asarray(np.tan(np.radians(angle)))


def _scaled(factor: Factor, name: str, unit: str, scale: float) -> Slider:
    """A slider that is a multiple of theta."""
    return _curved(factor, name, unit, lambda x: x * scale, lambda x: x / scale)


def _curved(
    factor: Factor,
    name: str,
    unit: str,
    of_theta: Callable[[Array], Array],
    to_theta: Callable[[Array], Array],
) -> Slider:
    """A slider that is an increasing function of theta."""
    low, high = of_theta(np.array([factor.low, factor.high]))
    column = Factor(name, unit, float(low), float(high), factor.periodic, factor.discrete)
    return Slider(column, to_theta, of_theta)


@dataclass(frozen=True)
class Sliders:
    """The sliders of a model: its deformation, column by column of theta.

    Attributes:
        sliders: One slider per column of theta.

    >>> sliders = Sliders((slider_of(Factor("log_tempo", "log factor", -1, 1), (9,), 8, "s"),))
    >>> sliders.theta({"tempo": 1.0}).tolist(), sliders.values(np.zeros((1, 1)))
    ([[0.0]], [{'tempo': 1.0}])
    """

    sliders: Sequence[Slider]

    @classmethod
    def of(cls, unwarper: Unwarper) -> Sliders:
        """The sliders of a trained estimator.

        Args:
            unwarper: A trained estimator of images or series.
        """
        schema = unwarper.schema_
        rate, size = schema.clock.sampling_rate, schema.user_shape[1:]
        length = (size[-1] - 1) / (rate or 1.0)
        unit = time_unit(unwarper)
        chart = unwarper.model_.chart
        # in a family that was centred, theta of the identity is that of the mean deformation
        neutral = chart.theta(IdentityMap(1))[0].tolist()
        sliders = [slider_of(factor, size, length, unit) for factor in chart.factors]
        pairs = zip(sliders, neutral, strict=True)
        return cls(tuple(replace(slider, neutral=theta) for slider, theta in pairs))

    def theta(self, values: Mapping[str, float]) -> Tensor:
        """Theta (1, P) of values of sliders.

        Args:
            values: Values by name; sliders without a value are at the identity.

        Raises:
            ConfigError: There is no such slider, or a value is out of reach.
        """
        names = [slider.factor.name for slider in self.sliders]
        for name in values:
            if name not in names:
                raise ConfigError(
                    f"deformation.{name} is no slider of this model; choose from "
                    f"{', '.join(names) or 'none: the model has no deformation'}"
                )
        columns = [self._column(slider, values) for slider in self.sliders]
        return torch.tensor([columns], dtype=torch.float32).reshape(1, len(columns))

    @staticmethod
    def _column(slider: Slider, values: Mapping[str, float]) -> float:
        """Theta of the value of one slider."""
        name = slider.factor.name
        value = values.get(name, slider.identity)
        with np.errstate(all="ignore"):
            theta = float(slider.to_theta(np.array([value], np.float64))[0])
        if not (math.isfinite(theta) and abs(theta) <= MAX_VALUE):
            factor = slider.factor
            raise ConfigError(
                f"deformation.{name}={value:g} is no deformation; give a value from "
                f"{factor.low:g} to {factor.high:g}"
            )
        return round(theta) if slider.factor.discrete else theta

    def values(self, theta: Array) -> list[dict[str, float]]:
        """Values of the sliders of each sample, by name.

        Args:
            theta: Parameters (N, P) of deformations.
        """
        names = [slider.factor.name for slider in self.sliders]
        columns = [
            slider.of_theta(np.asarray(theta[:, i], np.float64))
            for i, slider in enumerate(self.sliders)
        ]
        return [
            {name: float(column[row]) for name, column in zip(names, columns, strict=True)}
            for row in range(len(theta))
        ]

    def ranges(self, theta: Array) -> list[tuple[float, float]]:
        """Ends of each slider.

        They are the bounds of its factor, widened to all samples and the identity.

        Args:
            theta: Parameters (N, P) of deformations of samples.
        """
        ends = []
        for i, slider in enumerate(self.sliders):
            values = slider.of_theta(np.asarray(theta[:, i], np.float64))
            values = values[np.isfinite(values)]
            least, greatest = (values.min(), values.max()) if len(values) else (np.inf, -np.inf)
            neutral, factor = slider.identity, slider.factor
            ends.append((min(factor.low, least, neutral), max(factor.high, greatest, neutral)))
        return [(float(low), float(high)) for low, high in ends]


def time_unit(unwarper: Unwarper) -> str:
    """The unit of times: `s`, or `samples` without a sampling rate.

    Args:
        unwarper: A trained estimator.
    """
    schema = unwarper.schema_
    return "s" if schema.clock.sampling_rate or schema.has_time_stamps else "samples"
