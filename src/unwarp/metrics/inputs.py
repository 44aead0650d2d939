"""The inputs of scores by name.

Theta are the parameters of a deformation. Summary columns are a deformation in units for people,
such as degrees and pixels. A probe is a known deformation that is applied to an image on top of its
own, to test the estimate of the pose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Factor, Labels
from unwarp.warps import Map

TRAIN = "train_"
"""Prefix of an argument's name for the input of the reference data."""


@dataclass(frozen=True, eq=False)
class ScoreInputs:
    """All inputs of scores; None for those that are not available.

    The arguments of a score are named after these fields. With the prefix `train_`, an argument is
    a field of `reference`: `train_codes` is `reference.codes`. `first | second` joins two records.
    N is the number of held-out samples.

    Attributes:
        x: Observations (N, C, ...), scaled as the model takes them; missing values are filled from
            the reconstruction.
        x_hat: Reconstructions of the observations (N, C, ...), in the same unit.
        series: Series (N, C, T) with missing values interpolated in time; None for images.
        aligned: Series with their deformations undone (N, C, T); None for images, or without a
            warp.
        codes: Content codes (N, D), in the model's own unit.
        templates: Decoded templates (N, C, ...), in the unit of `x`.
        theta: Parameters of the deformations (N, P), in the units of the warp's factors.
        latents: Codes and theta, concatenated (N, D + P).
        map: Estimated deformations, N rows; None for a model without a warp.
        table: Deformation columns (N,) by `Factor`, which has their unit and range: the summary
            columns for images, the columns of theta for series.
        cluster_centers: Content codes of cluster centres (K, D).
        labels: Class of each sample (N,), any values, at least two classes.
        ids: Number of the original that each observation shows (N,).
        true_map: True deformations, N rows.
        orders: Symmetry order of each class, for data sets with one canonical frame per class (as
            rendered shapes have, and handwritten digits have not).
        factors: The F factors that describe the columns of `factor_values`.
        factor_values: True values (N, F) of factors in their units; two or more vary.
        size: Size of the frame: pixels (H, W) of images, time steps (T,) of series.
        probe: Known deformations that are applied to the samples, N rows.
        probed_map: Estimated deformations of the samples after `probe`, N rows.
        content_mean: Posterior means of the content (N, D).
        content_log_sd: Posterior log standard deviations of the content (N, D).
        log_weights: Log importance weights of K posterior draws, in nats (K, N).
        features: Features of the held-out samples (N, F), in the unit of their extractor.
        sample_features: Features of generated samples (M, F).
        gaussian_features: Features of draws of `pixel_gaussian` (L, F).
        sample_labels: Predicted classes of generated samples (M,).
        reference: Inputs of the reference data, such as the training samples, to which nearest
            neighbours, linear classifiers and clusters are fitted.

    >>> inputs = ScoreInputs(size=(28, 28), reference=ScoreInputs(labels=np.arange(3)))
    >>> inputs.names()
    ('size', 'train_labels')
    """

    x: Array | None = None
    x_hat: Array | None = None
    series: Array | None = None
    aligned: Array | None = None
    codes: Array | None = None
    templates: Array | None = None
    theta: Array | None = None
    latents: Array | None = None
    map: Map | None = None
    table: Mapping[Factor, Array] | None = None
    cluster_centers: Array | None = None
    labels: Labels | None = None
    ids: NDArray[np.integer] | None = None
    true_map: Map | None = None
    orders: Mapping[int, int] | None = None
    factors: Sequence[Factor] | None = None
    factor_values: Array | None = None
    size: tuple[int, ...] | None = None
    probe: Map | None = None
    probed_map: Map | None = None
    content_mean: Array | None = None
    content_log_sd: Array | None = None
    log_weights: Array | None = None
    features: Array | None = None
    sample_features: Array | None = None
    gaussian_features: Array | None = None
    sample_labels: Labels | None = None
    reference: ScoreInputs | None = None

    def __or__(self, other: ScoreInputs) -> ScoreInputs:
        """The inputs of both records; an input of both has the value of `other`."""
        values = {f.name: getattr(other, f.name) for f in fields(other)}
        return replace(self, **{name: value for name, value in values.items() if value is not None})

    def value(self, name: str) -> Any:
        """The input for an argument of a score.

        Args:
            name: A field, or a field of `reference` with the prefix `train_`.

        Returns:
            The value; None if it is not available.

        Raises:
            AttributeError: There is no such field.
        """
        if name.startswith(TRAIN):
            reference = self.reference or ScoreInputs()
            return getattr(reference, name.removeprefix(TRAIN))
        return getattr(self, name)

    def names(self) -> tuple[str, ...]:
        """Names of the available inputs, those of the reference data last."""
        return tuple(name for name in input_names() if self.value(name) is not None)


def input_names() -> tuple[str, ...]:
    """All names that an argument of a score can have.

    Returns:
        The fields of `ScoreInputs` except `reference`, then the same with the prefix `train_`.
    """
    names = tuple(f.name for f in fields(ScoreInputs) if f.name != "reference")
    return names + tuple(f"{TRAIN}{name}" for name in names)
