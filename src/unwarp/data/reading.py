"""The options of `Unwarper` that decide how samples are read and scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from unwarp.core import (
    Domain,
    LayoutName,
    LengthPolicy,
    MissingPolicy,
    ScaleName,
    TableLayout,
    WorkingSize,
)
from unwarp.data.hints import Hints
from unwarp.data.missing import check_policy
from unwarp.data.opening import resolve_domain
from unwarp.data.parsing import parse_samples
from unwarp.data.source import Source
from unwarp.errors import ConfigError


@dataclass(frozen=True)
class Reading:
    """Options that decide how samples are read and scaled.

    Each field, except `warp_domain` and `has_gain`, is an argument of `Unwarper` with the same
    name. `Schema.fit` takes samples and a reading.

    Attributes:
        domain: `image`, `series` or another registered domain; `auto` decides by the data.
        scale: How to scale values, as for `fit_scaler`; None uses the values as they are.
        missing: Treatment of missing values of series: `error`, `interpolate` or `mask`.
        sampling_rate: Time steps per second of series; None to measure time in steps.
        image_shape: Shape (H, W) or (C, H, W) of an image, needed if each row of the user's array
            is a flattened image; None if unknown.
        working_size: Size at which the model learns: `auto`, the longest side of images or the
            number of steps of series, (H, W), or None for the full size; see `find_working_size`.
        warp_domain: Domain that the warp acts on, or `auto`. It is used if neither the user nor the
            data decide; see `resolve_domain`.
        layout: Order of the axes of pictures, (N, C, H, W) or (N, H, W, C); `auto` decides by the
            shape.
        sizes: How to bring pictures of several sizes to one: `pad`, `crop`, or height and width;
            None refuses several sizes.
        lengths: How series of unequal lengths, or with time stamps, share one time axis: `clock`,
            `stretch`, or `auto`.
        table: Layout of a table, `wide`, `long` or `columns`; `auto` decides by its columns.
        id_column: Name of the column that names the series of a table; None to find it.
        time_column: Name of the column of times; None to find it.
        value_columns: Names of the columns of values; None for all without another role.
        label_column: Name of the column of labels; None to find it.
        has_gain: Whether the warp changes values, so that `scale="auto"` gives no sample a scale of
            its own: gains and offsets would vanish.

    >>> Reading().domain_of(Source([[0.0, 1.0]], domain="series"))
    'series'
    """

    domain: str = "auto"
    scale: ScaleName | None = "auto"
    missing: MissingPolicy = "error"
    sampling_rate: float | None = None
    image_shape: tuple[int, ...] | None = None
    working_size: WorkingSize = "auto"
    warp_domain: str = "auto"
    layout: LayoutName = "auto"
    sizes: str | tuple[int, int] | None = None
    lengths: LengthPolicy = "auto"
    table: TableLayout = "auto"
    id_column: str | None = None
    time_column: str | None = None
    value_columns: Sequence[str] | None = None
    label_column: str | None = None
    has_gain: bool = False

    @property
    def hints(self) -> Hints:
        """The options that readers of files need."""
        return Hints.of(self)

    def domain_of(self, source: Source) -> str:
        """Name of the domain of a source.

        Args:
            source: Samples. Their file format may imply a domain.

        Returns:
            Name of a domain, or `auto`, as `resolve_domain` returns it.
        """
        return resolve_domain(source.x, self.domain, source.domain, self.warp_domain)

    def parse(self, source: Source) -> Source:
        """The source with parsed and checked samples.

        Call it before a source is split into parts: error messages then number the samples as in
        the whole source, and the parts need no further checks.

        Args:
            source: Samples as `as_source` returns them. A source with a `Dataset` is returned
                unchanged.

        Returns:
            A source with parsed samples, which contain their times, as `x`, with `times` None, and
            with the name of the domain.

        Raises:
            DataError: The samples cannot be used.
            ConfigError: A domain or a treatment of missing values is unknown, or an option of
                series is set for other samples.
        """
        if source.dataset is not None:
            return source
        origin, name = parse_samples(
            source.x,
            source.times,
            self.domain_of(source),
            self.image_shape,
            layout=source.layout,
        )
        self.check_options_of_series(Domain.registry[name])
        # the result is not used: resampling raises an error if values are missing but must not be
        origin.resample(None, check_policy(self.missing))
        return replace(source, x=origin, times=None, domain=name)

    def check_options_of_series(self, domain: Domain) -> None:
        """Refuse options of series that do not fit the samples.

        Args:
            domain: Domain of the samples.

        Raises:
            ConfigError: The rate is not positive and finite, or samples of the domain have no
                times and no gaps, and `sampling_rate` or `missing` is set.
        """
        rate = self.sampling_rate
        if rate is not None and not (isinstance(rate, Real) and 0 < rate < np.inf):
            raise ConfigError(f"sampling_rate={rate!r} must be positive; give samples per second")
        for name, default in (("sampling_rate", None), ("missing", "error")):
            value = getattr(self, name)
            fits = domain.has_gaps if name == "missing" else domain.has_times
            if value != default and not fits:
                raise ConfigError(
                    f"{name}={value!r} is an argument of series, and these samples are "
                    f"{domain.plural}; leave it out"
                )


DEFAULT_READING = Reading()
"""The default options: the data decide the domain and the scale; missing values are refused."""
