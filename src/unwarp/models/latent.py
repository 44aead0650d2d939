"""`Latent`: a content code and a deformation for each sample."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unwarp.warps import Map


@dataclass(frozen=True)
class Latent:
    """What an encoder says of a batch: content codes (N, D) and one deformation a row."""

    content: Tensor
    map: Map
