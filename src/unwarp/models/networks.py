"""`Networks`: the encoder and the decoder of a model, and the link that follows its warp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from unwarp.models.encoders import Encoder


@dataclass(frozen=True)
class Networks:
    """The networks of a model.

    Attributes:
        encoder: From samples to content and deformation.
        decoder: From content to templates.
        link: The map of values after the warp: the identity, or from log-odds to probabilities.
    """

    encoder: Encoder
    decoder: nn.Module
    link: nn.Module

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode for the time of a `with`; the mode of each network comes back."""
        modes = [(net, net.training) for net in (self.encoder, self.decoder, self.link)]
        for net, _ in modes:
            net.eval()
        try:
            yield
        finally:
            for net, training in modes:
                net.train(training)
