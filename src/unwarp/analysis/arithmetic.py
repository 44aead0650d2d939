"""Feature arithmetic: add the difference of two mean content codes to samples."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unwarp.analysis.latents import Rendering, checked_samples, encode_latents, evaluating
from unwarp.analysis.traversal import identity_map
from unwarp.models import Model


@dataclass(frozen=True)
class Arithmetic:
    """Samples before and after feature arithmetic on their content.

    `arithmetic` returns one, for figures of the terms and of the result.

    Attributes:
        to: The M samples before the change.
        result: The M samples with the difference added to their content; their deformations are
            unchanged.
        plus: The mean content of the set that is added, without deformation; one row.
        minus: The mean content of the set that is subtracted, without deformation; one row.

    >>> import torch
    >>> from unwarp.models import AE
    >>> model = AE(n_content=2).build((1, 8, 8))
    >>> with_feature, without = torch.ones(3, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    >>> arithmetic(model, with_feature, without, without).result.x_hat.shape
    torch.Size([2, 1, 8, 8])
    """

    to: Rendering
    result: Rendering
    plus: Rendering
    minus: Rendering


def arithmetic(model: Model, plus: Tensor, minus: Tensor, to: Tensor) -> Arithmetic:
    """Add the difference of two sets' mean content codes to samples.

    The new content is `content(to) + mean content(plus) - mean content(minus)`, as in the work of
    Radford, Metz and Chintala (2016, Unsupervised representation learning) on codes of a DCGAN.
    Each result keeps the deformation of its sample in `to`.

    Args:
        model: A trained model.
        plus: Samples with a feature (N, *shape); at least one.
        minus: Samples without the feature (K, *shape); at least one.
        to: Samples that get the feature (M, *shape); at least one.

    Returns:
        The samples before and after, and the two means.

    Raises:
        DataError: A set is empty, or its samples have another shape than the model's.
    """
    sets_by_name = {"plus": plus, "minus": minus, "to": to}
    sets = [checked_samples(model, x, name) for name, x in sets_by_name.items()]
    with evaluating(model):
        latents = [encode_latents(model, x) for x in sets]
        (plus_codes, _), (minus_codes, _), (content, theta) = latents
        means = [codes.mean(0, keepdim=True) for codes in (plus_codes, minus_codes)]
        identity = model.chart.theta(identity_map(model))
        new_content = content + (means[0] - means[1])
        before, after = (Rendering.of(model, codes, theta) for codes in (content, new_content))
        return Arithmetic(before, after, *(Rendering.of(model, mean, identity) for mean in means))
