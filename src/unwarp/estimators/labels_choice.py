"""Features that labels choose: a mode that uses labels.

Every kind of features is scored by leaving one out: each training sample gets the class of the
nearest other one. Few labels make such scores noisy, so content codes stay unless another kind is
right more often by more than the standard error of the difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Domain, LabelPolicy, Labels
from unwarp.data.array_likes import as_numpy
from unwarp.data.samples import Samples, reference_view
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError
from unwarp.estimators.feature_columns import BASES, Columns, Views
from unwarp.models.measured import ElasticCode
from unwarp.models.model import Model
from unwarp.models.refinement import Refinement

MAX_LABELLED_SAMPLES = 1000
"""Greatest number of samples that are left out."""


@dataclass(frozen=True)
class LabelsChoice:
    """Features that labels chose, with the accuracies of all candidates.

    Attributes:
        choice: Name of the chosen kind of features.
        accuracies: Share of the training samples whose nearest other one has their class, by the
            name of the kind of features.
        n_samples: Number of training samples that were left out, one at a time.

    >>> print(LabelsChoice("raw", {"content": 0.5, "raw": 0.75}, 40))
    labels chose samples as they are: 75.0 % right when each of 40 is left out, content codes 50.0 %
    """

    choice: str
    accuracies: Mapping[str, float]
    n_samples: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Restore a choice from a dictionary.

        Args:
            record: Dictionary that `dataclasses.asdict` made, possibly stored as JSON.

        Raises:
            ValueError: The kind of features is unknown, or has no accuracy.
        """
        choice, accuracies = record["choice"], record["accuracies"]
        if choice not in BASES or choice not in accuracies:
            raise ValueError(f"labels_choice={choice!r} is unknown")
        values = {name: float(value) for name, value in accuracies.items()}
        return cls(choice, values, int(record["n_samples"]))

    def __str__(self) -> str:
        line = (
            f"labels chose {BASES[self.choice].words}: {self.accuracies[self.choice]:.1%} right "
            f"when each of {self.n_samples:,} is left out"
        )
        if self.choice != "content":
            line += f", content codes {self.accuracies['content']:.1%}"
        return line.replace("%", " %")


def choose_columns(
    model: Model,
    data: Samples,
    domain: Domain,
    device: str = "cpu",
    refinement: Refinement | None = None,
) -> tuple[Columns, LabelsChoice]:
    """The columns that `transform` returns, chosen by labels.

    Args:
        model: The trained model.
        data: Training samples with labels.
        domain: Domain of the samples.
        device: Device that computes.
        refinement: The refinement of aligned series; None for none.

    Returns:
        The columns, and the choice.
    """
    view = reference_view(data, MAX_LABELLED_SAMPLES)
    rows = np.random.default_rng(0).permutation(len(view))
    views = Views.of(model, domain, view.x[rows], device, refinement)
    is_refined = refinement is not None
    bases = candidates(model, domain, views, is_refined)
    fitted = {base: Columns.fit(base, views, is_refined) for base in bases}
    classes = np.unique(np.asarray(view.labels)[rows], return_inverse=True)[1]
    hits = {base: is_nearest_alike(columns(views), classes) for base, columns in fitted.items()}
    choice = choose(hits)
    accuracies = {base: float(hit.mean()) for base, hit in hits.items()}
    return fitted[choice], LabelsChoice(choice, accuracies, len(rows))


def candidates(model: Model, domain: Domain, views: Views, is_refined: bool = False) -> list[str]:
    """Names of the kinds of features to choose from, content codes first.

    Kinds that equal the content codes, or need a warp or time that the model lacks, are left out.

    Args:
        model: The trained model.
        domain: Domain of the samples.
        views: Training samples.
        is_refined: Whether aligned series are refined.
    """
    content, has_pose = getattr(model.encoder, "content", None), views.pose.shape[1] > 0
    names = []
    for name, base in BASES.items():
        is_aligned = base.view == "aligned"
        lacks_pose = not has_pose and (base.has_pose or (is_aligned and not is_refined))
        if lacks_pose or (base.weights is not None and not domain.has_times):
            continue
        if isinstance(content, ElasticCode) and base.weights == (1, 1, 1):
            # content codes see series before their refinement
            is_content = is_aligned == bool(content.sees_aligned)
            if is_content and not (is_aligned and is_refined):
                continue
        names.append(name)
    return names


def is_nearest_alike(columns: Tensor, classes: Array) -> Array:
    """Whether the nearest other sample has the same class (N,).

    Args:
        columns: Features (N, F).
        classes: Number of the class of each sample (N,).

    >>> is_nearest_alike(torch.tensor([[0.0], [1.0], [5.0]]), np.array([0, 0, 1])).tolist()
    [True, True, False]
    """
    distances = torch.cdist(columns.double(), columns.double()).fill_diagonal_(torch.inf)
    return np.asarray(classes[distances.argmin(1).numpy()] == classes)


def choose(hits: Mapping[str, Array]) -> str:
    """The kind of features with the surest gain over the first.

    It is the first itself if no gain is sure. Another kind gains its wins minus its losses: the
    samples that it alone has right, and those that only the first kind has. The standard error of
    that number is the root of their sum. Of equal kinds the earlier one counts.

    Args:
        hits: Whether each sample is right when it is left out (N,), by the name of the kind.

    >>> few, many = np.array([True, False, False, False]), np.array([True, True, True, False])
    >>> choose({"content": few, "raw": many, "aligned": many})
    'raw'
    >>> choose({"content": many, "raw": few})
    'content'
    """
    first = next(iter(hits))
    best, surest = first, 0.0
    for name in hits:
        wins = int((hits[name] & ~hits[first]).sum())
        losses = int((hits[first] & ~hits[name]).sum())
        gain = wins - losses - math.sqrt(wins + losses)
        if gain > surest:
            best, surest = name, gain
    return best


def with_labels(source: Source, y: Any) -> Source:
    """Samples with the labels that a user gave apart.

    Args:
        source: N samples.
        y: Class of each sample (N,); None for the labels of the source.

    Raises:
        DataError: There is not one label for each sample.
    """
    if y is None:
        return source
    labels = np.asarray(as_numpy(y))
    if labels.shape != (len(source),):
        raise DataError(
            f"y has shape {labels.shape}; give one label for each of the {len(source):,} samples"
        )
    dataset = None if source.dataset is None else replace(source.dataset, labels=labels)
    return replace(source, labels=labels, dataset=dataset)


def check_labels(policy: LabelPolicy, labels: Labels | None) -> None:
    """Refuse to choose features without labels.

    Args:
        policy: The argument `labels`.
        labels: Class of each training sample (N,); None if unknown.

    Raises:
        ConfigError: There are no labels.
        DataError: A label is missing, or there are fewer than two classes, or no class has two
            samples.
    """
    if policy == "ignore":
        return
    if labels is None:
        raise ConfigError(
            "labels='choose' needs a class for each training sample, and there are none; give "
            "classes as y of fit or in the source, such as a column of labels, or labels='ignore'"
        )
    values = np.asarray(labels)
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise DataError("y has NaN; leave out samples without a class")
    counts = np.unique(values, return_counts=True)[1]
    if len(counts) < 2 or counts.max() < 2:
        raise DataError(
            f"y has {len(counts)} classes of at most {counts.max()} samples; to choose features, "
            "give two classes or more, and several samples of a class"
        )
