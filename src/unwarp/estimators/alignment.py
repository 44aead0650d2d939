"""Alignment of samples, points and events by estimated deformations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.tables import tabulate
from unwarp.core import Array, MissingPolicy
from unwarp.data.coordinates import from_frame, time_spans, to_frame
from unwarp.data.dataset import Dataset
from unwarp.data.events import Events
from unwarp.data.opening import as_source
from unwarp.data.schema import Prepared, Schema
from unwarp.data.source import Source
from unwarp.devices import resolve_device
from unwarp.errors import DataError
from unwarp.models import Model
from unwarp.warps import Map, align, to_matrix
from unwarp.warps.matrices import Convention


class Alignment:
    """The part of `Unwarper` that needs deformations alone.

    No method here computes content codes or decodes templates, so that all of them are fast.

    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> unwarper.align(X).shape, unwarper.transform_points(X, [[3.0]]).shape
    ((8, 12), (8, 1, 1))
    """

    model_: Model
    schema_: Schema
    missing: MissingPolicy
    device: str

    def transform_params(self, X: Any, full: bool = False, *, times: Any = None) -> pd.DataFrame:
        """The deformation of each sample as a table.

        A deformation says how the template moved to give the sample.

        Args:
            X: N samples.
            full: Whether to return every column of theta, from which `inverse_transform` restores
                the samples without loss, instead of columns in human units.
            times: Time stamps, as for `fit`.

        Returns:
            A table with N rows. Column names carry their unit, as `rotation_deg` or `lag_s`; the
            units by column are in `.attrs["units"]`.

        Raises:
            DataError: The samples do not fit the model.
        """
        x, chart = self.prepare(X, times), self.model_.chart
        tables = [tabulate(map, chart, full) for _, map, _ in self._maps(x)]
        table = pd.concat(tables, ignore_index=True)
        table.attrs = tables[0].attrs
        return table

    def align(self, X: Any, other: Any = None, *, times: Any = None) -> Array:
        """Samples with the invertible part of their deformation undone.

        Displacements of images have no inverse and stay. Series of unequal lengths, or with time
        stamps, come at the even time steps `times_`; gaps (NaN) move along with the series.

        Args:
            X: N samples; their deformations are estimated.
            other: Other data in the same frame (N, ...), to which the deformations are applied
                instead: another channel, or a boolean mask. Gains and offsets leave it unchanged.
            times: Time stamps, as for `fit`.

        Returns:
            Aligned samples in the shape, range and dtype of `X`, or of `other`.

        Raises:
            DataError: The samples do not fit the model, or `other` does not fit the samples.
        """
        samples = self.prepare_samples(X, times)
        target = (
            samples if other is None else self.schema_.prepare_other(other, samples, self.missing)
        )
        # overwrite the prepared copy to save memory, unless it is the caller's
        aligned = target.x.clone() if target is X else target.x
        for part, map, rows in self._maps(samples.x):
            movement = map if other is None else map.point_map
            x = target.x[rows].to(part.device)
            aligned[rows] = align(x, movement, padding=self.model_.padding).cpu()
        values = aligned.numpy()
        return target.origin.restore_shape(target.scaler.undo(values, out=values))

    def transform_points(self, X: Any, points: Any) -> Array:
        """Positions in the aligned samples of points in the samples.

        Args:
            X: N samples.
            points: Pixel coordinates (x, y), with (0, 0) at the centre of the first pixel; (K, 2)
                for all samples, or (N, K, 2). For series: sample numbers, (K, 1) or (N, K, 1).

        Returns:
            Coordinates (N, K, 2) in the aligned images, or (N, K, 1) in the aligned series.

        Raises:
            DataError: `points` has another shape, or the series were resampled; use
                `transform_events` for these.
        """
        samples = self.prepare_samples(X)
        return from_frame(
            self.schema_, self._align_points(samples, to_frame(self.schema_, points, samples))
        )

    def transform_events(
        self, X: Any, events: Any, inverse: bool = False, *, times: Any = None
    ) -> Array | list[Array]:
        """Times of events in the aligned series.

        Times count samples from 0; with a sampling rate they are in seconds, and with time stamps
        on the clock of these. Aligned series have the time steps `times_`.

        Args:
            X: N series.
            events: Observed times: (K,) for all series, (N, K), or a list of N arrays (K_i,). NaN
                marks no event and stays.
            inverse: Whether to go from aligned times to observed ones instead.
            times: Time stamps, as for `fit`.

        Returns:
            Times (N, K), or a list of N arrays (K_i,) if `events` is one.

        Raises:
            DataError: The samples are no series, or `events` has another shape.
        """
        samples = self.prepare_samples(X, times)
        source, target = time_spans(self.schema_, samples, inverse)
        table = Events.of(events, len(samples))
        # a map's frame of time goes from 0 to 1
        shares = torch.from_numpy(table.as_shares(source)).float()[..., None]
        mapped = self._align_points(samples, shares, inverse)[..., 0].double()
        return table.from_shares(mapped.numpy(), target)

    def to_matrix(self, X: Any, convention: Convention = "pixel") -> Array:
        """The affine part of each deformation as a 3 x 3 matrix.

        Args:
            X: N images.
            convention: `pixel` and `opencv` lead from template to observation in pixels, `skimage`
                from observation to template, and `normalized` from template to observation in
                coordinates from -1 to 1.

        Returns:
            Matrices (N, 3, 3) that act on columns (x, y, 1).

        Raises:
            ConfigError: The convention is unknown.
            DataError: The samples are no images.
        """
        x = self.prepare(X)
        if len(self.schema_.domain.axes) != 2:
            raise DataError(f"to_matrix needs images; {self.schema_.domain.plural} have no matrix")
        size = (x.shape[2], x.shape[3])
        return torch.cat(
            [to_matrix(map, size, convention).cpu() for _, map, _ in self._maps(x)]
        ).numpy()

    @property
    def times_(self) -> Array:
        """Time of each step of aligned series (T,).

        In seconds if a sampling rate or time stamps were given, else in samples.

        Raises:
            AttributeError: The model was trained on images.
        """
        check_is_fitted(self)
        if not self.schema_.domain.has_times:
            raise AttributeError(
                f"times_ is of series; the model was trained on {self.schema_.domain.plural}"
            )
        return self.schema_.times

    def prepare_dataset(self, source: Source) -> Dataset:
        """A source as a data set in the units of the model.

        Labels, names and true deformations of the source are kept.

        Args:
            source: Samples like those of the training.

        Raises:
            DataError: The samples do not fit the model.
        """
        check_is_fitted(self)
        return self.schema_.prepare_dataset(source, self.missing)

    def prepare_samples(self, X: Any, times: Any = None) -> Prepared:
        """Samples in the units of the model, and the way back.

        All methods accept the result instead of `X`, so that samples are read and checked once for
        several methods.

        Args:
            X: N samples, or a result of this method, which is returned unchanged.
            times: Time stamps, as for `fit`.

        Returns:
            Scaled samples (N, *shape) with their scale and their original form.

        Raises:
            DataError: The samples do not fit the model.
        """
        check_is_fitted(self)
        return (
            X
            if isinstance(X, Prepared)
            else self.schema_.prepare(as_source(X, times), self.missing)
        )

    def prepare(self, X: Any, times: Any = None) -> Tensor:
        """Samples in the units of the model, as a tensor.

        Args:
            X: N samples, or a result of `prepare_samples`.
            times: Time stamps, as for `fit`.

        Returns:
            Scaled samples (N, *shape).

        Raises:
            DataError: The samples do not fit the model.
        """
        return self.prepare_samples(X, times).x

    @torch.no_grad()
    def _maps(self, x: Tensor, size: int = 500) -> Iterator[tuple[Tensor, Map, slice]]:
        """Chunks of samples with their maps and rows; small ones stay in the processor's cache."""
        device = resolve_device(self.device)
        self.model_.to(device).eval()
        for rows in (slice(i, i + size) for i in range(0, len(x), size)):
            part = x[rows].to(device)
            yield part, self.model_.pose(part), rows
        self.model_.to("cpu")

    def _align_points(self, samples: Prepared, points: Tensor, inverse: bool = False) -> Tensor:
        """Points (N, K, axes) of the observed frame in the aligned frame, or the other way."""
        chunks = []
        for part, map, rows in self._maps(samples.x):
            invertible = map.invertible_part()
            movement = invertible.push if inverse else invertible.pull
            chunks.append(movement(points[rows].to(part.device)).cpu())
        return torch.cat(chunks)
