"""Points of a latent space with their templates and reconstructions.

A point is a content code with the parameters theta of a deformation. `model.chart` is the model's
warp for centred maps (without the mean deformation of the training samples); it describes the
columns of theta.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.data.prepared import SAMPLES_PER_CHUNK
from unwarp.errors import ConfigError, DataError
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.range_kinds import Instance, Whole
from unwarp.ranges import check_value
from unwarp.values import brief

Axis = tuple[Factor, Tensor]
"""The quantity that varies along a row of samples, and its values (n,)."""

PATH_LENGTH = Whole(2, 1_000_000)
"""Range of the number of samples on a path; both ends are included."""


@dataclass(frozen=True)
class Rendering:
    """N points of the latent space, with their templates and reconstructions.

    `interpolate` returns one; `Rendering.of` renders any codes with any deformations.

    Attributes:
        content: Content codes (N, D).
        theta: Parameters of the deformations (N, P), the columns of `model.chart`.
        templates: Templates of the codes (N, *shape).
        x_hat: Reconstructions (N, *shape): the templates deformed by theta.

    >>> from unwarp.models import AE
    >>> model = AE(n_content=2).build((1, 8, 8)).eval()
    >>> codes, identity = torch.zeros(3, 2), torch.zeros(3, len(model.chart.factors))
    >>> with torch.no_grad():
    ...     Rendering.of(model, codes, identity).templates.shape
    torch.Size([3, 1, 8, 8])
    """

    content: Tensor
    theta: Tensor
    templates: Tensor
    x_hat: Tensor

    @classmethod
    def of(cls, model: Model, content: Tensor, theta: Tensor) -> Rendering:
        """Render content codes with deformations.

        Args:
            model: A trained model.
            content: Content codes (N, D).
            theta: Parameters of the deformations (N, P), the columns of `model.chart`.

        Returns:
            The N points with their templates and reconstructions.
        """
        x_hat = model.reconstruct(Latent(content, model.chart.map(theta)))
        return cls(content, theta, model.template(content), x_hat)


@dataclass(frozen=True)
class Traversal:
    """Rows of samples; one quantity varies along each row.

    The quantity is a content dimension, a chunk of dimensions, or a parameter of the deformation.
    `traverse`, `traverse_deformation` and `interpolate_chunks` return one.

    Attributes:
        axes: The quantity of each of the R rows.
        values: Values of the quantity (R, n), in the unit of its axis. Along a chunk they are the
            fraction of the path, 0 to 1.
        x: The samples (R, n, *shape).
        row_scores: Scores by which the rows are sorted, largest first (R,). Empty if the rows are
            in the order of the model's columns.
        measure: Name of the scores: `KL (nats)` or `sd`. Empty if there are none.

    >>> axis = Factor("content_0", "sd", -2.0, 2.0)
    >>> x, values = torch.zeros(1, 3, 1, 8, 8), torch.tensor([[-2.0, 0.0, 2.0]])
    >>> print(Traversal((axis,), values, x, torch.tensor([0.7]), "KL (nats)").labels[0])
    content 0
    KL 0.70 nats
    """

    axes: tuple[Factor, ...]
    values: Tensor
    x: Tensor
    row_scores: Tensor
    measure: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Row labels: name of the axis; scores on a second line."""
        if not self.measure:
            return tuple(axis.label for axis in self.axes)
        # every row has the unit `sd`, so that labels leave it out
        names = (axis.name.replace("_", " ") for axis in self.axes)
        measure, _, unit = self.measure.partition(" ")
        numbers = (
            f"{measure} {value:.2f} {unit.strip('()')}".strip()
            for value in self.row_scores.tolist()
        )
        return tuple("\n".join(pair) for pair in zip(names, numbers, strict=True))


def encode_latents(model: Model, x: Tensor) -> tuple[Tensor, Tensor]:
    """Content codes and deformation parameters of samples, on the model's device.

    Samples are encoded in chunks, so that memory is bounded.

    Args:
        model: A model in evaluation mode.
        x: Samples (N, *shape) on the model's device.

    Returns:
        Content codes (N, D) and theta of the centred deformations (N, P).
    """
    latents = [model.embed(part) for part in torch.split(x, SAMPLES_PER_CHUNK)]
    content = torch.cat([latent.content for latent in latents])
    return content, torch.cat([model.chart.theta(latent.map) for latent in latents])


def as_rows(flat: Tensor, n: int) -> Tensor:
    """Split the first axis of a tensor into rows.

    Args:
        flat: Values of all rows, one row after another (R * n, ...).
        n: Length of a row.

    Returns:
        The same values (R, n, ...).
    """
    return flat.reshape(-1, n, *flat.shape[1:])


def checked_samples(model: Model, x: Tensor, name: str, min_samples: int = 1) -> Tensor:
    """Check samples and move them to a model's device and precision.

    Args:
        model: The model.
        x: Samples (N, *shape).
        name: Name of the samples in the message of the error.
        min_samples: Smallest number N of samples.

    Returns:
        The samples (N, *shape), with the device and dtype of the model.

    Raises:
        ConfigError: `model` is no model.
        DataError: The samples are refused by `check_samples`.
    """
    check_samples(model, x, name, min_samples)
    # a buffer of the model, which has its device and dtype
    return x.to(model.anchor_theta)


def check_samples(model: Model, x: Tensor, name: str, min_samples: int = 1) -> None:
    """Refuse samples that do not fit a model.

    Args:
        model: The model.
        x: Samples (N, *shape).
        name: Name of the samples in the message of the error.
        min_samples: Smallest number N of samples.

    Raises:
        ConfigError: `model` is no model.
        DataError: The samples are no tensor of real numbers, one of them is missing or not finite,
            they have another shape than the model's, or are too few.
    """
    check_model(model)
    if not isinstance(x, Tensor):
        raise DataError(f"{name}={brief(x)} is no tensor; give samples as a torch.Tensor")
    if x.shape[1:] != model.shape or x.ndim < 2 or len(x) < min_samples:
        shape = ", ".join(map(str, model.shape))
        raise DataError(
            f"{name} has shape {tuple(x.shape)}; give samples of shape (N, {shape}), N of "
            f"{min_samples} or more"
        )
    is_finite = partial(_is_finite, model.gaps)
    if not (x.is_floating_point() and all(map(is_finite, torch.split(x, SAMPLES_PER_CHUNK)))):
        raise DataError(
            f"{name} has values that are not finite, or not of a floating-point type; give real "
            "numbers, as x.float()"
        )


def _is_finite(may_miss: bool, x: Tensor) -> bool:
    """Whether no value is infinite, nor missing unless it may be."""
    return bool((x.isfinite() | x.isnan() if may_miss else x.isfinite()).all())


def check_model(model: Model) -> None:
    """Refuse an object that is no model.

    Args:
        model: The object.

    Raises:
        ConfigError: It is no model.
    """
    check_value("model", model, Instance(Model, "a Model, such as Unwarper().fit(X).model_"))


def require(condition: bool, message: str) -> None:
    """Raise a `ConfigError` unless a condition holds.

    Args:
        condition: The condition.
        message: Message of the error.

    Raises:
        ConfigError: The condition is false.
    """
    if not condition:
        raise ConfigError(message)


@contextmanager
def evaluating(model: Model) -> Iterator[None]:
    """Context with the model in evaluation mode and without gradients.

    After the `with` block the model has its former mode again, also after an error.

    Args:
        model: The model.
    """
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
