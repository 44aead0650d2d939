"""The critic of adversarial families, and functions for its weights.

A `Critic` is trained by its own player (a module with its loss and optimiser) and is not a part of
the model. `freeze_weights` keeps its weights fixed while another player uses it.
`seed_from_weights` makes its initial weights depend on the model's initial weights.
"""

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
    """A network that tells real samples from generated ones.

    It returns one logit per sample. The logistic function of the logit is the critic's probability
    that the sample is real. The logit of an optimal critic is the log of the ratio of the densities
    of real and generated samples (Goodfellow et al. 2014).

    Args:
        net: Architecture of the network.
        shape: Shape of a sample, (C, H, W) or (C, T); (D,) for content codes.
        spectral: Whether to apply `add_spectral_norm` to the network.

    Attributes:
        shape: Shape of a sample.
        net: The network, without batch normalisation.

    >>> critic = Critic(Net("mlp", (8,), (8,)), (1, 4, 4))
    >>> critic(torch.zeros(3, 1, 4, 4)).shape
    torch.Size([3])
    """

    def __init__(self, net: Net, shape: Sequence[int], spectral: bool = False) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.net = net.build_critic(shape)
        if spectral:
            add_spectral_norm(self.net)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of samples: positive for real, negative for generated.

        Args:
            x: Samples (N, *shape).

        Returns:
            Logits (N,).

        Raises:
            DataError: The samples have another shape.
        """
        if tuple(x.shape[1:]) != self.shape:
            raise DataError(
                f"the critic was built for samples of shape {self.shape}, got "
                f"{tuple(x.shape[1:])}; train on samples of the first shape, or build a model for "
                "these samples with recipe.build(data.shape)"
            )
        return torch.as_tensor(self.net(x)).squeeze(-1)


@contextmanager
def seed_from_weights(model: Model) -> Iterator[None]:
    """Context with a random seed that is computed from a model.

    The seed is a checksum of the decoder weights. Build a further network in it. Two models that
    were built with the same seed then get equal further networks, without a seed as an argument. At
    the end of the context torch's earlier random state is restored.

    Args:
        model: The model that the further network belongs to.
    """
    decoder_weights = [p.detach().cpu().flatten() for p in model.decoder.parameters()]
    seed = zlib.crc32(torch.cat(decoder_weights).numpy().tobytes())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def build_critic(model: Model, net: Net, spectral: bool = False) -> Critic:
    """A new critic for the samples that a model generates.

    Args:
        model: The model; the critic takes its shape and its device, and a seed from its weights.
        net: Architecture of the critic.
        spectral: Whether to apply `add_spectral_norm` to the critic.
    """
    with seed_from_weights(model):
        return Critic(net, model.shape, spectral).to(model.anchor_theta.device)


def add_spectral_norm(net: nn.Module) -> None:
    """Divide each layer's weights by their largest singular value.

    This bounds the slope of the network, and the training of a critic becomes more stable (Miyato
    et al. 2018, Spectral normalization for generative adversarial networks). It changes linear
    layers and two-dimensional convolutions in place. The singular value is estimated by power
    iteration, one step per forward pass in training mode.

    Args:
        net: The network.
    """
    for layer in list(net.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            spectral_norm(layer)


@contextmanager
def freeze_weights(module: nn.Module) -> Iterator[None]:
    """Context in which weights and buffers of a module are fixed.

    The parameters of the module receive no gradients, and the module is in evaluation mode.
    Gradients still pass through it to its input. At the end of the context, also after an error,
    the mode and the parameters that require gradients are as before.

    Args:
        module: The module, such as a critic while the generator learns.
    """
    was_training = module.training
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
        for parameter in trainable:
            parameter.requires_grad_(True)


def coverage(real: Tensor, fake: Tensor, k: int = 5) -> Tensor:
    """Share of the real samples that have a generated sample nearby.

    A generated sample is nearby if it is at most as far from the real sample as the `k`-th nearest
    other real sample (Naeem et al. 2020, Reliable fidelity and diversity metrics for generative
    models). A perfect generator with M = N has a coverage of about 1 - 2^-k. If a generator
    produces only some of the modes of the data (mode collapse), real samples of the other modes
    are not covered.

    Distances are Euclidean distances between the samples themselves, not between features of a
    pretrained network. Use the value to notice a mode collapse during training, not to compare
    generators in a publication. It takes O(N^2 + N M) distances.

    Args:
        real: Real samples (N, ...).
        fake: Generated samples (M, ...), of the same shape.
        k: Number of the neighbour; with k above N - 1, the farthest real sample is used.

    Returns:
        A scalar in [0, 1].
    """
    real, fake = real.flatten(1), fake.flatten(1)
    # k + 1, since the nearest real sample of each sample is the sample itself
    radius = torch.cdist(real, real).kthvalue(min(k + 1, len(real)), dim=1).values
    return (torch.cdist(real, fake).amin(1) <= radius).to(real.dtype).mean()
