"""The critic of adversarial families, and two contexts for weights.

A `Critic` belongs to a player of its own and is never a part of the model. `freeze_weights`
switches its learning off while another player uses it; `seed_from_weights` ties its initial weights
to the model's seed.
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

    It returns one logit l for each sample; the logistic function of l is the critic's probability
    that the sample is real. For the optimal critic, l is the log-ratio of the densities of real and
    generated samples (Goodfellow et al. 2014).

    Args:
        net: Architecture of the network.
        shape: Shape of a sample, (C, H, W) or (C, T); (D,) for codes.
        spectral: Whether the largest singular value of each layer's weight is held at 1.

    Attributes:
        shape: Shape of a sample, as a tuple.
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
                f"the critic judges samples of shape {self.shape}, got {tuple(x.shape[1:])}; train "
                "on samples of the shape that the model was built for, or build a model for these: "
                "recipe.build(data.shape)"
            )
        return torch.as_tensor(self.net(x)).squeeze(-1)


@contextmanager
def seed_from_weights(model: Model) -> Iterator[None]:
    """Context that draws new weights from a seed of the model.

    The seed is a checksum of the decoder's weights: two models that were built with one seed get
    equal critics, and no seed has to be passed along. Outside the context the random numbers of
    torch go on as if it had not been there.

    Args:
        model: The model that the new weights belong to.
    """
    decoder_weights = [p.detach().cpu().flatten() for p in model.decoder.parameters()]
    seed = zlib.crc32(torch.cat(decoder_weights).numpy().tobytes())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def build_critic(model: Model, net: Net, spectral: bool = False) -> Critic:
    """A new critic of the samples that a model generates.

    Args:
        model: The model; its shape, device and seed become the critic's.
        net: Architecture of the critic.
        spectral: Whether its layers are normalised; see `add_spectral_norm`.
    """
    with seed_from_weights(model):
        return Critic(net, model.shape, spectral).to(model.anchor_theta.device)


def add_spectral_norm(net: nn.Module) -> None:
    """Divide the weight of each layer by its largest singular value.

    The network is then Lipschitz continuous, which steadies a critic (Miyato et al. 2018, Spectral
    normalization for generative adversarial networks). Linear layers and two-dimensional
    convolutions are changed in place; the singular value is tracked by power iteration in training.

    Args:
        net: The network.
    """
    for layer in list(net.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            spectral_norm(layer)


@contextmanager
def freeze_weights(module: nn.Module) -> Iterator[None]:
    """Context that keeps the weights and buffers of a module fixed.

    Its parameters receive no gradient and it is in evaluation mode. Gradients still pass through it
    to its input. Afterwards the mode and the parameters that learn are as before, also after an
    error.

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

    Nearby means nearer than the `k`-th real neighbour (Naeem et al. 2020, Reliable fidelity and
    diversity metrics for generative models). A perfect generator covers about 1 - 2^-k; a generator
    of some modes covers their share of it. Distances are taken between the samples themselves, so
    that neither labels nor features are needed: watch it during training to notice a collapse, but
    do not publish it. It costs O(N^2 + N M) distances.

    Args:
        real: Real samples (N, ...).
        fake: Generated samples (M, ...), of the same shape.
        k: Number of neighbours; at most N - 1 are used.

    Returns:
        A scalar in [0, 1].
    """
    real, fake = real.flatten(1), fake.flatten(1)
    radius = torch.cdist(real, real).kthvalue(min(k + 1, len(real)), dim=1).values
    return (torch.cdist(real, fake).amin(1) <= radius).to(real.dtype).mean()
