"""`Latent`: a content code and a deformation for each sample."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unwarp.warps import Map


@dataclass(frozen=True)
class Latent:
    """Content codes and deformations of a batch of samples.

    `Model.embed` returns it, and `Model.reconstruct` turns it back into samples. Both parts are
    measured after centring: the mean deformation of the training samples is the identity. Replace a
    part to show the template of one sample under the deformation of another.

    Attributes:
        content: Content codes (N, D).
        map: Deformations, N of them.

    >>> import torch
    >>> from unwarp.warps import IdentityMap
    >>> latent = Latent(torch.zeros(2, 3), IdentityMap(2))
    >>> tuple(latent.content.shape), len(latent.map)
    ((2, 3), 2)
    """

    content: Tensor
    map: Map
