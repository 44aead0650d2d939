"""`ScoreInputs`: the one record of what scores ask for by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Factor, Labels
from unwarp.warps import Map

TRAIN = "train_"
"""Before the name of an input: that of the reference data."""


@dataclass(frozen=True, eq=False)
class ScoreInputs:
    """Everything that a score can ask for; None where it is not available.

    The names of a score's arguments are names of these fields; with `train_` before it, an argument
    is the same field of `reference`. N is the number of held-out samples.

    Attributes:
        x: Observations (N, C, ...), scaled as the model takes them; gaps as reconstructed.
        x_hat: Their reconstructions (N, C, ...), in the same unit.
        series: Series (N, C, T), gaps on the line between their neighbours; None for pictures.
        aligned: Series with their warps undone (N, C, T); None for pictures, or without a warp.
        codes: Content codes (N, D), in the model's own unit.
        templates: Decoded templates (N, C, ...), in the unit of `x`.
        theta: Parameters of the deformations (N, P), in the units of the warp's factors.
        latents: Codes and theta side by side (N, D + P).
        map: Estimated deformations (N); None for a model without a warp.
        table: Deformation columns (N,) by `Factor`, in its unit and with its range: human columns
            of pictures, the warp's own of series.
        cluster_centers: Cluster centres in the space of the codes (K, D).
        labels: Classes (N,), of two or more; any values.
        ids: Original that each observation shows (N,).
        true_map: True deformations (N).
        orders: Symmetry order by class, where samples of a class share their frame.
        factors: Description of each column of `factor_values` (F).
        factor_values: True values (N, F) of factors in their units; two or more vary.
        size: Frame in samples, (H, W) of pictures or (T,) of series.
        move: Deformations (N) put on top of the samples, as a probe.
        moved_map: Deformations (N) estimated for the samples with `move` on top.
        content_mean: Posterior means of the content (N, D).
        content_log_sd: Log standard deviations of the content (N, D).
        log_weights: Log importance weights of K posterior draws, in nats (K, N).
        features: Features of the held-out samples (N, F), in the unit of their extractor.
        sample_features: Features of generated samples (M, F).
        gaussian_features: Features of draws of `pixel_gaussian` (L, F).
        sample_labels: Predicted classes of generated samples (M,).
        reference: The same of the samples on which neighbours, probes and clusters are fitted.
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
    move: Map | None = None
    moved_map: Map | None = None
    content_mean: Array | None = None
    content_log_sd: Array | None = None
    log_weights: Array | None = None
    features: Array | None = None
    sample_features: Array | None = None
    gaussian_features: Array | None = None
    sample_labels: Labels | None = None
    reference: ScoreInputs | None = None

    def __or__(self, other: ScoreInputs) -> ScoreInputs:
        """Both together; where both have an input, that of `other`."""
        values = {f.name: getattr(other, f.name) for f in fields(other)}
        return replace(self, **{name: v for name, v in values.items() if v is not None})

    def value(self, name: str) -> Any:
        """The input that a score asks for as `name`; None where it is not available."""
        if name.startswith(TRAIN):
            reference = self.reference or ScoreInputs()
            return getattr(reference, name.removeprefix(TRAIN))
        return getattr(self, name)

    def names(self) -> tuple[str, ...]:
        """Names of the inputs that are available."""
        return tuple(name for name in input_names() if self.value(name) is not None)


def input_names() -> tuple[str, ...]:
    """Every name that an argument of a score can have."""
    names = tuple(f.name for f in fields(ScoreInputs) if f.name != "reference")
    return names + tuple(f"{TRAIN}{name}" for name in names)
