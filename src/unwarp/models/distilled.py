"""Elastic codes that a small network predicts, in microseconds a series.

SeriesNet        convolutions over the values and slopes of shortened series
DistilledCode    an elastic code whose network `unwarp.training.distilling.distil` trains
FastLoss         how far the predicted codes are from the measured ones
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unwarp.distances.values_and_slopes import divide, shorten, slopes
from unwarp.missing import interpolate_missing
from unwarp.models.measured import ElasticCode

WIDTH, HIDDEN = 48, 256
"""Channels of the convolutions, and units of the layer after them."""

KERNELS = (9, 7, 5)
"""Kernel size of each convolution; each halves the number of time steps."""


@dataclass(frozen=True)
class FastLoss:
    """Difference between predicted and measured codes of held-out training series.

    Attributes:
        error: Root mean square distance of the codes, as a share of that to the mean code.
        neighbours: Share of the held-out series whose nearest other training series stays the same.
        n_series: Number of held-out series.

    >>> print(FastLoss(0.25, 0.75, 40))
    codes of 40 held-out series are off by 25 % of their spread, and 75 % keep their neighbour
    """

    error: float
    neighbours: float
    n_series: int

    def __str__(self) -> str:
        if not self.n_series:
            return "the loss is not measured, because there are too few series to hold some out"
        return (
            f"codes of {self.n_series:,} held-out series are off by {self.error * 100:.0f} % of "
            f"their spread, and {self.neighbours * 100:.0f} % keep their neighbour"
        )


class SeriesNet(nn.Module):
    """Convolutions over time, and two linear layers.

    Args:
        shape: Shape of an input (channels, time steps).
        n_outputs: Number of outputs.

    >>> SeriesNet((2, 40), 3)(torch.zeros(5, 2, 40)).shape
    torch.Size([5, 3])
    """

    def __init__(self, shape: tuple[int, int], n_outputs: int) -> None:
        super().__init__()
        n_channels, n_steps = shape
        layers: list[nn.Module] = []
        for kernel in KERNELS:
            layers += [nn.Conv1d(n_channels, WIDTH, kernel, 2, kernel // 2), nn.GELU()]
            n_channels, n_steps = WIDTH, -(-n_steps // 2)
        layers += [nn.Flatten(), nn.Linear(WIDTH * n_steps, HIDDEN), nn.GELU()]
        self.layers = nn.Sequential(*layers, nn.Linear(HIDDEN, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (N, n_outputs) of inputs (N, channels, time steps)."""
        outputs: Tensor = self.layers(x)
        return outputs


class DistilledCode(ElasticCode):
    """Elastic codes of series, predicted by a network once it is distilled.

    Until then, codes are measured as in `ElasticCode`. The weights of the network take no part in
    other trainings.

    Args:
        shape: Shape of a series (C, T).
        n_content: Size D of the code.
        n_mask_channels: Number of mask channels that follow the channels of a series in an input.

    Attributes:
        net: The network.
        is_distilled: Whether the network predicts the codes.

    >>> code = DistilledCode((1, 30), n_content=4)
    >>> code.fit(torch.randn(9, 1, 30))
    >>> bool(code.is_distilled), code(torch.randn(2, 1, 30))[0].shape
    (False, torch.Size([2, 4]))
    """

    is_distilled: Tensor
    losses: Tensor

    def __init__(self, shape: tuple[int, ...], n_content: int, n_mask_channels: int = 0) -> None:
        super().__init__(shape, n_content, n_mask_channels)
        n_channels = (2 + bool(n_mask_channels)) * shape[0]
        with torch.random.fork_rng(devices=[]):  # other weights are those of a model without a net
            self.net = SeriesNet((n_channels, self.landmarks.shape[2]), n_content)
        self.net.requires_grad_(False)
        self.register_buffer("is_distilled", torch.tensor(False))
        self.register_buffer("losses", torch.zeros(3))

    @property
    def loss(self) -> FastLoss | None:
        """The loss of the network; None before it is distilled."""
        if not self.is_distilled:
            return None
        error, neighbours, n_series = self.losses.tolist()
        return FastLoss(error, neighbours, int(n_series))

    def accept(self, loss: FastLoss) -> None:
        """Predict codes by the network from now on.

        Args:
            loss: The loss of the network.
        """
        values = (loss.error, loss.neighbours, loss.n_series)
        self.losses.copy_(self.losses.new_tensor(values))
        self.is_distilled.fill_(True)

    def features(self, x: Tensor) -> Tensor:
        """Inputs of the network: values, slopes, and where they are observed.

        Args:
            x: Series (N, C, T), NaN in gaps.

        Returns:
            Channels (N, 2 C or 3 C, min(T, 128)), in units of standard deviations.
        """
        short = shorten(x)
        value_sds, slope_sds = self.sds.tolist()
        values = divide(interpolate_missing(short), value_sds).nan_to_num(0.0)
        rises = torch.zeros_like(values)
        if values.shape[2] > 1:
            rises[:, :, 1:] = divide(slopes(values), slope_sds)
        parts = [values, rises]
        if self.n_mask_channels:
            parts.append((~short.isnan()).to(values))
        return torch.cat(parts, 1)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The codes of series, predicted if the network is distilled.

        Args:
            x: Series (N, C, T) without NaN, followed by their mask channels if there are any.

        Returns:
            Codes (N, D), and None in place of log standard deviations.
        """
        if not self.is_distilled:
            return super().forward(x)
        return self.net(self.features(self.series(x))), None
