"""Features for `unwarp.metrics.samples`, learned from the data set itself: nothing is downloaded.

A small classifier of the data set sees what tells its classes apart. Labels are used for it and in scores, and nowhere
else in training. Without labels the principal components of the pixels stand in: they see everything linear, pose
included, and say less of what a picture shows.
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
from safetensors.torch import save_file
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.core import Array, Batch, Domain
from unwarp.data.dataset import Dataset, reference_view
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.metrics import ScoreInputs
from unwarp.metrics.samples import pixel_gaussian
from unwarp.models.players import Optimiser, Player
from unwarp.nets.net import Net
from unwarp.training.loop import train


class FeatureNet(nn.Module):
    """A body from samples to features, and a head from features to logits; without classes, a linear body alone.

    Attributes:
        n_features: Number of features F.
        scale: What features are divided by, so that their variance is 1 on average; a network's own is arbitrary, and
            the distances would be in its unit.
    """

    scale: Tensor

    def __init__(self, shape: tuple[int, ...], n_features: int, n_classes: int) -> None:
        super().__init__()
        domain = Domain.of_axes(len(shape) - 1)
        is_convolutional = domain is not None and domain.network == "conv"
        net = Net(kind="conv" if is_convolutional else "mlp", encoder=(128,))
        linear = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), n_features))
        self.body = nn.Sequential(net.encode(shape, n_features), nn.ReLU()) if n_classes else linear
        self.head = nn.Linear(n_features, n_classes) if n_classes else nn.Identity()
        self.n_features = n_features
        self.register_buffer("scale", torch.ones(()))

    def features(self, x: Tensor) -> Tensor:
        """Samples (N, *shape) to features (N, F)."""
        return torch.as_tensor(self.body(x) / self.scale)

    def forward(self, x: Tensor) -> Tensor:
        """Samples (N, *shape) to logits (N, K)."""
        return torch.as_tensor(self.head(self.body(x)))


@dataclass(frozen=True)
class Features:
    """What `fit_features` found: call it on samples (N, *shape) to have their features (N, F).

    Attributes:
        net: The trained network.
        shape: Shape of a sample.
        classes: Names of the classes (K,), in the order of the logits; empty where there were no labels.
    """

    net: FeatureNet
    shape: tuple[int, ...]
    classes: Array

    def __call__(self, x: Tensor | Array) -> Array:
        """Features (N, F) of samples (N, *shape), as the network's training data were scaled.

        Raises:
            DataError: The samples are of another shape.
        """
        return self._run(self.net.features, x)

    def classify(self, x: Tensor | Array) -> Array:
        """The most probable class of each sample, (N,).

        Raises:
            ConfigError: The features were found without labels.
        """
        if not len(self.classes):
            raise ConfigError(
                "these features were found without labels; fit them on a data set that has some"
            )
        return np.asarray(self.classes[self._run(self.net, x).argmax(1)])

    def accuracy(self, x: Tensor | Array, labels: Array) -> float:
        """Share of samples whose class is found, 0 to 1: how far the features can be trusted."""
        return float(np.mean(self.classify(x) == labels))

    def save(self, path: str | Path) -> None:
        """Write one safetensors file."""
        record = {
            "shape": self.shape,
            "n_features": self.net.n_features,
            "classes": self.classes.tolist(),
        }
        save_file(self.net.state_dict(), path, {"features": json.dumps(record)})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises:
            CheckpointError: The file is absent, damaged, or holds something else.
        """
        try:
            with safe_open(path, "pt") as file:
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
    def _run(self, arrow: Callable[[Tensor], Tensor], x: Tensor | Array, size: int = 1000) -> Array:
        samples = torch.as_tensor(x, dtype=torch.float32)
        if tuple(samples.shape[1:]) != self.shape:
            raise DataError(
                f"x has shape {tuple(samples.shape)}, these features are of samples (N, *{self.shape})"
            )
        return np.concatenate([arrow(part).numpy() for part in torch.split(samples, size)])


def fit_features(
    data: Dataset,
    *,
    n_features: int = 64,
    steps: int = 1200,
    batch_size: int = 128,
    seed: int = 0,
    device: str = "cpu",
) -> Features:
    """Learn features on training data: those of a small classifier, or principal components where labels are missing.

    Pictures are read by strided convolutions, series by a perceptron; the features are the last hidden layer.

    Args:
        data: Training data with their labels; observations are drawn afresh where the data set draws them.
        n_features: Number of features F; of components, no more than there are samples and pixels.
        steps: Steps of the classifier.
        batch_size: Samples a step.
        seed: Everything random follows from it.
        device: `auto`, `cpu`, `cuda` or `mps`; the network ends on the CPU.

    Raises:
        ConfigError: `n_features`, `steps` or `batch_size` below 1, or no such device.
    """
    if n_features < 1:
        raise ConfigError(f"n_features={n_features} must be at least 1")
    seen = reference_view(data, 10_000, seed).x
    classes, rows = np.unique([] if data.labels is None else data.labels, return_inverse=True)
    if len(classes) < 2:
        net, classes = _components(seen, n_features, seed), classes[:0]
    else:
        net = _classifier(data, torch.as_tensor(rows), n_features, steps, batch_size, seed, device)
    found = Features(net.eval(), tuple(seen.shape[1:]), classes)
    net.scale.copy_(torch.as_tensor(found(seen).var(0).mean()).sqrt().clamp_min(1e-12))
    return found


def _classifier(
    data: Dataset,
    target: Tensor,
    n_features: int,
    steps: int,
    batch_size: int,
    seed: int,
    device: str,
) -> FeatureNet:
    """A network trained to find the rows' classes `target` (N,), numbered from 0."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = FeatureNet(data.shape, n_features, int(target.max()) + 1)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        logits = net(batch.x)
        return {"cross_entropy": F.cross_entropy(logits, target[batch.index].to(logits.device))}

    player = Player("classifier", net, loss, Optimiser(lr=3e-3))
    train(net, (player,), data, steps=steps, batch_size=batch_size, seed=seed, device=device)
    return net


def _components(x: Tensor, n_features: int, seed: int) -> FeatureNet:
    """The first principal components of samples (N, *shape), about their mean."""
    shape = tuple(x.shape[1:])
    found = PCA(min(n_features, len(x), math.prod(shape)), random_state=seed).fit(
        x.flatten(1).numpy()
    )
    weight, mean = (
        torch.as_tensor(part, dtype=torch.float32) for part in (found.components_, found.mean_)
    )
    net = FeatureNet(shape, len(weight), 0)
    net.load_state_dict(
        {"body.1.weight": weight, "body.1.bias": -weight @ mean, "scale": net.scale}
    )
    return net


def sample_inputs(
    features: Features, x: Tensor, samples: Tensor, train_x: Tensor, seed: int = 0
) -> ScoreInputs:
    """Inputs that scores of samples ask for; `|` joins them with others.

    Args:
        features: From `fit_features`.
        x: Held-out observations (N, *shape), each thing once.
        samples: Generated samples (M, *shape).
        train_x: Training observations, to which the pixel Gaussian is fitted.
        seed: Of its draws.

    Returns:
        Features of all three, and predicted classes of the samples where there are classes.
    """
    gaussian = pixel_gaussian(train_x.numpy(), max(2, len(x) // 2), seed)
    return ScoreInputs(
        features=features(x),
        sample_features=features(samples),
        gaussian_features=features(gaussian),
        sample_labels=features.classify(samples) if len(features.classes) else None,
    )
