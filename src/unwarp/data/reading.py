"""A user's options for reading samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from unwarp.core import Domain, MissingPolicy, ScaleName
from unwarp.data.missing import check_policy
from unwarp.data.opening import resolve_domain
from unwarp.data.parsing import parse_samples
from unwarp.data.source import Source
from unwarp.errors import ConfigError


@dataclass(frozen=True)
class Reading:
    """Options that decide how samples are read and scaled.

    The fields are arguments of `Unwarper` with the same names, except `warp_domain`. `Schema.fit`
    takes a reading and the samples.

    Attributes:
        domain: `image`, `series` or another registered domain; `auto` decides by the data.
        scale: Name of a way to scale, as for `fit_scaler`; None uses the numbers as they are.
        missing: Treatment of missing values of series: `error`, `interpolate` or `mask`.
        sampling_rate: Samples per second of series; None to count time in samples.
        image_shape: (H, W) or (C, H, W) of images that are flattened to rows.
        warp_domain: Domain that the warp acts on, which decides if the user and the data do not; or
            `auto`.

    >>> Reading().domain_of(Source([[0.0, 1.0]], domain="series"))
    'series'
    """

    domain: str = "auto"
    scale: ScaleName | None = "auto"
    missing: MissingPolicy = "error"
    sampling_rate: float | None = None
    image_shape: tuple[int, ...] | None = None
    warp_domain: str = "auto"

    def domain_of(self, source: Source) -> str:
        """Name of the domain of a source.

        Args:
            source: Samples; their format may imply a domain.

        Returns:
            The user's domain, else that of the source, else that of the warp if the axes leave a
            doubt; `auto` if none of them decides.
        """
        return resolve_domain(source.x, self.domain, source.domain, self.warp_domain)

    def parse(self, source: Source) -> Source:
        """The source with parsed and checked samples.

        Parts of the result need no further checks, and messages count samples in the whole source.

        Args:
            source: Samples as they were opened. A `Dataset` is returned unchanged.

        Returns:
            A source of parsed samples, with their times among them and its domain resolved.

        Raises:
            DataError: The samples cannot be used.
            ConfigError: A domain or a treatment of missing values is unknown.
        """
        if source.dataset is not None:
            return source
        origin, name = parse_samples(
            source.x, source.times, self.domain_of(source), self.image_shape
        )
        origin.resample(None, check_policy(self.missing))  # for its refusals
        return replace(source, x=origin, times=None, domain=name)

    def check_sampling_rate(self, domain: Domain) -> None:
        """Refuse a sampling rate that does not fit the samples.

        Args:
            domain: Domain of the samples.

        Raises:
            ConfigError: The rate is not positive and finite, or the samples do not run over time.
        """
        rate = self.sampling_rate
        if rate is None or (domain.has_times and isinstance(rate, Real) and 0 < rate < np.inf):
            return
        raise ConfigError(
            f"sampling_rate={rate!r} must be positive samples per second of series, or None; X "
            f"holds {domain.name} data"
        )


DEFAULT_READING = Reading()
"""Everything decided by the data, with missing values refused."""
