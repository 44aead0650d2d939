"""Features for scores of sample quality, learned from the data set itself.

No pretrained network is downloaded. With labels, a small classifier is trained on the data set. Its
last hidden layer gives the features, so they respond to the differences between classes. The labels
are used only here and in scores; autoencoders are trained without them. Without labels, the
features are principal components of the pixels, which respond to the deformation of a sample as
much as to its content.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.core import Array, Batch, Domain, Labels
from unwarp.data.dataset import Dataset
from unwarp.data.prepared import SAMPLES_PER_CHUNK
from unwarp.data.samples import reference_view
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.metrics import ScoreInputs
from unwarp.metrics.samples import pixel_gaussian
from unwarp.models.players import Optimiser, Player
from unwarp.nets.net import Net
from unwarp.storage.files import expand, write_file
from unwarp.training.loop import train

MAX_REFERENCE_SAMPLES = 10_000
"""Greatest number of training samples for principal components and for the scale of features."""

LEARNING_RATE = 3e-3
"""Learning rate of the classifier."""

HIDDEN_UNITS = 128
"""Width of the classifier's first dense layer."""


class FeatureNet(nn.Module):
    """A network that maps samples to features, and features to class logits.

    Images pass through strided convolutions, series through a multi-layer perceptron. Without
    classes the features are a linear function of the samples, and there are no logits.

    Args:
        shape: Shape of a sample, (C, H, W) or (C, T).
        n_features: Number of features F.
        n_classes: Number of classes K; 0 for linear features without logits.

    Attributes:
        n_features: Number of features F.
        scale: Divisor of all features, a tensor of shape (). The scale of a network's activations
            is arbitrary, so `fit_features` chooses the divisor that gives the features a mean
            variance of 1.

    >>> FeatureNet((1, 8, 8), n_features=4, n_classes=3).features(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 4])
    """

    scale: Tensor

    def __init__(self, shape: tuple[int, ...], n_features: int, n_classes: int) -> None:
        super().__init__()
        domain = Domain.of_axes(len(shape) - 1)
        is_convolutional = domain is not None and domain.network == "conv"
        net = Net(kind="conv" if is_convolutional else "mlp", encoder=(HIDDEN_UNITS,))
        linear = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), n_features))
        self.body = (
            nn.Sequential(net.build_encoder(shape, n_features), nn.ReLU()) if n_classes else linear
        )
        self.head = nn.Linear(n_features, n_classes) if n_classes else nn.Identity()
        self.n_features = n_features
        self.register_buffer("scale", torch.ones(()))

    def features(self, x: Tensor) -> Tensor:
        """Features (N, F) of samples (N, *shape), divided by `scale`."""
        return torch.as_tensor(self.body(x) / self.scale)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits of samples.

        Args:
            x: Samples (N, *shape).

        Returns:
            Logits (N, K). Without classes there are no logits, and the features are returned.
        """
        return torch.as_tensor(self.head(self.body(x)))


@dataclass(frozen=True)
class Features:
    """A trained function from samples (N, *shape) to features (N, F).

    `fit_features` trains it, and `sample_inputs` computes the inputs of scores with it.

    Attributes:
        net: The trained network, on the CPU.
        shape: Shape of a sample, (C, H, W) or (C, T).
        classes: Names of the classes (K,), in the order of the logits; empty without labels.

    >>> x = torch.rand(20, 1, 6, generator=torch.Generator().manual_seed(0))
    >>> features = fit_features(Dataset(x), n_features=2)
    >>> features(x).shape
    (20, 2)
    """

    net: FeatureNet
    shape: tuple[int, ...]
    classes: Array

    def __call__(self, x: Tensor | Array) -> Array:
        """Features of samples.

        Args:
            x: Samples (N, *shape), scaled as the training data.

        Returns:
            Features (N, F). Over the training data their mean variance is 1.

        Raises:
            DataError: The samples have another shape.
        """
        return self._run(self.net.features, x)

    def classify(self, x: Tensor | Array) -> Array:
        """The most probable class of each sample.

        Args:
            x: Samples (N, *shape), scaled as the training data.

        Returns:
            Names of classes (N,).

        Raises:
            ConfigError: The features were fitted without labels.
            DataError: The samples have another shape.
        """
        if not len(self.classes):
            raise ConfigError(
                "these features were fitted without labels; fit them on a data set with labels"
            )
        return np.asarray(self.classes[self._run(self.net, x).argmax(1)])

    def accuracy(self, x: Tensor | Array, labels: Array) -> float:
        """Share of samples that the classifier assigns to their true class.

        Check it on held-out samples: scores that use the features of a poor classifier say little.

        Args:
            x: Samples (N, *shape), scaled as the training data.
            labels: Their true classes (N,).

        Returns:
            A number from 0 to 1.

        Raises:
            ConfigError: The features were fitted without labels.
        """
        return float(np.mean(self.classify(x) == labels))

    def save(self, path: str | Path) -> None:
        """Write the features to one safetensors file.

        Args:
            path: The file.
        """
        record = {
            "shape": self.shape,
            "n_features": self.net.n_features,
            "classes": self.classes.tolist(),
        }
        content = save(self.net.state_dict(), {"features": json.dumps(record)})
        write_file(expand(path), content)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The features of a file that `save` wrote.

        Args:
            path: The file.

        Raises:
            CheckpointError: The file is missing, damaged, or holds something else.
        """
        try:
            with safe_open(expand(path), "pt") as file:
                record = json.loads(file.metadata()["features"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            shape, classes = tuple(record["shape"]), np.asarray(record["classes"])
            net = FeatureNet(shape, record["n_features"], len(classes))
            net.load_state_dict(tensors)
        except (OSError, SafetensorError, KeyError, TypeError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"{path} does not hold features ({error}); fit and save them again"
            ) from error
        return cls(net.eval(), shape, classes)

    @torch.no_grad()
    def _run(self, network: Callable[[Tensor], Tensor], x: Tensor | Array) -> Array:
        """Outputs (N, ...) of a network for samples, computed in chunks to bound the memory."""
        samples = torch.as_tensor(x, dtype=torch.float32)
        if tuple(samples.shape[1:]) != self.shape:
            raise DataError(
                f"x has shape {tuple(samples.shape)}; "
                f"these features need samples of shape (N, *{self.shape})"
            )
        chunks = torch.split(samples, SAMPLES_PER_CHUNK)
        return np.concatenate([network(chunk).numpy() for chunk in chunks])


def fit_features(
    data: Dataset,
    *,
    n_features: int = 64,
    steps: int = 1200,
    batch_size: int = 128,
    seed: int = 0,
    device: str = "cpu",
) -> Features:
    """Learn features from training data, by a classifier or by principal components.

    With labels of at least two classes, a classifier is trained with the cross-entropy loss. If the
    data set has a function `draw`, the classifier sees a new random observation of each original
    sample in every step. Without such labels, the features are the first principal components.

    Args:
        data: Training data, with labels if they are known.
        n_features: Number of features F. There are fewer principal components if the data have
            fewer samples, or fewer values per sample.
        steps: Training steps of the classifier.
        batch_size: Samples in a training step.
        seed: Seed of weights, batches and principal components.
        device: Device of the training: `auto`, `cpu`, `cuda` or `mps`. Afterwards the network is
            on the CPU.

    Returns:
        A function from samples to features.

    Raises:
        ConfigError: `n_features`, `steps` or `batch_size` is below 1, or the device is unknown.
    """
    if n_features < 1:
        raise ConfigError(f"n_features={n_features} must be at least 1")
    x = reference_view(data, MAX_REFERENCE_SAMPLES, seed).x
    labels: Labels = np.array([]) if data.labels is None else data.labels
    classes, numbers = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        net, classes = _fit_components(x, n_features, seed), classes[:0]
    else:
        target = torch.as_tensor(numbers)
        net = _fit_classifier(data, target, n_features, steps, batch_size, seed, device)
    features = Features(net.eval(), tuple(x.shape[1:]), classes)
    net.scale.copy_(torch.as_tensor(features(x).var(0).mean()).sqrt().clamp_min(1e-12))
    return features


def _fit_classifier(
    data: Dataset,
    target: Tensor,
    n_features: int,
    steps: int,
    batch_size: int,
    seed: int,
    device: str,
) -> FeatureNet:
    """Train a network to classify samples.

    Args:
        data: N training samples.
        target: Number of the class of each sample (N,), counted from 0.
        n_features: Number of features.
        steps: Training steps.
        batch_size: Samples in a training step.
        seed: Seed of weights and batches.
        device: Device of the training.

    Returns:
        The trained network, on the CPU.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = FeatureNet(data.shape, n_features, int(target.max()) + 1)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        logits = net(batch.x)
        return {"cross_entropy": F.cross_entropy(logits, target[batch.index].to(logits.device))}

    # a player is a module with its loss and its optimiser
    player = Player("classifier", net, loss, Optimiser(lr=LEARNING_RATE))
    train(net, (player,), data, steps=steps, batch_size=batch_size, seed=seed, device=device)
    return net


def _fit_components(x: Tensor, n_features: int, seed: int) -> FeatureNet:
    """A linear network that computes the first principal components of samples (N, *shape)."""
    shape = tuple(x.shape[1:])
    n_components = min(n_features, len(x), math.prod(shape))
    pca = PCA(n_components, random_state=seed).fit(x.flatten(1).numpy())
    weight, mean = (
        torch.as_tensor(part, dtype=torch.float32) for part in (pca.components_, pca.mean_)
    )
    net = FeatureNet(shape, len(weight), 0)
    net.load_state_dict(
        {"body.1.weight": weight, "body.1.bias": -weight @ mean, "scale": net.scale}
    )
    return net


def sample_inputs(
    features: Features, x: Tensor, samples: Tensor, train_x: Tensor, seed: int = 0
) -> ScoreInputs:
    """Inputs of the scores that compare generated with held-out samples.

    For comparison, samples are also drawn from a Gaussian that is fitted to the training samples.
    They have the right means and covariances but are poor otherwise, so a useful model must score
    better than they do. Join the result with other `ScoreInputs` by `|`.

    Args:
        features: Features from `fit_features`.
        x: Held-out observations (N, *shape), one of each original sample.
        samples: Generated samples (M, *shape).
        train_x: Training observations (L, *shape), which the Gaussian is fitted to.
        seed: Seed of the samples from the Gaussian.

    Returns:
        Features of the held-out, the generated and the Gaussian samples, and the predicted classes
        of the generated samples if `features` has classes.
    """
    # scores compare samples with one half of the held-out ones, so that many samples suffice
    gaussian = pixel_gaussian(train_x.numpy(), max(2, len(x) // 2), seed)
    return ScoreInputs(
        features=features(x),
        sample_features=features(samples),
        gaussian_features=features(gaussian),
        sample_labels=features.classify(samples) if len(features.classes) else None,
    )
