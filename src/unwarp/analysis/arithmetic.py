"""Feature arithmetic: what one set has and another lacks, added to samples."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unwarp.analysis.latents import Rendering, _encode, _samples, evaluating
from unwarp.analysis.traversal import identity_map
from unwarp.models import Model


@dataclass(frozen=True)
class Arithmetic:
    """Feature arithmetic: content of `to`, plus the mean of one set, minus the mean of another.

    Attributes:
        to: The M samples that are changed.
        result: They with the difference added; their deformations are their own.
        plus: The mean content of the set that is added, undeformed (1).
        minus: The mean content of the set that is taken away, undeformed (1).
    """

    to: Rendering
    result: Rendering
    plus: Rendering
    minus: Rendering


def arithmetic(model: Model, plus: Tensor, minus: Tensor, to: Tensor) -> Arithmetic:
    """Add the mean content of `plus` and take away that of `minus` in each of the samples `to` (each (N, *shape)).

    Radford, Metz and Chintala 2016 did so with codes of a DCGAN (Unsupervised representation learning). Only content is
    added; the results are deformed as the samples `to` are.

    Raises:
        DataError: An empty set, or samples of another shape.
    """
    sets = [
        _samples(model, x, name) for name, x in {"plus": plus, "minus": minus, "to": to}.items()
    ]
    with evaluating(model):
        (added, _), (taken, _), (content, theta) = (_encode(model, x) for x in sets)
        means = [codes.mean(0, keepdim=True) for codes in (added, taken)]
        still = model.chart.theta(identity_map(model))
        changed = content + (means[0] - means[1])
        before, after = (Rendering.of(model, codes, theta) for codes in (content, changed))
        return Arithmetic(before, after, *(Rendering.of(model, mean, still) for mean in means))
