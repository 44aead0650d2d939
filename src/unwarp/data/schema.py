"""`Schema`: what samples a model takes, and the way back to the user's units, dtype and form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Domain, MissingPolicy
from unwarp.data.arrays import dense
from unwarp.data.dataset import Dataset
from unwarp.data.opening import check_policy, policy_for_scaling, resolve_domain
from unwarp.data.recordings import (
    Clock,
    IrregularSeries,
    RegularSamples,
    errors_name,
    parse_samples,
)
from unwarp.data.scaling import Scale, Scaler, fit_scaler, own_scaler
from unwarp.data.source import Source
from unwarp.errors import CheckpointError, ConfigError, DataError

Origin = RegularSamples | IrregularSeries


@dataclass(frozen=True)
class Reading:
    """How samples are to be read, as a user says.

    Attributes:
        domain: Name of their domain, or `auto`.
        scale: How their numbers are scaled, as for `Unwarper`.
        missing: What a missing value becomes, as for `Unwarper`.
        sampling_rate: Samples a second of series; None where time is counted in samples.
        image_shape: (H, W) or (C, H, W) of flattened pictures.
        warp_domain: Domain on which the warp acts, which decides where nothing else does; or `auto`.
    """

    domain: str = "auto"
    scale: Scale = "auto"
    missing: MissingPolicy = "error"
    sampling_rate: float | None = None
    image_shape: tuple[int, ...] | None = None
    warp_domain: str = "auto"

    def domain_of(self, source: Source) -> str:
        """Name of the domain of a source, as far as anybody says."""
        return resolve_domain(source.x, self.domain, source.domain, self.warp_domain)

    def parse(self, source: Source) -> Source:
        """The source with its samples parsed and checked, so that parts of it need it no more.

        Raises:
            DataError: Data that cannot be used; the message counts samples in the whole source.
            ConfigError: An unknown domain or policy.
        """
        if source.dataset is not None:
            return source
        origin, name = parse_samples(
            source.x, source.times, self.domain_of(source), self.image_shape
        )
        origin.even(None, check_policy(self.missing))
        return replace(source, x=origin, times=None, domain=name)

    def check_sampling_rate(self, domain: Domain) -> None:
        """Refuse a sampling rate that cannot be, or that samples of `domain` do not have.

        Raises:
            ConfigError: The rate is no positive number, or the samples do not run over time.
        """
        rate = self.sampling_rate
        if rate is None or (domain.has_times and isinstance(rate, Real) and 0 < rate < np.inf):
            return
        raise ConfigError(
            f"sampling_rate={rate!r} must be positive samples a second of series, or None; X holds {domain.name} data"
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """Samples as a model sees them, and the way back.

    Attributes:
        x: Scaled samples (N, *shape).
        scaler: How they were scaled.
        origin: The form in which they came.
    """

    x: Tensor
    scaler: Scaler
    origin: Origin

    def __len__(self) -> int:
        return len(self.x)

    def restore_shape(self, x: Tensor) -> Array:
        """`x` (N, *shape) in the user's range, dtype and shape; series at even steps."""
        return self.origin.restore_shape(self.scaler.undo(x.numpy()))

    def restore_clock(self, x: Tensor) -> Array | list[Array]:
        """`x` (N, *shape) as the user gave the samples; series at their own times."""
        return self.origin.restore_clock(self.scaler.undo(x.numpy()))


@dataclass(frozen=True)
class Schema:
    """The samples of a user as a model sees them, and back.

    Attributes:
        domain: What the samples are.
        shape: Shape of a sample, (C, H, W) or (C, T).
        scaler: From the units of the data to those of the model.
        image_shape: (H, W) or (C, H, W) of flattened images; None where they have their shape.
        each: Whether each series and channel is scaled by itself, instead of by `scaler`.
        clock: The time of series.
        timed: Whether series came with times when the model learned, and so must come with them ever after.

    >>> from unwarp.core import SERIES
    >>> schema = Schema(SERIES, (1, 3), Scaler(factor=2.0))
    >>> schema.prepare(Source([[0.0, 2.0, 4.0]])).x
    tensor([[[0., 1., 2.]]])
    """

    domain: Domain
    shape: tuple[int, ...]
    scaler: Scaler
    image_shape: tuple[int, ...] | None = None
    scaled_per_sample: bool = False
    clock: Clock = field(default_factory=Clock)
    timed: bool = False

    @classmethod
    def fit(cls, source: Source, reading: Reading = Reading()) -> tuple[Self, Dataset]:
        """What the samples of `source` are, and a data set of them as a model sees them.

        Args:
            source: Training samples.
            reading: How to read them.

        Raises:
            DataError: Data that cannot be used, or a single sample.
            ConfigError: An unknown domain, scale or policy, or a sampling rate that cannot be.
        """
        origin, name = parse_samples(
            source.x, source.times, reading.domain_of(source), reading.image_shape
        )
        domain = Domain.registry[name]
        reading.check_sampling_rate(domain)
        length, clock = origin.clock(reading.sampling_rate)
        missing, scaled_per_sample = check_policy(reading.missing), reading.scale == "each"
        samples, whole = (
            origin.even(length, how) for how in (missing, policy_for_scaling(missing))
        )
        scaler = fit_scaler(whole, name, reading.scale)
        scaled = (own_scaler(whole) if scaled_per_sample else scaler).apply(samples)
        data = _without_gaps(source.as_dataset(torch.from_numpy(scaled)), origin)
        if len(data) < 2:
            raise DataError(
                "X holds 1 sample (n_samples=1); learning needs at least 2, better hundreds"
            )
        return cls(
            domain,
            data.shape,
            scaler,
            reading.image_shape,
            scaled_per_sample,
            clock,
            _has_times(origin),
        ), data

    @property
    def n_features(self) -> int:
        """Numbers in a sample."""
        return int(np.prod(self.shape))

    @property
    def times(self) -> Array:
        """The time of each step of series (T,)."""
        return self.clock.at(np.arange(self.shape[-1]))

    def with_sampling_rate(self, sampling_rate: float | None) -> Self:
        """The same schema with a sampling rate, where it has none."""
        rate = self.clock.sampling_rate or sampling_rate
        return replace(self, clock=replace(self.clock, sampling_rate=rate))

    def prepare(self, source: Source, missing: MissingPolicy = "error") -> Prepared:
        """Samples as the model sees them.

        Args:
            source: Samples like those that the model learned from.
            missing: What a missing value becomes, as for `Unwarper`.

        Raises:
            DataError: Samples of another shape, or without times where the model learned with times.
        """
        if self.timed and source.times is None and not _has_times(source.x):
            raise DataError(
                "X comes without times, the model learned from series with times; give theirs too, as "
                "times=(T,), (N, T) or a list of N (T_i,). Series at the even steps of aligned ones have "
                "times=unwarper.times_; to move places in series use transform_events"
            )
        any_length = self.clock.any_length
        origin, _ = parse_samples(
            source.x, source.times, self.domain.name, self.image_shape, any_length
        )
        length = self.shape[-1] if any_length else None
        origin = origin if any_length else origin.within(self.shape[-1])
        samples = origin.even(length, check_policy(missing))
        self._check_shape(samples.shape[1:])
        whole = (
            origin.even(length, policy_for_scaling(missing)) if self.scaled_per_sample else samples
        )
        scaler = own_scaler(whole) if self.scaled_per_sample else self.scaler
        return Prepared(torch.from_numpy(scaler.apply(samples)), scaler, origin)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if shape != self.shape:
            raise DataError(
                f"X has {int(np.prod(shape))} features, but Unwarper is expecting {self.n_features} features "
                f"as input: samples of shape {shape} came, it was trained on {self.shape}"
            )

    def prepare_dataset(self, source: Source, missing: MissingPolicy = "error") -> Dataset:
        """Samples as the model sees them, with all facts that are known of them.

        Args:
            source: Samples like those that the model learned from.
            missing: What a missing value becomes, as for `Unwarper`.

        Raises:
            DataError: As of `prepare`.
        """
        if (
            source.dataset is not None and source.dataset.draw is not None
        ):  # originals, of another size
            x = torch.from_numpy(self.scaler.apply(source.dataset.x.numpy()))
            return replace(source.dataset, x=x)
        prepared = self.prepare(source, missing)
        return _without_gaps(source.as_dataset(prepared.x), prepared.origin)

    def prepare_other(
        self, other: Any, samples: Prepared, missing: MissingPolicy = "error"
    ) -> Prepared:
        """Another channel, or a mask, of the same samples, unscaled (N, C', ...).

        Args:
            other: Numbers in the same frame as the samples.
            samples: The samples.
            missing: What a missing value becomes, as for `Unwarper`.

        Raises:
            DataError: Another number of samples or another frame; a missing value where `missing` is `error`.
        """
        if isinstance(samples.origin, IrregularSeries):
            origin: Origin = samples.origin.beside(other)
            length: int | None = self.shape[-1]
        else:
            origin, length = self._parse_other(other), None
        with errors_name("other"):
            second = origin.even(length, missing)
        if len(second) != len(samples) or second.shape[2:] != self.shape[1:]:
            raise DataError(
                f"other has shape {np.shape(other)}, X has {tuple(samples.x.shape)}; samples and frame must agree"
            )
        return Prepared(torch.from_numpy(np.array(second, np.float32)), Scaler(), origin)

    def _parse_other(self, other: Any) -> Origin:
        """Another channel of samples that needed nothing; it may have gaps of its own."""
        with errors_name("other"):
            flat = self.image_shape if self.image_shape and dense(other).ndim == 2 else None
            origin, _ = parse_samples(other, None, self.domain.name, flat, any_length=False)
            return origin.within(self.shape[-1])

    def record(self) -> dict[str, Any]:
        """What a model folder keeps of it, as plain values."""
        units = {name: np.asarray(value).tolist() for name, value in vars(self.scaler).items()}
        marks = {"domain": self.domain.name, "each": self.scaled_per_sample, "timed": self.timed}
        return {**marks, **units, **vars(self.clock)}

    @classmethod
    def of(
        cls, record: Mapping[str, Any], shape: tuple[int, ...], image_shape: tuple[int, ...] | None
    ) -> Self:
        """The schema that `record` wrote.

        Args:
            record: What `record()` gave.
            shape: Shape of a sample (C, ...).
            image_shape: Shape of flattened images, or None.

        Raises:
            CheckpointError: A scale of a shape that samples do not have.
        """
        clock = Clock(**{name: record[name] for name in vars(Clock())})
        domain, scaler = Domain.registry[record["domain"]], _scaler(record, shape)
        return cls(domain, shape, scaler, image_shape, record["each"], clock, record["timed"])


def _has_times(samples: Any) -> bool:
    """Whether parsed samples came with time stamps."""
    return isinstance(samples, IrregularSeries) and samples.timed


def _without_gaps(data: Dataset, origin: Origin) -> Dataset:
    """The data set without mask and times where its series were brought to even steps."""
    return replace(data, mask=None, times=None) if isinstance(origin, IrregularSeries) else data


def _scaler(record: Mapping[str, Any], shape: tuple[int, ...]) -> Scaler:
    """The scale of a record, checked against the shape of a sample."""
    units = {name: np.asarray(record[name]) for name in vars(Scaler())}
    shapes = [(), (1, shape[0], 1)] if Domain.registry[record["domain"]].has_times else [()]
    for name, value in units.items():
        if value.shape not in shapes:
            raise CheckpointError(
                f"{name} has shape {value.shape}, samples of shape {shape} have {' or '.join(map(str, shapes))}"
            )
    return Scaler(**{name: value if value.ndim else value.item() for name, value in units.items()})
