"""What an estimator does with the deformations that it found: tables, aligned samples, places, events, matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.tables import tabulate
from unwarp.core import Array, MissingPolicy
from unwarp.data.dataset import Dataset
from unwarp.data.events import Events
from unwarp.data.opening import as_source
from unwarp.data.places import from_frame, time_spans, to_frame
from unwarp.data.schema import Prepared, Schema
from unwarp.data.source import Source
from unwarp.devices import place
from unwarp.errors import DataError
from unwarp.models import Model
from unwarp.warps import Map, align, to_matrix
from unwarp.warps.matrices import Convention


class Alignment:
    """The half of `Unwarper` that needs poses alone: no content is computed here, nothing is decoded."""

    model_: Model
    schema_: Schema
    missing: MissingPolicy
    device: str

    def transform_params(self, X: Any, full: bool = False, *, times: Any = None) -> pd.DataFrame:
        """The deformation of each sample, with units in the column names and in `.attrs["units"]`.

        Args:
            X: Samples.
            full: Every column of theta, which `inverse_transform` takes back without loss, instead of human columns.
            times: Time stamps, as for `fit`.
        """
        x, chart = self.prepare(X, times), self.model_.chart
        tables = [tabulate(map, chart, full) for _, map, _ in self._maps(x)]
        table = pd.concat(tables, ignore_index=True)
        table.attrs = tables[0].attrs
        return table

    def align(self, X: Any, other: Any = None, *, times: Any = None) -> Array:
        """The samples with the invertible part of their deformation undone; shape, range and dtype as given.

        Series of unequal lengths, or with times, come at the even steps `times_`, (N, T) or (N, C, T).

        Args:
            X: Samples, whose deformations are found.
            other: What to undo them in instead (N, ...): another channel, or a boolean mask, in the same frame. Gains
                and offsets are not taken out of it.
            times: Time stamps, as for `fit`.
        """
        samples = self.prepare_samples(X, times)
        target = (
            samples if other is None else self.schema_.prepare_other(other, samples, self.missing)
        )
        # in the place of the samples, so that memory does not grow with their number, unless a caller holds them
        aligned = target.x.clone() if target is X else target.x
        for part, map, rows in self._maps(samples.x):
            movement = map if other is None else map.point_map
            x = target.x[rows].to(part.device)
            aligned[rows] = align(x, movement, padding=self.model_.padding).cpu()
        values = aligned.numpy()
        return target.origin.restore_shape(target.scaler.undo(values, out=values))

    def transform_points(self, X: Any, points: Any) -> Array:
        """Where `points` seen in each sample lie in the aligned one.

        Args:
            X: Samples (N, ...).
            points: Pixel coordinates (x, y), the first pixel's centre at (0, 0): (K, 2) for all or (N, K, 2). Of series:
                sample numbers, (K, 1) or (N, K, 1).
        """
        samples = self.prepare_samples(X)
        return from_frame(
            self.schema_, self._align_points(samples, to_frame(self.schema_, points, samples))
        )

    def transform_events(
        self, X: Any, events: Any, inverse: bool = False, *, times: Any = None
    ) -> Array | list[Array]:
        """When events of each series happen in the aligned one, whose steps stand at `times_`.

        Times are in samples from 0, in seconds where a rate was given, and on the clock of `times` where there are such.

        Args:
            X: Series (N, ...).
            events: When they were observed: (K,) for all series, (N, K), or a list of N of (K_i,); NaN stays.
            inverse: Lead aligned times to observed ones instead.
            times: Time stamps, as for `fit`.
        """
        samples = self.prepare_samples(X, times)
        source, target = time_spans(self.schema_, samples, inverse)
        moments = Events.of(events, len(samples))
        shares = torch.from_numpy(moments.shares(source)).float()[..., None]
        moved = self._align_points(samples, shares, inverse)[..., 0].double()
        return moments.at(moved.numpy(), target)

    def to_matrix(self, X: Any, convention: Convention = "pixel") -> Array:
        """The affine part of each deformation as matrices (N, 3, 3): normalized, pixel, opencv or skimage."""
        x = self.prepare(X)
        if len(self.schema_.domain.axes) != 2:
            raise DataError(f"to_matrix needs images; {self.schema_.domain.plural} have no matrix")
        size = (x.shape[2], x.shape[3])
        return torch.cat(
            [to_matrix(map, size, convention).cpu() for _, map, _ in self._maps(x)]
        ).numpy()

    @property
    def times_(self) -> Array:
        """When each step of aligned series stands (T,), in samples, or in seconds where a rate or times were given."""
        check_is_fitted(self)
        if not self.schema_.domain.has_times:
            raise AttributeError(
                f"times_ is of series; the model was trained on {self.schema_.domain.plural}"
            )
        return self.schema_.times

    def prepare_dataset(self, source: Source) -> Dataset:
        """A source as the model sees it, with all facts that are known of its samples."""
        check_is_fitted(self)
        return self.schema_.prepare_dataset(source, self.missing)

    def prepare_samples(self, X: Any, times: Any = None) -> Prepared:
        """`X` as the model sees it, with the way back.

        All methods take what this gives in place of `X`, so that samples are checked once for several of them.

        Args:
            X: Samples, or what this method gave.
            times: Time stamps, as for `fit`.
        """
        check_is_fitted(self)
        return (
            X
            if isinstance(X, Prepared)
            else self.schema_.prepare(as_source(X, times), self.missing)
        )

    def prepare(self, X: Any, times: Any = None) -> Tensor:
        """`X` as the model sees it: scaled, (N, *shape), checked against what it was trained on."""
        return self.prepare_samples(X, times).x

    @torch.no_grad()
    def _maps(self, x: Tensor, size: int = 500) -> Iterator[tuple[Tensor, Map, slice]]:
        """Pieces of `x`, their maps and their rows, of a size that caches hold; content is never computed."""
        where = place(self.device)
        self.model_.to(where).eval()
        for rows in (slice(i, i + size) for i in range(0, len(x), size)):
            part = x[rows].to(where)
            yield part, self.model_.pose(part), rows
        self.model_.to("cpu")

    def _align_points(self, samples: Prepared, points: Tensor, inverse: bool = False) -> Tensor:
        """Observed `points` (N, K, axes) of a map's frame in the aligned samples, or the other way."""
        pieces = []
        for part, map, rows in self._maps(samples.x):
            movement = map.invertible_part().push if inverse else map.invertible_part().pull
            pieces.append(movement(points[rows].to(part.device)).cpu())
        return torch.cat(pieces)
