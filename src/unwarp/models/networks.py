"""`Networks`: the encoder, the decoder and the link of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from unwarp.models.encoders import Encoder


@dataclass(frozen=True)
class Networks:
    """The networks of a model.

    A `Model` owns them as submodules. Other parts of a model, such as its `PoseSearch`, refer to
    them through this record, so that no parameter is registered twice.

    Attributes:
        encoder: From samples (N, C, ...) to a `Posterior`.
        decoder: From content (N, D) to templates (N, C, ...) on the window.
        link: From warped templates to reconstructions, value by value: the identity, or from
            log-odds to probabilities.

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
        """Context with all networks in evaluation mode.

        Afterwards each network has its earlier mode again, also after an error.
        """
        modes = [(net, net.training) for net in (self.encoder, self.decoder, self.link)]
        for net, _ in modes:
            net.eval()
        try:
            yield
        finally:
            for net, was_training in modes:
                net.train(was_training)
