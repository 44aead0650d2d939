"""What samples a model takes: their kind, their shape, their units and their time, found when it learns and kept with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, DomainName, MissingPolicy
from unwarp.data.arrays import dense
from unwarp.data.dataset import Dataset
from unwarp.data.opening import _known, _opened, resolve_domain
from unwarp.data.recordings import Clock, IrregularSeries, RegularSamples, errors_name, parse_samples
from unwarp.data.scaling import Scale, Scaler, fit_scaler, own_scaler
from unwarp.errors import CheckpointError, ConfigError, DataError


@dataclass(frozen=True, eq=False)
class Prepared:
    """Samples as a model sees them, and the way back.

    Attributes:
        x: Scaled samples (N, *shape).
        scaler: How they were scaled.
        origin: How they came.
    """

    x: Tensor
    scaler: Scaler
    origin: RegularSamples | IrregularSeries

    def aligned(self, x: Tensor) -> Array:
        """`x` (N, *shape) in the range, the dtype and the shape in which the samples came; series at even steps."""
        return self.origin.aligned(self.scaler.undo(x.numpy()))

    def recorded(self, x: Tensor) -> Array | list[Array]:
        """The same, series at the times at which they came."""
        return self.origin.recorded(self.scaler.undo(x.numpy()))


@dataclass(frozen=True)
class Schema:
    """The samples of a user as a model sees them, and back.

    Attributes:
        domain: `image` or `series`.
        shape: Shape of a sample, (C, H, W) or (C, T).
        scaler: From the units of the data to those of the model.
        image_shape: (H, W) or (C, H, W) of flattened images; None where they have their shape.
        each: Whether each series and channel is scaled by itself, instead of by `scaler`.
        clock: The time of series.
        timed: Whether series came with times when the model learned, and so must come with them ever after.

    >>> Schema("series", (1, 3), Scaler(factor=2.0)).take([[0.0, 2.0, 4.0]]).x
    tensor([[[0., 1., 2.]]])
    """

    domain: Literal["image", "series"]
    shape: tuple[int, ...]
    scaler: Scaler
    image_shape: tuple[int, ...] | None = None
    each: bool = False
    clock: Clock = field(default_factory=Clock)
    timed: bool = False

    @property
    def n_features(self) -> int:
        """Numbers in a sample."""
        return int(np.prod(self.shape))

    @property
    def times(self) -> Array:
        """The time of each step of series (T,)."""
        return self.clock.at(np.arange(self.shape[-1]))

    def take(self, X: Any, times: Any = None, missing: MissingPolicy = "error") -> Prepared:
        """`X` scaled; see `Unwarper` for the arguments.

        Raises:
            DataError: Samples of another shape, or no times where the model learned from series with times.
        """
        given, stamps, _ = _opened(X, times)
        if self.timed and stamps is None:
            raise DataError(
                "X comes without times, the model learned from series with times; give theirs too, as times=(T,), (N, T) or "
                "a list of N (T_i,). Series at the even steps of aligned ones have times=unwarper.times_; to move "
                "places in series use transform_events"
            )
        came, _ = parse_samples(given, stamps, self.domain, self.image_shape, self.clock.any_length)
        length = self.shape[-1] if self.clock.any_length else None
        came = came if self.clock.any_length else came.within(self.shape[-1])
        samples = came.even(length, _known(missing))
        if samples.shape[1:] != self.shape:
            raise DataError(
                f"X has {int(np.prod(samples.shape[1:]))} features, but Unwarper is expecting {self.n_features} features as "
                f"input: samples of shape {samples.shape[1:]} came, it was trained on {self.shape}"
            )
        scaler = own_scaler(came.even(length, _whole(missing))) if self.each else self.scaler
        return Prepared(torch.from_numpy(scaler.apply(samples)), scaler, came)

    def along(self, other: Any, taken: Prepared, missing: MissingPolicy = "error") -> Prepared:
        """Another channel, or a mask, of the same samples in the same frame, unscaled (N, C', ...); gaps are met likewise.

        Raises:
            DataError: Another number of samples, or another frame; a missing value where `missing` is `error`.
        """
        if isinstance(taken.origin, IrregularSeries):
            came: RegularSamples | IrregularSeries = taken.origin.beside(other)
            length: int | None = self.shape[-1]
        else:
            came, length = self._beside(other), None
        with errors_name("other"):
            second = came.even(length, missing)
        if len(second) != len(taken.x) or second.shape[2:] != self.shape[1:]:
            raise DataError(
                f"other has shape {np.shape(other)}, X has {tuple(taken.x.shape)}; samples and frame must agree"
            )
        return Prepared(torch.from_numpy(np.array(second, np.float32)), Scaler(), came)

    def _beside(self, other: Any) -> RegularSamples | IrregularSeries:
        """Another channel of samples that needed nothing; it may have gaps of its own."""
        with errors_name("other"):
            flat = self.image_shape if self.image_shape and dense(other).ndim == 2 else None
            return parse_samples(other, None, self.domain, flat, any_length=False)[0].within(self.shape[-1])

    def spans(self, taken: Prepared, inverse: bool = False) -> tuple[Array, Array]:
        """Between which times the samples were observed (N, 2), and the aligned ones lie (N, 2); swapped if `inverse`.

        Raises:
            DataError: The samples are pictures.
        """
        if self.domain == "image":
            raise DataError("events are of series; for pictures use transform_points")
        seen = taken.origin.spans(self.clock)
        shown = np.broadcast_to(self.times[[0, -1]], seen.shape)
        return (shown, seen) if inverse else (seen, shown)

    def locate(self, points: Any, taken: Prepared) -> Tensor:
        """Pixels or sample numbers, for each of N samples or for all, as points of a map's frame; `places` leads back.

        Convention:
            The first pixel's centre is (0, 0) and the frame is that of `unwarp.warps`: pixel edges at -1 and 1. Sample i of
            T of a series stands at i / (T - 1).

        Raises:
            DataError: Neither (K, axes) nor (N, K, axes), or series that were resampled.
        """
        if isinstance(taken.origin, IrregularSeries) and self.clock.any_length:
            raise DataError("X holds series of unequal lengths or with times; use transform_events for places in them")
        size, n, where = self._size, len(taken.x), np.asarray(points, float)
        if where.shape[-1:] != size.shape or where.ndim not in (2, 3) or (where.ndim == 3 and len(where) != n):
            raise DataError(f"points has shape {where.shape}; give (K, {len(size)}) or ({n}, K, {len(size)})")
        framed = (2 * where + 1) / size - 1 if self.domain == "image" else where / (size - 1)
        return torch.as_tensor(framed, dtype=torch.float32).expand(n, *framed.shape[-2:])

    def places(self, framed: Tensor) -> Array:
        """Points of a map's frame (..., axes) as pixels or sample numbers."""
        where, size = framed.numpy(), self._size
        return np.asarray(((where + 1) * size - 1) / 2 if self.domain == "image" else where * (size - 1))

    @property
    def _size(self) -> Array:
        """Width and height, or length."""
        return np.array(self.shape[1:][::-1], float)

    def record(self) -> dict[str, Any]:
        """What a model folder keeps of it, as plain values."""
        return {"domain": self.domain, "each": self.each, "timed": self.timed, **self._units(), **vars(self.clock)}

    def _units(self) -> dict[str, Any]:
        return {name: np.asarray(value).tolist() for name, value in vars(self.scaler).items()}

    @classmethod
    def of(cls, record: Mapping[str, Any], shape: tuple[int, ...], image_shape: tuple[int, ...] | None) -> Self:
        """What `record` wrote; older models know no clock, nor whether series came with times.

        Raises:
            CheckpointError: A scale of another shape than that of one for all samples, or for each channel of series.
        """
        clock = {name: record[name] for name in vars(Clock()) if name in record}
        scaler = _scaler(record, shape)
        marks = {name: record.get(name, False) for name in ("each", "timed")}
        return cls(record["domain"], shape, scaler, image_shape, clock=Clock(**clock), **marks)


def _scaler(record: Mapping[str, Any], shape: tuple[int, ...]) -> Scaler:
    units = {name: np.asarray(record[name]) for name in vars(Scaler())}
    fits = [(), (1, shape[0], 1)] if record["domain"] == "series" else [()]
    for name, value in units.items():
        if value.shape not in fits:
            raise CheckpointError(
                f"{name} has shape {value.shape}, samples of shape {shape} have {' or '.join(map(str, fits))}"
            )
    return Scaler(**{name: value if value.ndim else value.item() for name, value in units.items()})


def learnable(
    X: Any,
    domain: DomainName,
    scale: Scale,
    image_shape: tuple[int, ...] | None,
    times: Any = None,
    missing: MissingPolicy = "error",
    sampling_rate: float | None = None,
    leaning: DomainName = "auto",
) -> tuple[Dataset, Schema]:
    """`X` as a checked, scaled data set, and what its samples are; see `Unwarper` for the arguments.

    Where neither `domain` nor the data say what three axes are, `leaning` does.

    Raises:
        DataError: Data that cannot be used, or a single sample.
        ConfigError: An unknown `domain`, `scale` or `missing`, or a `sampling_rate` that cannot be.
    """
    given, stamps, said = _opened(X, times)
    came, found = parse_samples(given, stamps, resolve_domain(given, domain, said, leaning), image_shape)
    if sampling_rate is not None and not (
        found == "series" and isinstance(sampling_rate, Real) and 0 < sampling_rate < np.inf
    ):
        raise ConfigError(
            f"sampling_rate={sampling_rate!r} must be positive samples a second of series, or None; X holds {found} data"
        )
    length, clock = came.clock(sampling_rate)
    samples, whole = (came.even(length, policy) for policy in (_known(missing), _whole(missing)))
    scaler = fit_scaler(whole, found, scale)
    own = own_scaler(whole) if scale == "each" else scaler
    scaled = torch.from_numpy(own.apply(samples))
    data = replace(X, x=scaled) if isinstance(X, Dataset) else Dataset(scaled)
    if isinstance(came, IrregularSeries):
        data = replace(data, mask=None, times=None)
    if len(data) < 2:
        raise DataError("X holds 1 sample (n_samples=1); learning needs at least 2, better hundreds")
    return data, Schema(found, data.shape, scaler, image_shape, scale == "each", clock, stamps is not None)


def _whole(missing: MissingPolicy) -> MissingPolicy:
    """How gaps are filled where a scale is fitted."""
    return "interpolate" if missing == "mask" else missing
