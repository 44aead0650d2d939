"""Alignment of samples, points and events by estimated deformations.

An observation is a sample as it was given; its template is the sample with its deformation removed.
Theta are the parameters of a deformation, one column per factor, such as a rotation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.tables import tabulate
from unwarp.core import Array, RefineName
from unwarp.data.array_likes import as_numpy
from unwarp.data.companions import check_domain, companion_of, prepare_other
from unwarp.data.coordinates import from_frame, time_spans, to_frame
from unwarp.data.counts import Counts
from unwarp.data.events import Events
from unwarp.data.frames import Frame
from unwarp.data.pairs import check_frames
from unwarp.data.parsing import rename_in_errors
from unwarp.data.prepared import store
from unwarp.data.schema import Prepared
from unwarp.devices import place, resolve_device
from unwarp.errors import DataError
from unwarp.estimators.goals import Goal, framed, turns_of
from unwarp.estimators.preparation import Preparation
from unwarp.models import Model
from unwarp.models.refinement import Refinement
from unwarp.models.registration import generators
from unwarp.range_kinds import Choice, Flag
from unwarp.ranges import check_value
from unwarp.warps import CosineTime, Map, Warp, Window, deform, nearest_index, to_matrix
from unwarp.warps.matrices import Convention


class Alignment(Preparation):
    """Mixin that gives `Unwarper` the methods that use only deformations.

    The trained model estimates the deformation of each sample. The methods return it as a table or
    a matrix, or undo it in samples, points or events. They compute no content codes and decode no
    templates, so they are fast.

    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> unwarper.align(X).shape, unwarper.transform_points(X, [[3.0]]).shape
    ((8, 12), (8, 1, 1))
    """

    model_: Model
    device: str
    refine: RefineName
    refinement_: Refinement | None

    def transform_params(self, X: Any, full: bool = False, *, times: Any = None) -> pd.DataFrame:
        """The estimated deformation of each sample, as a table.

        A deformation says how the template moved to give the sample.

        Args:
            X: N samples.
            full: Whether to return theta, the complete parameters of the learned deformation,
                without the refinement of series. Pass this table to `inverse_transform` to apply
                exactly the same deformations. By default the
                table has summary columns, in units for people (degrees, pixels, factors, seconds);
                warps without summary columns always give theta.
            times: Time stamps, as for `fit`.

        Returns:
            A table with one row per sample. Most column names end in their unit, such as
            `rotation_deg` or `lag_s`; `.attrs["units"]` maps each column name to its unit. The
            index is that of `X` if it is a data frame.

        Raises:
            DataError: The samples do not fit the model.
        """
        check_value("full", full, Flag())
        samples, chart = self.prepare_samples(X, times), self._chart
        if not (full or chart.factors) and self.refinement_ is not None:
            rate = self.schema_.clock.sampling_rate
            chart = CosineTime(size=self.schema_.user_shape[1:], sampling_rate=rate)
        learned = full and not (self.refinement_ is not None and self.refinement_.keeps_family)
        tables = [tabulate(map, chart, full) for map, _ in self._maps(samples, learned=learned)]
        table = pd.concat(tables, ignore_index=True)
        table.attrs = tables[0].attrs
        if samples.frame is not None:
            table.index = samples.frame.index
        return table

    def align(
        self,
        X: Any,
        other: Any = None,
        *,
        to: Any = None,
        out: Array | None = None,
        times: Any = None,
        other_times: Any = None,
        counts: bool = False,
    ) -> Array:
        """Samples with their deformations undone.

        Only the invertible part of a deformation is undone. The displacement field of an image has
        no inverse, so its effect remains. Series of unequal lengths, or with time stamps, are
        returned at the evenly spaced times `times_`, with NaN where they have no values; integers
        with such gaps become floating. Missing values (NaN) move with the series.

        Args:
            X: N samples. Their deformations are estimated.
            other: Data (N, ...) that belong to the samples, such as another channel, a mask or
                class numbers. If given, the deformations of `X` are undone in `other` instead of
                `X`. The values of `other` move, but gains and offsets of the deformations do not
                change them. Images may have another resolution than `X`. Integers are not averaged,
                except those of series with gaps, unequal lengths or time stamps: each result is
                the nearest value of `other`, and 0 beyond its border if the background of the
                images is black. Series may have another rate: as many steps
                for each of `X`, or one step for as many of `X`, which cover the same time; the
                result keeps that rate.
            to: A sample to which all are aligned instead of the template: its row in `X`, from 0,
                or the sample itself. Pictures that resemble it are registered onto it, unless
                `refine` is `none` or the warp has no affine part.
            out: Array that receives the result, such as a memory map; None for a new one.
            times: Time stamps, as for `fit`.
            other_times: Times of the steps of `other`, (T,), (N, T) or a list of N arrays, on the
                clock of events (`transform_events`). The result is evenly spaced from the first of
                `times_` to the last, at the typical rate of `other`.
            counts: Whether the series, or `other`, count events in bins of time. Then each bin is
                moved with all that it counts: sums stay, whole numbers stay whole, and a bin of
                the result counts the events whose aligned times lie in it.

        Returns:
            Aligned samples, in the shape, range and dtype of `X`, or of `other` if it is given. Of
            a data frame, a data frame with the same index and columns.

        Raises:
            DataError: The samples do not fit the model, or `other`, `other_times`, `to` or `out`
                does not fit the samples; or `other` is a data frame with the labels of `X` in
                another order.
        """
        check_value("counts", counts, Flag())
        samples = self.prepare_samples(X, times)
        goal = None if to is None else self._goal(to, samples)
        check_domain(self.schema_, other, other_times, counts)
        check_frames(samples.frame, Frame.of(other), "other")
        if counts:
            return self._align_counts(samples, other, other_times, goal, out)
        if other is None:
            return samples.collect(self._aligned(samples, samples, goal, has_values=True), out)
        target = prepare_other(self.schema_, other, samples, self.missing, other_times)
        if target.samples.dtype.kind in "iu":
            return target.collect_exact(self._carried(samples, target, goal), out)
        return target.collect(self._aligned(samples, target, goal, has_values=False), out)

    def _align_counts(
        self, samples: Prepared, other: Any, other_times: Any, goal: Goal | None, out: Array | None
    ) -> Array:
        """Counts of samples, or of other data, at their aligned times."""
        companion = companion_of(self.schema_, other, samples, other_times)
        counts, parts = Counts.of(companion), []
        edges = torch.from_numpy(companion.edges_of_window).float()[:, None]
        for map, rows in self._maps(samples, goal=goal):
            movement = _undo(map, has_values=False)
            observed = movement.pull(edges.to(map.reference.device))[..., 0]
            parts.append(counts.rebin(rows, observed.expand(len(map), -1).double().cpu().numpy()))
        result = counts.restore(np.concatenate(parts))
        frame = samples.frame if other is None else Frame.of(other)
        return store(result, out) if frame is None or out is not None else frame.restore(result)

    def coverage(self, X: Any, *, to: Any = None, times: Any = None) -> Array:
        """Which values of the aligned samples were observed.

        Parts of an aligned sample may lie beyond the border of the observation; their values are
        padding.

        Args:
            X: N samples.
            to: A sample to which all are aligned, as for `align`.
            times: Time stamps, as for `fit`.

        Returns:
            Booleans (N, H, W) for images, (N, T) for series: True inside the observation.

        Raises:
            DataError: The samples do not fit the model, or `to` does not fit the samples.
        """
        samples = self.prepare_samples(X, times)
        goal = None if to is None else self._goal(to, samples)
        window = Window.frame(samples.samples.shape[2:])
        covered = np.empty((len(samples), *window.size), bool)
        for map, rows in self._maps(samples, goal=goal):
            index = nearest_index(_undo(map, has_values=False), window)
            covered[rows] = (index >= 0).reshape(-1, *window.size).cpu().numpy()
        return covered

    def transform_points(self, X: Any, points: Any, *, inverse: bool = False) -> Array:
        """Coordinates of points after their samples are aligned, or before.

        Args:
            X: N samples.
            points: Coordinates of K points in each sample. For images: (x, y) in pixels of each
                image, whatever its size, with (0, 0) at the centre of the first pixel, as
                (N, K, 2), or as (K, 2) for the same points in all images. For series: the number of
                the time step, counted from 0, as (N, K, 1) or (K, 1). Fractions are allowed.
            inverse: Whether `points` are in the aligned samples, to be converted to points in the
                observed samples.

        Returns:
            Coordinates (N, K, 2) in the aligned images, or (N, K, 1) in the aligned series, in the
            same units; with `inverse`, in the observed images or series.

        Raises:
            ConfigError: `inverse` is neither True nor False.
            DataError: `points` has another shape, or the series have unequal lengths or time
                stamps; use `transform_events` for such series.
        """
        check_value("inverse", inverse, Flag())
        samples = self.prepare_samples(X)
        framed = to_frame(self.schema_, points, samples, is_aligned=inverse)
        transformed = self._align_points(samples, framed, inverse)
        return from_frame(self.schema_, transformed, samples, is_aligned=not inverse)

    def transform_events(
        self, X: Any, events: Any, inverse: bool = False, *, times: Any = None
    ) -> Array | list[Array]:
        """Times of events in the aligned series.

        An event is a moment in a series, such as a peak. If the series have time stamps, its time
        is in seconds on the same clock (for dates: seconds since 1970). Otherwise it is in seconds
        from the first time step if the sampling rate (samples per second) is known, and else the
        number of a time step, counted from 0. Aligned times are on the same axis as `times_`.

        Args:
            X: N series.
            events: Times in the observed series: (N, K), a list of N arrays (K_i,), or (K,) for the
                same times in all series. NaN stands for a missing event and stays NaN.
            inverse: Whether `events` are times in the aligned series, to be converted to times in
                the observed series.
            times: Time stamps, as for `fit`.

        Returns:
            Times (N, K), or a list of N arrays (K_i,) if `events` is such a list.

        Raises:
            DataError: The samples are not series, or `events` has another shape, or is a data frame
                with the labels of `X` in another order.
        """
        check_value("inverse", inverse, Flag())
        samples = self.prepare_samples(X, times)
        check_frames(samples.frame, Frame.of(events), "events")
        source, target = time_spans(self.schema_, samples, inverse)
        table = Events.of(events, len(samples))
        # the coordinates of a map go from 0 to 1 over a series
        shares = torch.from_numpy(table.as_shares(source)).float()[..., None]
        mapped = self._align_points(samples, shares, inverse)[..., 0].double()
        return table.from_shares(mapped.numpy(), target)

    def to_matrix(self, X: Any, convention: Convention = "pixel") -> Array:
        """The affine part of each deformation as a 3 x 3 matrix.

        Args:
            X: N images.
            convention: Direction and coordinates of the matrices. `pixel` leads from template to
                observation, in pixels, with (0, 0) at the centre of the first pixel. `opencv` is
                another name for the same matrix, which `cv2.warpAffine` takes. `skimage` is the
                inverse of `pixel`, which `skimage.transform.warp` takes. `normalized` leads from
                template to observation, with -1 and 1 at the outer pixel edges. For images of
                several sizes, pixels of observations are those of each image, pixels of templates
                and normalised coordinates those of the size that all got.

        Returns:
            Matrices (N, 3, 3) for column vectors (x, y, 1); identities if the warp has no affine
            part.

        Raises:
            ConfigError: The convention is unknown.
            DataError: The samples are not images.
        """
        check_value("convention", convention, Choice(get_args(Convention)))
        samples = self.prepare_samples(X)
        if len(self.schema_.domain.axes) != 2:
            raise DataError(
                f"the model was trained on {self.schema_.domain.plural}, which have no matrices; "
                "to_matrix needs a model of images, transform_params works for all"
            )
        height, width = self.schema_.user_shape[1:]
        parts = [to_matrix(map, (height, width), convention) for map, _ in self._maps(samples)]
        matrices: Array = torch.cat(parts).cpu().numpy()
        if samples.sizing is None or convention == "normalized":
            return matrices
        common = samples.sizing.matrices
        return matrices @ common if convention == "skimage" else np.linalg.inv(common) @ matrices

    @property
    def times_(self) -> Array:
        """Time of each time step of aligned series (T,).

        Times are in seconds if the series have time stamps or a known sampling rate (samples per
        second); otherwise they are the numbers of the time steps, 0 to T - 1.

        Raises:
            AttributeError: The model was trained on images.
        """
        check_is_fitted(self)
        if not self.schema_.domain.has_times:
            raise AttributeError(
                f"the model was trained on {self.schema_.domain.plural}, which have no times; "
                "only models of series have times_"
            )
        return self.schema_.times

    @property
    def _chart(self) -> Warp:
        """The warp that converts centred maps to theta, with columns for the user's size."""
        return self.model_.chart.with_size(self.schema_.user_shape[1:])

    def _goal(self, to: Any, samples: Prepared) -> Goal:
        """A sample that is given by its row or as an array, with its deformation."""
        if isinstance(to, int | np.integer) and not isinstance(to, bool):
            if not 0 <= to < len(samples):
                raise DataError(
                    f"to={to} is no row of X, which has {len(samples):,}; give one from 0"
                )
            reference = samples.subset(slice(int(to), int(to) + 1))
        else:
            with rename_in_errors("to"):
                reference = self.prepare_samples(self.open(np.asarray(as_numpy(to))[None]))
        basis = generators(self.model_.warp)[: None if self.refine != "none" else 0]
        picture = framed(reference.full(slice(None)), reference)
        pose = next(map for map, _ in self._maps(reference))
        return Goal(picture, pose, basis, turns_of(self.model_.warp))

    @torch.no_grad()
    def _maps(
        self,
        samples: Prepared,
        other: Prepared | None = None,
        goal: Goal | None = None,
        learned: bool = False,
    ) -> Iterator[tuple[Map, slice]]:
        """Estimate the deformations of samples, chunk by chunk.

        Args:
            samples: N samples.
            other: Data that the deformations are undone in, which bound the chunks; None for none.
            goal: The sample that all are aligned to; None for none.
            learned: Whether to leave out the refinement.

        Yields:
            Maps on the device of the estimator, from the template (or from `goal`) to the samples,
            and the rows of the chunk.
        """
        device = resolve_device(self.device)
        place(self.model_, device)
        for rows in samples.chunks(other):
            x = samples[rows].to(device)
            map = self.model_.pose(x)
            if self.refinement_ is not None and not learned:
                map = self.refinement_.refine(x, map, self.model_.padding)
            if goal is not None:
                map = goal.between(map, samples, rows)
            yield map, rows
        place(self.model_, "cpu")

    def _aligned(
        self, samples: Prepared, target: Prepared, goal: Goal | None, has_values: bool
    ) -> Iterator[tuple[slice, Tensor]]:
        """Chunks of `target` in which the deformations of `samples` are undone.

        Args:
            samples: N samples.
            target: The N samples or data that belong to them.
            goal: The sample that all are aligned to; None for none.
            has_values: Whether gains and offsets are undone, too.

        Yields:
            The rows of a chunk, and the aligned chunk, scaled.
        """
        for map, rows in self._maps(samples, target, goal):
            x = target.full(rows).to(map.reference.device)
            movement = _undo(map, has_values)
            padding = self.model_.padding
            yield rows, deform(x, movement, padding=padding, source=target.window).cpu()

    def _carried(
        self, samples: Prepared, target: Prepared, goal: Goal | None
    ) -> Iterator[tuple[slice, Tensor]]:
        """Indices of the values of `target`, chunk by chunk, that move to each place."""
        window = target.window or Window.frame(target.samples.shape[2:])
        for map, rows in self._maps(samples, target, goal):
            movement = _undo(map, has_values=False)
            yield rows, nearest_index(movement, window, self.model_.padding).cpu()

    def _align_points(self, samples: Prepared, points: Tensor, inverse: bool = False) -> Tensor:
        """Move points from observed to aligned samples, or back.

        Args:
            samples: N samples, which the deformations are estimated from.
            points: Points (N, K, axes) in the coordinates of maps: -1 to 1 between the edges of an
                image, 0 to 1 over a series.
            inverse: Whether to move points from aligned to observed samples.

        Returns:
            The moved points (N, K, axes), in the same coordinates.
        """
        chunks = []
        for map, rows in self._maps(samples):
            invertible = map.invertible_part()
            movement = invertible.push if inverse else invertible.pull
            chunks.append(movement(points[rows].to(map.reference.device)).cpu())
        return torch.cat(chunks)


def _undo(map: Map, has_values: bool) -> Map:
    """The map that undoes the invertible part of another, with or without its gains."""
    undoing = map.invertible_part().invert()
    return undoing if has_values else undoing.point_map
