"""The interface of families of deformations.

Convention:
    * Theta and maps say how the **template** moves to give the **observation**. `push` sends a
      template point to its observed position, `pull` sends an observed point to the template.
      An image is made by `pull`: `observation(p) = template(pull(p))`. A dot of the template
      that is shifted by +0.5 in x appears at x = +0.5.
    * A point of an image is (x, y), x to the right and y down, in half-widths: -1 and 1 are the
      outer *edges* of the first and the last pixel (`align_corners=False`). A point of a series
      is a time: 0 is the first *time step* and 1 the last (step i of 0 to T - 1 is at
      i / (T - 1)).
    * `outer.compose(inner)`: `inner` acts on the template first.

Words:
    * Theta: the parameters of a deformation, one column for each `Factor` of its family.
    * Half-range of a factor: half the width between its bounds (`Factor.half_range`).
    * Stage: one step of an encoder. It predicts a part of the deformation, on the sample with the
      deformations of the earlier stages undone. The deformation is the product of all stages.
    * Centring: after training, the mean deformation of the training samples (the anchor) is
      removed from all maps and applied to the templates.
    * Summary columns: a deformation in units for people, such as degrees, pixels and seconds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from inspect import isabstract
from numbers import Integral, Real
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Domain, Factor
from unwarp.draws import draw_uniform
from unwarp.errors import ConfigError, DataError
from unwarp.registry import Registry
from unwarp.values import MAX_WHOLE, brief, field_mistake
from unwarp.waiting import send_like
from unwarp.warps.constants import constant, flags
from unwarp.warps.maps import Map

MAX_FRACTION = 1e6
"""Greatest share of a range that `sample` covers; shares above 1 leave the range."""

MIN_LOG_SLOPE = -60.0
"""Least log derivative of `constrain`; far from 0, in float32, a derivative is rounded to 0."""


@dataclass(frozen=True)
class Warp(ABC):
    """A family of deformations: a frozen record without weights.

    A network predicts real numbers (N, P). `constrain` turns them into theta, within the bounds of
    `factors`; `map` turns theta into a batch of deformations; `theta` computes the parameters of a
    map. Deformations are combined as maps (`Map.compose`), never by adding thetas. The theta of a
    product may be outside the bounds.

    Laws: `map(constrain(0))` is the identity; `theta(map(t))` is t; every step is differentiable;
    and the directions are those of the convention above. To add a family, derive a frozen dataclass
    with a class attribute `name`. It registers itself, and `Unwarper(warp=name)` uses it.

    Attributes:
        name: Name of the family, as users write it.
        registry: All families by name.
        size: Size of the frame, which `bind` sets: pixels (H, W) or time steps (T,). Summary
            columns in pixels or time steps and the aspect ratio of an image depend on it. The
            default is an image of 2 x 2 pixels, so that one pixel is one half-width.

    >>> import torch
    >>> from unwarp.warps import Similarity2d
    >>> warp = Similarity2d().bind((28, 28))
    >>> [factor.name for factor in warp.factors]
    ['rotation', 'log_scale', 'shift_x', 'shift_y']
    >>> map = warp.map(warp.constrain(torch.zeros(1, 4)))
    >>> map.push(torch.tensor([[0.25, -0.5]])).tolist()
    [[[0.25, -0.5]]]
    """

    name: ClassVar[str]
    registry: ClassVar[Registry[type[Warp]]] = Registry("warp", ConfigError)
    size: tuple[int, ...] = field(default=(2, 2), kw_only=True)

    def __post_init__(self) -> None:
        """Refuse fields of another type; a subclass with checks of its own calls it first."""
        if mistake := field_mistake(self):
            raise ConfigError(mistake)
        if min(self.size, default=0) < 1:
            raise ConfigError(
                f"{type(self).__name__}: size={self.size!r} is no size of a frame; give (H, W) or "
                "(T,), whole numbers of at least 1"
            )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register a concrete subclass that defines a `name`."""
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls) and not isabstract(cls):
            Warp.registry.add(cls.name, cls)

    @property
    def domain(self) -> str:
        """Name of the domain that it deforms; `auto` for any."""
        return "image"

    @property
    def moves_points(self) -> bool:
        """Whether the family moves points; False if it only changes values."""
        return True

    @property
    @abstractmethod
    def factors(self) -> tuple[Factor, ...]:
        """Name, unit and range of each column of theta.

        The ranges are symmetric about 0, except those of discrete columns, which begin at 0. They
        bound the deformation that one stage predicts; the product of several stages may exceed
        them. The prior is over theta divided by the half-ranges.
        """

    @property
    def continuous(self) -> Warp:
        """The family without discrete columns, as stages of encoders predict it."""
        return self

    @abstractmethod
    def constrain(self, raw: Tensor) -> Tensor:
        """Bring real numbers into the ranges of `factors`.

        Args:
            raw: Outputs of a network, (N, P).

        Returns:
            Theta (N, P). Each column is strictly increasing in its column of `raw`; 0 gives 0, the
            identity. A discrete column is 1 where `raw` is above 0.
        """

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives of theta in half-ranges by `raw`.

        A Gaussian over `raw` with the small standard deviation s gives theta, in half-ranges, the
        standard deviation `s exp(log_slope)`. Automatic differentiation finds the derivatives of
        any `constrain`; the families of this library have closed forms.

        Args:
            raw: Outputs of a network, (N, P).

        Returns:
            Logarithms (N, P), differentiable in `raw`, at least -60: far from 0 a derivative may be
            rounded to 0. A column with a range of 0 and a discrete column have 0.
        """
        needs_graph = torch.is_grad_enabled() and raw.requires_grad
        with torch.enable_grad():
            numbers = raw if needs_graph else raw.detach().clone().requires_grad_()
            # a column of theta depends on its column of raw only, so that the sum has all slopes
            theta = self.constrain(numbers).sum()
            (slope,) = torch.autograd.grad(theta, numbers, create_graph=needs_graph)
        half_ranges = constant(tuple(factor.half_range for factor in self.factors), slope)
        slope = slope / torch.where(half_ranges > 0, half_ranges, 1.0)
        log_slope = slope.clamp_min(torch.finfo(slope.dtype).tiny).log().clamp_min(MIN_LOG_SLOPE)
        has_no_slope = [f.discrete or not f.half_range for f in self.factors]
        return log_slope.masked_fill(flags(tuple(has_no_slope), slope), 0.0)

    @abstractmethod
    def map(self, theta: Tensor) -> Map:
        """The deformations with the parameters theta.

        Args:
            theta: Parameters (N, P), one column per factor; they may be outside the ranges.

        Returns:
            A map of N rows, differentiable in theta.
        """

    @abstractmethod
    def theta(self, map: Map) -> Tensor:
        """Parameters of a map (in the literature, its chart).

        Args:
            map: Deformations of this family, or products with other maps.

        Returns:
            Theta (N, P): exact for maps of the family, else the parameters of a map of the family
            that approximates `map`.
        """

    def theta_of_ends(self, map: Map) -> Tensor | None:
        """Theta of the line in time that moves the ends alike.

        A chain of a warp with fixed ends and a line is a map of which both parts are known: the
        line moves the ends.

        Args:
            map: N deformations.

        Returns:
            Theta (N, P); None if the family is no family of lines.
        """
        return None

    @property
    def has_fixed_ends(self) -> bool:
        """Whether all maps keep both ends of time."""
        return False

    @abstractmethod
    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Summary columns: the deformation in units for people.

        Args:
            map: N deformations.

        Returns:
            Columns (N,) by factor; names end in a physical unit if there is one (`rotation_deg`).
        """

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from summary columns: the inverse of `summary`.

        Args:
            columns: Columns (N,) by name, in the units of `summary`.

        Returns:
            Theta (N, P).

        Raises:
            ConfigError: A column is missing, or the columns do not determine theta.
        """
        raise ConfigError(
            f"the columns {', '.join(columns)} do not determine theta of {self.name!r}; "
            "use a table with full=True, which has every column of theta"
        )

    @property
    def parts(self) -> tuple[Warp, ...]:
        """The elementary families, in the order in which they act."""
        return (self,)

    def bind(self, size: Sequence[int], extent: float = 1.0) -> Warp:
        """The same family for samples of a given size.

        Args:
            size: Size of the frame: pixels (H, W) or time steps (T,).
            extent: Central share of the frame that templates fill, in (0, 1]. `Displacement2d`
                spreads its control vectors over this part; most families ignore it.

        Returns:
            A copy with this `size`.
        """
        domain = Domain.registry.get(self.domain)
        size = as_size(size)
        if domain is not None and len(size) != len(domain.axes):
            raise ConfigError(
                f"size={size} is no size of {domain.plural}, which {self.name!r} deforms; give one "
                f"number for each axis: {', '.join(domain.axes)}"
            )
        return replace(self, size=size)

    def with_size(self, size: Sequence[int]) -> Warp:
        """The same family on a frame of another size.

        Maps and theta are the same; summary columns are in the pixels of the new size.

        Args:
            size: Size of the frame: pixels (H, W) or time steps (T,).

        Returns:
            A copy with this `size`, in which everything else that `bind` or `recentre` sets stays.
        """
        return replace(self, size=tuple(size))

    def recentre(self, anchor: Map) -> Warp:
        """The family that describes centred maps by theta.

        A centred map is `map.compose(anchor.invert())`: the mean deformation is removed. Families
        that are closed under products (affine maps, lags, gains) contain the centred maps already
        and return themselves.

        Args:
            anchor: The mean deformation of the training samples, one row.

        Returns:
            The family; its `map` and `theta` are those of centred maps.
        """
        return self

    def mean(self, map: Map) -> Map:
        """The mean deformation: averages of theta, column by column.

        Angles are averaged on the circle. An angle with a range of the full circle has mean 0,
        since no direction is preferred. A discrete column has mean 0, the identity. All other
        columns (log scales, shears, shifts) have their arithmetic mean.

        Args:
            map: N deformations.

        Returns:
            An invertible map of one row.
        """
        return self.map(mean_of_columns(self.theta(map), self.factors))

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        fraction: float = 1.0,
        like: Tensor | None = None,
    ) -> Map:
        """Random deformations, uniform in each column of theta.

        Args:
            n: Number of deformations.
            generator: Source of randomness on the CPU; None for the global one.
            fraction: Central share of each range, 0 to 1; a full circle is always sampled whole,
                and a discrete column has each of its two values half of the time.
            like: Tensor with the dtype and the device of the result; None for float32 on the CPU.

        Returns:
            A map of `n` rows.

        Raises:
            ConfigError: `n` or `fraction` is no number, or out of range.
        """
        if isinstance(n, bool) or not isinstance(n, Integral) or not 0 <= n <= MAX_WHOLE:
            raise ConfigError(f"n={brief(n)} is no number of deformations; give 0 or more")
        is_share = isinstance(fraction, Real) and not isinstance(fraction, bool)
        if not is_share or not 0 <= fraction <= MAX_FRACTION:
            raise ConfigError(f"fraction={brief(fraction)} is no share of a range; give 0 to 1")
        # random numbers come from the CPU, so that a seed gives the same maps on every device
        half_range_shares = draw_uniform((n, len(self.factors)), generator) * 2 - 1
        half_ranges = torch.tensor(
            [f.half_range * (1.0 if f.periodic else fraction) for f in self.factors]
        )
        theta = half_range_shares * half_ranges
        is_discrete = torch.tensor([f.discrete for f in self.factors], dtype=torch.bool)
        theta = torch.where(is_discrete, (half_range_shares > 0).to(theta), theta)
        return self.map(send_like(theta, torch.zeros(0) if like is None else like))


def mean_of_columns(theta: Tensor, factors: Sequence[Factor]) -> Tensor:
    """Mean parameters of deformations, as `Warp.mean` describes them.

    Args:
        theta: Parameters (N, P).
        factors: The P factors that describe the columns.

    Returns:
        Parameters (1, P).

    >>> mean_of_columns(torch.tensor([[3.0], [-3.0]]), [Factor("rotation", "rad", -1.5, 1.5)]).abs()
    tensor([[3.1416]])
    """
    mean = theta.mean(0, keepdim=True)
    angle = torch.atan2(theta.sin().mean(0, keepdim=True), theta.cos().mean(0, keepdim=True))
    is_angle, has_no_mean = (
        torch.tensor(flags, device=theta.device)
        for flags in (
            [factor.unit == "rad" for factor in factors],
            [factor.periodic or factor.discrete for factor in factors],
        )
    )
    return torch.where(is_angle, angle, mean).masked_fill(has_no_mean, 0.0)


def as_size(size: Sequence[int]) -> tuple[int, ...]:
    """The size of a frame as a tuple.

    Args:
        size: Pixels (H, W) or time steps (T,).

    Raises:
        ConfigError: It is no tuple, list or array of whole numbers.

    >>> as_size([28, 28])
    (28, 28)
    """
    if not isinstance(size, Sequence) or isinstance(size, str | bytes):
        raise ConfigError(f"size={brief(size)} is no size of a frame; give (H, W) or (T,)")
    return tuple(size)


def check_theta(warp: Warp, theta: Tensor) -> None:
    """Refuse parameters that are not those of a family.

    Every `map` calls it first.

    Args:
        warp: The family.
        theta: Parameters (N, P), one column for each factor.

    Raises:
        DataError: They are no tensor of real numbers with two axes and P columns.

    >>> from unwarp.warps import Rigid2d
    >>> check_theta(Rigid2d(), torch.zeros(5, 3))
    """
    if torch.compiler.is_compiling():  # a traced graph has no cache to look into
        return
    is_table = isinstance(theta, Tensor) and theta.is_floating_point() and theta.ndim == 2
    try:
        n_columns = _n_columns(warp)
    except TypeError:  # a field is a list, which has no hash
        n_columns = len(warp.factors)
    if not is_table or theta.shape[1] != n_columns:
        is_tensor = isinstance(theta, Tensor)
        form = f"a tensor {tuple(theta.shape)}, {theta.dtype}" if is_tensor else brief(theta)
        raise DataError(
            f"theta={form} is not allowed; give a tensor (N, {n_columns}) of real numbers, the "
            f"columns of {warp.name!r}"
        )


@lru_cache(maxsize=256)
def _n_columns(warp: Warp) -> int:
    """Number of factors of a warp, which takes longer than small maps."""
    return len(warp.factors)


def log_slope_of_tanh(raw: Tensor) -> Tensor:
    """Log derivative of tanh, finite for all finite `raw`.

    log(1 - tanh(r)^2) = 2 (log 2 - r - log(1 + exp(-2 r))).

    Args:
        raw: Real numbers, of any shape.

    Returns:
        Logarithms, at most 0, of the same shape.

    >>> round(float(log_slope_of_tanh(torch.tensor(50.0))), 2)
    -98.61
    """
    return 2 * (math.log(2) - raw - F.softplus(-2 * raw))
