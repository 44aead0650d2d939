"""What adversarial families share: the `Critic`, which belongs to a player and never to the model, and how it is held."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from unwarp.errors import DataError
from unwarp.models.model import Model
from unwarp.nets.net import Net


class Critic(nn.Module):
    """A network that gives every sample one logit: how much more likely it is to be real than generated.

    Attributes:
        shape: Shape of the samples that it judges, (C, H, W) or (C, T).
    """

    def __init__(self, net: Net, shape: Sequence[int], spectral: bool = False) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.net = net.criticise(shape)
        if spectral:
            add_spectral_norm(self.net)

    def forward(self, x: Tensor) -> Tensor:
        """The logits (N,) of samples `x` (N, *shape).

        Raises:
            DataError: Samples of another shape.
        """
        if tuple(x.shape[1:]) != self.shape:
            raise DataError(
                f"the critic judges samples of shape {self.shape}, got {tuple(x.shape[1:])}; train on samples of the "
                "shape that the model was built for, or build the model for these: recipe.build(data.shape)"
            )
        return torch.as_tensor(self.net(x)).squeeze(-1)


@contextmanager
def seeded_by(model: Model) -> Iterator[None]:
    """For the time of a `with`: weights are drawn from a seed that follows the model's own weights, and so its seed."""
    seed = zlib.crc32(
        torch.cat([p.detach().cpu().flatten() for p in model.decoder.parameters()])
        .numpy()
        .tobytes()
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def critic_for(model: Model, net: Net, spectral: bool = False) -> Critic:
    """A new critic of what `model` draws."""
    with seeded_by(model):
        return Critic(net, model.shape, spectral).to(model.anchor_theta.device)


def add_spectral_norm(net: nn.Module) -> None:
    """Divide every layer's weight by its largest singular value (Miyato et al. 2018, Spectral normalization for GANs)."""
    for layer in list(net.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            spectral_norm(layer)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """For the time of a `with`: no gradient reaches the module's weights, and its buffers stand still."""
    training, learning = module.training, [p for p in module.parameters() if p.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    module.eval()
    try:
        yield
    finally:
        module.train(training)
        for parameter in learning:
            parameter.requires_grad_(True)


def coverage(real: Tensor, fake: Tensor, k: int = 5) -> Tensor:
    """Share of the real samples that have a generated one nearer than their `k`-th real neighbour, a scalar.

    A perfect generator covers about 1 - 2^-k, one that makes only some of the modes their share of that (Naeem et al. 2020,
    Reliable fidelity and diversity metrics for generative models). Here in the samples' own space, so that it needs neither
    labels nor features: a sign to watch during training, not a score to publish.

    Args:
        real: Real samples (N, ...).
        fake: Generated samples (M, ...).
        k: Neighbours; at most N - 1 are used.
    """
    real, fake = real.flatten(1), fake.flatten(1)
    radius = torch.cdist(real, real).kthvalue(min(k + 1, len(real)), dim=1).values
    return (torch.cdist(real, fake).amin(1) <= radius).to(real.dtype).mean()
