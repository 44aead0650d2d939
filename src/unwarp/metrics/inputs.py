"""The inputs of scores by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Factor, Labels
from unwarp.warps import Map

TRAIN = "train_"
"""Prefix of an input that asks for the same input of the reference data."""


@dataclass(frozen=True, eq=False)
class ScoreInputs:
    """All inputs of scores; None for those that are not available.

    The arguments of a score are named after these fields. The prefix `train_` asks for the same
    field of `reference`: an argument `train_codes` is `reference.codes`. `first | second` joins two
    records. N is the number of held-out samples.

    Attributes:
        x: Observations (N, C, ...), scaled as the model takes them; gaps as reconstructed.
        x_hat: Their reconstructions (N, C, ...), in the same unit.
        series: Series (N, C, T) with gaps interpolated linearly in time; None for images.
        aligned: Series with their warps undone (N, C, T); None for images, or without a warp.
        codes: Content codes (N, D), in the model's own unit.
        templates: Decoded templates (N, C, ...), in the unit of `x`.
        theta: Parameters of the deformations (N, P), in the units of the warp's factors.
        latents: Codes and theta side by side (N, D + P).
        map: Estimated deformations (N); None for a model without a warp.
        table: Deformation columns (N,) by `Factor`, in its unit and with its range: human columns
            of images, the warp's own of series.
        cluster_centers: Cluster centres in the space of the codes (K, D).
        labels: Classes (N,), of two or more; any values.
        ids: Original that each observation shows (N,).
        true_map: True deformations (N).
        orders: Symmetry order by class, if all samples of a class share their frame.
        factors: Description of each column of `factor_values` (F).
        factor_values: True values (N, F) of factors in their units; two or more vary.
        size: Frame in samples, (H, W) of images or (T,) of series.
        probe: Known deformations (N) put on top of the samples.
        probed_map: Deformations (N) estimated for the samples with `probe` on top.
        content_mean: Posterior means of the content (N, D).
        content_log_sd: Log standard deviations of the content (N, D).
        log_weights: Log importance weights of K posterior draws, in nats (K, N).
        features: Features of the held-out samples (N, F), in the unit of their extractor.
        sample_features: Features of generated samples (M, F).
        gaussian_features: Features of draws of `pixel_gaussian` (L, F).
        sample_labels: Predicted classes of generated samples (M,).
        reference: Inputs of the samples to which neighbours, probes and clusters are fitted.

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
        """The inputs of both records; those of `other` replace those of `self`."""
        values = {f.name: getattr(other, f.name) for f in fields(other)}
        return replace(self, **{name: value for name, value in values.items() if value is not None})

    def value(self, name: str) -> Any:
        """The input that a score asks for by an argument's name.

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
        The fields of `ScoreInputs` but `reference`, then the same with the prefix `train_`.
    """
    names = tuple(f.name for f in fields(ScoreInputs) if f.name != "reference")
    return names + tuple(f"{TRAIN}{name}" for name in names)
