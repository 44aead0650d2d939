"""`Networks`: the encoder, the decoder and the link of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from unwarp.models.encoder import Encoder


@dataclass(frozen=True)
class Networks:
    """The networks of a model.

    A `Model` owns them as submodules. Other parts of a model, such as its `PoseSearch`, refer to
    them through this record, so that no parameter is registered twice.

    Attributes:
        encoder: Module from samples (N, C, ...) to a `Posterior`.
        decoder: Module from content codes (N, D) to templates (N, C, ...) on the window.
        link: Elementwise module from deformed templates to reconstructions: the identity, or the
            function from log-odds to probabilities.

    >>> from unwarp.warps import Identity
    >>> networks = Networks(Encoder(Identity(), 2), nn.Linear(2, 4), nn.Identity())
    >>> with networks.evaluating():
    ...     networks.decoder.training
    False
    """

    encoder: Encoder
    decoder: nn.Module
    link: nn.Module

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Context in which all networks are in evaluation mode.

        At its end, also after an error, each network returns to its earlier mode.
        """
        # networks in evaluation mode are not touched, so that a traced graph has no side effect
        training = [net for net in (self.encoder, self.decoder, self.link) if net.training]
        for net in training:
            net.eval()
        try:
            yield
        finally:
            for net in training:
                net.train()
