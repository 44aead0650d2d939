"""`Latent`: a content code and a deformation for each sample."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unwarp.warps import Map


@dataclass(frozen=True)
class Latent:
    """Content codes and deformations of a batch of samples.

    `Model.embed` returns it, and `Model.reconstruct` turns it back into samples. The deformations
    are centred: the mean deformation of the training samples has been removed from them (see
    `Model.centre`). To apply the deformation of one sample to the template of another, combine the
    `content` of the second with the `map` of the first.

    Attributes:
        content: Content codes (N, D).
        map: N centred deformations.

    >>> import torch
    >>> from unwarp.warps import IdentityMap
    >>> latent = Latent(torch.zeros(2, 3), IdentityMap(2))
    >>> tuple(latent.content.shape), len(latent.map)
    ((2, 3), 2)
    """

    content: Tensor
    map: Map
