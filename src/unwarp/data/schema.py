"""Description of the samples that a model takes.

A `Schema` prepares new samples exactly as the training data: with the same domain, shape, scale and
clock (the times of the steps). Results of the model can be converted back to the user's units,
dtype and layout.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Domain, LayoutName, MissingPolicy
from unwarp.data.array_likes import as_dense
from unwarp.data.blocks import row_blocks
from unwarp.data.clock import Clock
from unwarp.data.dataset import Dataset
from unwarp.data.frames import Frame
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.levelling import levelled
from unwarp.data.missing import check_policy, policy_for_scaling
from unwarp.data.parsing import parse_other, parse_samples, rename_in_errors
from unwarp.data.precision import loses_digits
from unwarp.data.prepared import Origin
from unwarp.data.prepared import Prepared as Prepared
from unwarp.data.reading import DEFAULT_READING
from unwarp.data.reading import Reading as Reading
from unwarp.data.samples import Samples, as_dataset, training_samples
from unwarp.data.scale_fitting import fit_scale, scaler_of_samples
from unwarp.data.scaling import Scaler, scaler_of_record
from unwarp.data.source import Source
from unwarp.data.time_stamps import as_times, check_steps
from unwarp.data.value_range import ValueRange
from unwarp.data.working_size import find_working_size, note_on_size
from unwarp.errors import DataError, DataWarning
from unwarp.values import brief


@dataclass(frozen=True)
class Schema:
    """Domain, shape, scale and clock of the samples that a model takes.

    `Schema.fit` derives a schema from training samples and returns them as a tensor; `prepare`
    resamples and scales new samples in the same way. A model is stored together with its schema
    (`record`, `of`), so that a loaded model accepts samples in the user's units.

    Attributes:
        domain: Domain of the samples.
        shape: Shape of a sample, (C, H, W) or (C, T).
        scaler: Scale from the user's units to those of the model.
        image_shape: Shape (H, W) or (C, H, W) of an image if the user gave one flattened image per
            row, or gave the shape to settle the layout; else None.
        scaled_per_sample: Whether each image, or each channel of each series, is scaled by itself,
            instead of by `scaler`.
        clock: Times of the steps of series.
        has_time_stamps: Whether the training series had time stamps. If so, new series must have
            them, too.
        values: Range and type of the training samples; None if unknown, as in older models.
        full_size: Height and width of the user's images, or number of steps of the user's series,
            if the model learns smaller copies, of `shape`; None if it learns samples as they are.
        has_dark_ground: For images with a scale each, whether their background becomes 0.
        is_levelled: For series with a scale each, whether they lose their trends and spikes.
        has_gaps: Whether the model takes series with missing values, NaN: those of the user, and
            the times before the start of a series or after its end.
        notes: Decisions about size and scale, with their evidence, as lines for the user.
        limited_rows: Rows of the training samples whose values are limited in training.
        channels: Names of the channels of the training series (C); empty if they had none.

    >>> from unwarp.core import SERIES
    >>> schema = Schema(SERIES, (1, 3), Scaler(factor=2.0))
    >>> prepared = schema.prepare(Source([[0.0, 2.0, 4.0]]))
    >>> prepared[:]
    tensor([[[0., 1., 2.]]])
    >>> prepared.restore_shape(prepared.x).tolist()
    [[0.0, 2.0, 4.0]]
    """

    domain: Domain
    shape: tuple[int, ...]
    scaler: Scaler
    image_shape: tuple[int, ...] | None = None
    scaled_per_sample: bool = False
    clock: Clock = field(default_factory=Clock)
    has_time_stamps: bool = False
    values: ValueRange | None = None
    full_size: tuple[int, ...] | None = None
    has_dark_ground: bool = False
    has_gaps: bool = False
    notes: tuple[str, ...] = field(default=(), compare=False)
    limited_rows: tuple[int, ...] = field(default=(), compare=False)
    is_levelled: bool = False
    channels: tuple[str, ...] = ()

    @classmethod
    def fit(cls, source: Source, reading: Reading = DEFAULT_READING) -> tuple[Self, Samples]:
        """The schema of training samples, and their data set.

        Args:
            source: At least 2 training samples.
            reading: The user's options for reading the samples.

        Returns:
            The schema, and a data set. The data set has the scaled samples (N, *shape), float32,
            and the labels, names and further facts of the source. Series have evenly spaced steps.
            Missing values are NaN if `reading.missing` is `mask`; otherwise no value is NaN.

        Raises:
            DataError: The samples cannot be used, or there is only one.
            ConfigError: A domain, a scale or a treatment of missing values is unknown, or the
                sampling rate is not a positive number.

        >>> schema, data = Schema.fit(Source([[0.0, 2.0], [2.0, 4.0]]))
        >>> schema.shape, schema.scaler.offset, data.x.shape
        ((1, 2), 2.0, torch.Size([2, 1, 2]))
        """
        origin, name = parse_samples(
            source.x,
            source.times,
            reading.domain_of(source),
            reading.image_shape,
            layout=source.layout,
        )
        domain = Domain.registry[name]
        reading.check_options_of_series(domain)
        length, clock, why = origin.infer_clock(reading.sampling_rate, reading.lengths)
        missing = check_policy(reading.missing)
        gapless = origin.resample(length, policy_for_scaling(missing))
        fit = fit_scale(gapless, domain, reading.scale, reading.has_gain)
        origin = origin.on(clock)
        samples = origin.resample(length, missing)
        prepared = Prepared(
            samples,
            scaler_of_samples(gapless, domain, fit.has_dark_ground, fit.is_levelled)
            if fit.is_per_sample
            else fit.scaler,
            origin,
            _working_size(source, samples, domain, reading),
            domain.is_bounded,
            is_levelled=fit.is_levelled,
        )
        data = training_samples(source, prepared, fit.outliers)
        if len(data) < 2:
            raise DataError(
                "X holds 1 sample (n_samples=1); learning needs at least 2, better hundreds"
            )
        has_times = _has_time_stamps(origin)
        values = ValueRange.of(gapless, origin.dtype)
        full_size = None if prepared.size is None else samples.shape[2:]
        return cls(
            domain,
            data.shape,
            fit.scaler,
            reading.image_shape,
            fit.is_per_sample,
            clock,
            has_times,
            values,
            full_size,
            fit.has_dark_ground,
            domain.has_gaps and (missing == "mask" or _has_missing(samples, origin)),
            tuple(filter(None, (note_on_size(domain, data.shape[1:], full_size), fit.note, why))),
            tuple(fit.outliers.tolist()),
            fit.is_levelled,
            source.form.channels,
        ), data

    @property
    def user_shape(self) -> tuple[int, ...]:
        """Shape (C, ...) of a sample as the user has it."""
        return self.shape if self.full_size is None else (self.shape[0], *self.full_size)

    @property
    def n_features(self) -> int:
        """Number of values in a sample as the user has it."""
        return int(np.prod(self.user_shape))

    @property
    def times(self) -> Array:
        """Times of the steps of series (T,).

        They are in the unit of the time stamps, else in seconds if there is a sampling rate, else
        in steps.
        """
        return self.clock.time_of(np.arange(self.user_shape[-1]))

    def with_sampling_rate(self, sampling_rate: float | None) -> Self:
        """The schema with a sampling rate, unless it has one already.

        A warp of time may have been created with a sampling rate, which the schema then takes over.

        Args:
            sampling_rate: Time steps per second; None changes nothing.
        """
        rate = self.clock.sampling_rate or sampling_rate
        return replace(self, clock=replace(self.clock, sampling_rate=rate))

    def prepare(self, source: Source, missing: MissingPolicy = "error") -> Prepared:
        """New samples as the model takes them.

        Args:
            source: Samples of the same domain and shape as the training data. Series may have any
                length if the training series differ in length or have time stamps.
            missing: Treatment of missing values of series.

        Returns:
            The scaled samples (N, *shape), with methods to convert results to the user's form.

        Raises:
            DataError: The samples cannot be used, have another shape or other units, other names
                of channels, or lack time stamps although the training data have them.
            ConfigError: `missing` is unknown.
        """
        self._check_channels(source)
        self._check_times(source)
        any_length = self.clock.any_length
        origin, _ = parse_samples(
            source.x, source.times, self.domain.name, self.image_shape, any_length, source.layout
        )
        length = None
        if any_length:
            length = self.user_shape[-1]
        else:
            # all series must have the length of the training series; NaN beyond it is padding
            origin = origin.trim(self.user_shape[-1])
        gapless_origin, origin = origin, origin.on(self.clock)
        samples = origin.resample(length, check_policy(missing))
        self._check_shape(samples.shape[1:])
        self._check_cover(samples, origin, missing)
        if self.values is not None and not self.scaled_per_sample:
            self.values.check(samples, origin.dtype, self.domain)
        scaler = self.scaler
        if self.scaled_per_sample:
            gapless = gapless_origin.resample(length, policy_for_scaling(missing))
            scaler = self._scaler_of(gapless)
        size = None if self.full_size is None else self.shape[1:]
        bounded, level = self.domain.is_bounded, self.is_levelled
        options: dict[str, Any] = {"is_levelled": level, "sizing": source.sizing}
        return Prepared(samples, scaler, origin, size, bounded, source.frame, **options)

    def _check_channels(self, source: Source) -> None:
        """Refuse series with other names of channels, or another order; names may be lacking."""
        names, expected = source.form.channels, self.channels
        if not names or not expected or names == expected:
            return
        is_reordered = sorted(names) == sorted(expected)
        raise DataError(
            f"the channels of X are {', '.join(names)}, the model was trained on "
            f"{', '.join(expected)}; "
            + (
                "put them in that order"
                if is_reordered
                else "give these, in that order, rename them, or name those to read with "
                "value_columns"
            )
        )

    def _check_times(self, source: Source) -> None:
        """Refuse series without time stamps if the training series had them, or with others."""
        if self.has_time_stamps and source.times is None and not _has_time_stamps(source.x):
            raise DataError(
                "times=None, but the model was trained on series with time stamps; give the time "
                "stamps of X as times: (T,), (N, T) or a list of N arrays (T_i,). For series that "
                "the model aligned, set times=unwarper.times_; to transform points in series, use "
                "transform_events"
            )
        if not self.has_time_stamps and _has_time_stamps(source.x):
            check_steps(source.x.times, self.clock.sampling_rate)
        elif not self.has_time_stamps and source.times is not None:
            times = as_times(source.times)
            rows = [times] if isinstance(times, np.ndarray) else times
            check_steps(rows, self.clock.sampling_rate)

    def _check_cover(self, samples: Array, origin: Origin, missing: MissingPolicy) -> None:
        """Refuse series with gaps if the model takes none; warn of those beyond its time steps."""
        length = self.user_shape[-1]
        if isinstance(origin, IrregularSeries) and (n := origin.n_beyond(length)):
            warnings.warn(
                f"{n} of {len(origin)} series begin before or end after the time axis of the "
                f"model, {self.times[0]:g} to {self.times[-1]:g}; what lies outside is left out",
                DataWarning,
                stacklevel=2,
            )
        if self.has_gaps or missing == "mask" or not _has_missing(samples, origin):
            return
        row = int(np.isnan(samples).any((1, 2)).argmax())
        raise DataError(
            f"sample {row} of X does not cover the times {self.times[0]:g} to {self.times[-1]:g}, "
            "as all training series do; leave it out, train on series of different lengths, or set "
            "lengths='stretch'"
        )

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if shape != self.user_shape:
            # scikit-learn's tests of estimators require the wording before the colon
            raise DataError(
                f"X has {int(np.prod(shape))} features, but Unwarper is expecting "
                f"{self.n_features} features as input: its samples have shape {shape}; give "
                f"samples of the shape of the training data, {self.user_shape}"
            )

    def prepare_dataset(self, source: Source, missing: MissingPolicy = "error") -> Dataset:
        """New samples as a data set for the model, with their labels.

        A data set with `draw` generates a new random observation of each original at every step.
        For such a data set, the originals are scaled, and `draw` then acts on the scaled originals;
        the shape is not checked.

        Args:
            source: Samples of the same domain and shape as the training data.
            missing: Treatment of missing values of series.

        Returns:
            A data set of the scaled samples (N, *shape).

        Raises:
            DataError: The samples cannot be used; see `prepare`.
        """
        original = source.dataset
        if original is not None and original.draw is not None:
            return replace(original, x=self._scaled(original.x.numpy()))
        prepared = self.prepare(source, missing)
        return as_dataset(source, prepared)

    def _scaled(self, x: Array) -> Tensor:
        """Samples (N, C, ...) without gaps in the units of the model."""
        scaler = self.scaler
        if self.scaled_per_sample:
            scaler = self._scaler_of(x)
        scaled = torch.from_numpy(scaler.apply(x))
        return levelled(scaled) if self.is_levelled else scaled

    def _scaler_of(self, x: Array) -> Scaler:
        """The scale that gives each of the samples its own range."""
        return scaler_of_samples(x, self.domain, self.has_dark_ground, self.is_levelled)

    def prepare_other(
        self, other: Any, samples: Prepared, missing: MissingPolicy = "error"
    ) -> Prepared:
        """Further channels, or a mask, that belong to prepared samples.

        The deformation that a model infers from the samples is then applied to `other`, too. The
        model itself was not trained on `other`.

        Args:
            other: N arrays (N, C', ...) of any number of channels. Images must have the height and
                width of the samples, series must have their lengths.
            samples: The N samples that `other` belongs to.
            missing: Treatment of missing values of series.

        Returns:
            The values of `other`, not scaled. Series are resampled as the samples were.

        Raises:
            DataError: The number of samples, their height and width, or their lengths differ; or a
                value is missing and `missing` is `error`.
        """
        length: int | None = None
        if isinstance(samples.origin, IrregularSeries):
            origin: Origin = parse_other(other, samples.origin)
            length = self.user_shape[-1]
        else:
            origin = self._parse_regular_other(other, samples.origin.layout)
        with rename_in_errors("other"):
            values = origin.resample(length, missing)
        if len(values) != len(samples) or not self._is_same_frame(values.shape[2:]):
            size = "of the same length" if self.domain.has_times else "of the same proportions"
            raise DataError(
                f"other has shape {np.shape(other)}, X has {samples.samples.shape}; give as many "
                f"samples as X, {size}"
            )
        scaler = offset_scaler(values) if self.domain.has_times else Scaler()
        return Prepared(values, scaler, origin, frame=Frame.of(other))

    def _is_same_frame(self, size: tuple[int, ...]) -> bool:
        """Whether data of a size can lie in the frame of the samples; images may be larger."""
        if len(size) != 2:
            return size == self.user_shape[1:]
        height, width = self.user_shape[1:]
        return size in (
            (size[0], round(size[0] * width / height)),
            (round(size[1] * height / width), size[1]),
        )

    def _parse_regular_other(self, other: Any, layout: LayoutName) -> Origin:
        """Parse further channels of regular samples; values may be missing in these channels."""
        with rename_in_errors("other"):
            # `image_shape` has the channels of X, so it fits `other` only if both are flattened
            is_flat = self.image_shape and as_dense(other).ndim == 2
            image_shape = self.image_shape if is_flat else None
            origin, _ = parse_samples(other, None, self.domain.name, image_shape, False, layout)
            return origin.trim(self.user_shape[-1])

    def record(self) -> dict[str, Any]:
        """The schema as plain values, for the `config.json` of a model folder.

        Returns:
            Values for JSON by name. `shape` and `image_shape` are left out, because the file has
            them in other entries; `of` takes them as arguments.
        """
        scale = {name: np.asarray(value).tolist() for name, value in vars(self.scaler).items()}
        flags = {
            "each": self.scaled_per_sample,
            "timed": self.has_time_stamps,
            "dark_ground": self.has_dark_ground,
            "gaps": self.has_gaps,
            "levelled": self.is_levelled,
        }
        values = {} if self.values is None else {"values": vars(self.values)}
        size = {} if self.full_size is None else {"full_size": list(self.full_size)}
        names = {"channels": list(self.channels)} if self.channels else {}
        extra = {**values, **size, **names}
        return {"domain": self.domain.name, **flags, **scale, **vars(self.clock), **extra}

    @classmethod
    def of(
        cls, record: Mapping[str, Any], shape: tuple[int, ...], image_shape: tuple[int, ...] | None
    ) -> Self:
        """The schema that a record describes.

        Args:
            record: Result of `record()`, or the same values read from JSON.
            shape: Shape of a sample (C, ...).
            image_shape: The field `image_shape` of the schema.

        Raises:
            CheckpointError: The shape of the scale does not fit the shape of a sample.
            KeyError: The record lacks an entry, or its domain is not registered.
        """
        # older records lack the fields `is_stretched` and `zero`
        clock = Clock(**{name: record.get(name, value) for name, value in vars(Clock()).items()})
        domain, scaler = Domain.registry[record["domain"]], scaler_of_record(record, shape)
        values = ValueRange(**record["values"]) if "values" in record else None
        size = tuple(record["full_size"]) if "full_size" in record else None
        return cls(
            domain,
            shape,
            scaler,
            image_shape,
            record["each"],
            clock,
            record["timed"],
            values,
            size,
            record.get("dark_ground", False),
            record.get("gaps", False),
            is_levelled=record.get("levelled", False),
            channels=channels_of_record(record.get("channels", [])),
        )


def _working_size(
    source: Source, samples: Array, domain: Domain, reading: Reading
) -> tuple[int, ...] | None:
    """Size at which a model learns samples; None for their own size."""
    # a function `draw` generates observations of its own size
    if source.dataset is not None and source.dataset.draw is not None:
        return None
    size = find_working_size(samples, domain, reading.working_size)
    return None if size == samples.shape[2:] else size


def offset_scaler(values: Array) -> Scaler:
    """The scale that removes an offset, if digits depend on it.

    Args:
        values: Samples (N, C, ...).
    """
    if not any(loses_digits(values[rows]) for rows in row_blocks(values)):
        return Scaler()
    return Scaler(float(np.nanmin(values) + np.nanmax(values)) / 2)


def channels_of_record(record: Any) -> tuple[str, ...]:
    """Names of channels of a record; older ones have none.

    Args:
        record: A list of texts.

    Raises:
        ValueError: The record is no such list.
    """
    if not isinstance(record, list) or not all(isinstance(name, str) for name in record):
        raise ValueError(f"channels={brief(record)} are no names")
    return tuple(record)


def _has_missing(samples: Array, origin: Origin) -> bool:
    """Whether a value of resampled series is missing."""
    return isinstance(origin, IrregularSeries) and bool(np.isnan(samples).any())


def _has_time_stamps(samples: Any) -> bool:
    """Whether samples are parsed series with time stamps."""
    return isinstance(samples, IrregularSeries) and samples.has_time_stamps
