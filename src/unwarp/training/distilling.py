"""Distilling: a small network that predicts measured codes of series.

Elastic distances to landmarks take milliseconds a series. A network learns the codes that they give
(Hinton, Vinyals and Dean 2015, Distilling the knowledge in a neural network), of training series
and of mixtures of them, which have measured codes as well.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from unwarp.distances.values_and_slopes import shorten
from unwarp.missing import interpolate_missing
from unwarp.models.distilled import DistilledCode, FastLoss
from unwarp.models.model import SAMPLES_PER_CHUNK, Model

MAX_SERIES, N_MIXTURES = 1024, 2048
"""Greatest number of training series, and number of mixtures of them, with one channel."""

MIN_SHARE = 1 / 8
"""Least share of these numbers; with more channels, which take longer, there are fewer."""

HELD_OUT_SHARE, MIN_SERIES = 0.2, 5
"""Share of the series that measure the loss; fewer series than the second number all train."""

STEPS, BATCH_SIZE, LEARNING_RATE = 600, 128, 2e-3
"""Training steps of the network, series per step, and greatest learning rate."""

MAX_SHIFT, MAX_STRETCH, SCALE_SD = 0.03, 0.05, 0.1
"""Greatest shift and stretch of a mixture in shares of its length, and deviation of its scale."""


@torch.no_grad()
def distil(model: Model, x: Tensor, seed: int = 0) -> FastLoss:
    """The loss of a network that predicts the codes of a model.

    It is trained here, and used from now on.

    Args:
        model: A settled model whose content is a `DistilledCode`.
        x: Training samples (N, C, T) in random order; up to 1,024 are used, fewer of several
            channels.
        seed: Seed of mixtures, weights and batches.

    Returns:
        The loss, measured on held-out series.
    """
    code = model.encoder.content
    assert isinstance(code, DistilledCode)
    share = max(1 / code.landmarks.shape[1], MIN_SHARE)
    series = shorten(_content_series(model, code, x[: int(share * MAX_SERIES)]))
    codes = torch.cat([code.measure(part) for part in torch.split(series, SAMPLES_PER_CHUNK)])
    n = round(HELD_OUT_SHARE * len(series)) if len(series) >= MIN_SERIES else 0
    generator = torch.Generator().manual_seed(seed)
    mixed = mixtures(series[n:], int(share * N_MIXTURES), generator)
    targets = torch.cat([code.measure(part) for part in torch.split(mixed, SAMPLES_PER_CHUNK)])
    inputs = code.features(torch.cat([series[n:], mixed]))
    _train(code, inputs, torch.cat([codes[n:], targets]), generator)
    loss = fast_loss(code.net(code.features(series)), codes, n)
    code.accept(loss)
    return loss


def mixtures(x: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Convex combinations of two or three series, slightly warped and scaled.

    Args:
        x: Series (N, C, T), NaN in gaps.
        n: Number of mixtures.
        generator: Source of random numbers.

    Returns:
        Series (n, C, T), with the gaps of one of those that were mixed.
    """
    rows = torch.randint(len(x), (n, 3), generator=generator)
    shares = -torch.rand(n, 3, generator=generator).clamp_min(1e-12).log()
    shares[:, 2] *= torch.rand(n, generator=generator) < 0.5
    shares /= shares.sum(1, keepdim=True)
    mixed = (interpolate_missing(x)[rows] * shares[:, :, None, None]).sum(1)
    scales = 1 + SCALE_SD * torch.randn(n, 1, 1, generator=generator)
    return (scales * _warped(mixed, generator)).masked_fill(x[rows[:, 0]].isnan(), torch.nan)


def fast_loss(predicted: Tensor, codes: Tensor, n: int) -> FastLoss:
    """The loss of predicted codes of the first series.

    Args:
        predicted: Predicted codes (N, D).
        codes: Measured codes (N, D).
        n: Number of held-out series, which come first.

    >>> codes = torch.tensor([[0.0], [1.0], [3.0]])
    >>> fast_loss(codes + 1, codes, 2).neighbours
    1.0
    """
    if not n:
        return FastLoss(0.0, 0.0, 0)
    error = (predicted[:n] - codes[:n]).square().sum()
    spread = (codes[:n] - codes.mean(0)).square().sum().clamp_min(1e-12)
    nearest = [
        torch.cdist(points[:n].double(), points.double())
        .masked_fill(torch.eye(n, len(points), dtype=torch.bool), torch.inf)
        .argmin(1)
        for points in (predicted, codes)
    ]
    neighbours = (nearest[0] == nearest[1]).double().mean()
    return FastLoss(float((error / spread).sqrt()), float(neighbours), n)


def _content_series(model: Model, code: DistilledCode, x: Tensor) -> Tensor:
    """Series (N, C, T) as the code sees them, NaN in gaps."""
    if not code.sees_aligned:
        return code.series(model.canvas.encoder_input(x))
    parts = (model.encode(part).canonical for part in torch.split(x, SAMPLES_PER_CHUNK))
    return code.series(torch.cat([part for part in parts if part is not None]))


def _warped(x: Tensor, generator: torch.Generator) -> Tensor:
    """Series (N, C, T) under small smooth warps of time and shifts."""
    last = x.shape[2] - 1
    stretch, shift = (2 * torch.rand(2, len(x), 1, generator=generator) - 1).unbind(0)
    waves = torch.randint(1, 4, (len(x), 1), generator=generator)
    time = torch.linspace(0, 1, last + 1)
    bend = MAX_STRETCH * stretch * torch.sin(math.pi * waves * time) / waves
    position = (time + bend + MAX_SHIFT * shift).clamp(0, 1) * last
    left = position.floor().clamp_max(max(last - 1, 0)).long()
    weight = (position - left)[:, None]
    right = (left + 1).clamp_max(last)
    before, after = (x.gather(2, i[:, None].expand_as(x)) for i in (left, right))
    return before + weight * (after - before)


@torch.enable_grad()
def _train(
    code: DistilledCode, inputs: Tensor, targets: Tensor, generator: torch.Generator
) -> None:
    """Train the network of a code to predict targets (N, D) from inputs."""
    net = code.net.requires_grad_(True)
    _initialise(net, targets, generator)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, STEPS)
    for _ in range(STEPS):
        rows = torch.randint(len(inputs), (BATCH_SIZE,), generator=generator)
        loss = (net(inputs[rows]) - targets[rows]).square().sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.requires_grad_(False)


def _initialise(net: nn.Module, targets: Tensor, generator: torch.Generator) -> None:
    """Random weights from a generator; the outputs begin at the mean target."""
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Conv1d | nn.Linear)]
    for layer in layers:
        assert layer.bias is not None
        bound = 1 / math.sqrt(layer.weight[0].numel())
        nn.init.uniform_(layer.weight, -bound, bound, generator)
        nn.init.uniform_(layer.bias, -bound, bound, generator)
        last = layer.bias
    last.data.copy_(targets.mean(0))
