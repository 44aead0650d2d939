"""The deterministic autoencoder `AE`, its second views, and its optional loss terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.losses import gaussian_energy, stress
from unwarp.models.model import Model
from unwarp.models.players import Player
from unwarp.models.recipe import Recipe
from unwarp.models.starts import rotation_angle
from unwarp.warps import Affine2d, Map, Warp, Window, deform
from unwarp.warps.missing import fill_missing


@dataclass(frozen=True)
class AE(Recipe):
    """Autoencoder, by default with an affine warp.

    Each sample x is trained together with a second view x' = T(x), a copy deformed by a random
    map T of the warp. With content code z, deformation parameters theta in half-ranges, warp map
    m and decoder g, the loss of a view v is

        -log p(v | m(theta_v)(g(z_u))) + 1/2 |theta_v / prior|^2        mean over all views v

    and u is the other view of the same sample (`swap=True`) or v itself. The swap removes the
    deformation from the code: a code that still held it would draw the other view in a wrong pose.
    The code has no prior, so the model does not generate; use `VAE` or `GAN` to draw samples.

    Attributes:
        warp: Family of deformations; an affine one by default, as the family is made for poses.
        views: Width of the random deformation T, as a fraction of the warp's ranges in [0, 1]; 0
            trains without second views.
        swap: Whether a view is decoded from the code of the other view. Has no effect without
            views.
        equivariance: Weight of `equivariance_error`, which makes the map of T(x) equal the map of
            x followed by T; 0 omits the term and its cost.
        bands: Weight of `banded_error`, which makes small ripples count as much as large waves; 0
            omits it.
        isometry: Weight of a term that makes distances between codes equal the distances between
            their templates (cf. Gropp, Atzmon and Lipman 2020, Isometric autoencoders), so that
            clusters of codes are clusters of templates; 0 omits it.

    Raises:
        ConfigError: A field is outside its range, `equivariance` is used without views, or
            `prior="learned"`.

    Example:
        >>> recipe = AE(n_content=8, views=0.2)
        >>> model = recipe.build((1, 28, 28))
        >>> [player.name for player in recipe.players(model)]
        ['autoencoder']
        >>> tuple(model.embed(torch.zeros(5, 1, 28, 28)).content.shape)
        (5, 8)
    """

    family: ClassVar[str] = "ae"
    generative: ClassVar[bool] = False
    warp: Warp = field(default_factory=Affine2d)
    views: float = 0.3
    swap: bool = True
    equivariance: float = 0.0
    bands: float = 0.0
    isometry: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = ("equivariance", "bands", "isometry")
        self.check_fields(
            views=("in [0, 1]", 0 <= self.views <= 1),
            **{name: ("0 or more", getattr(self, name) >= 0) for name in weights},
        )
        if self.equivariance and not self.views:
            raise ConfigError(
                f"AE: equivariance={self.equivariance!r} needs second views; set views in (0, 1], "
                "or equivariance=0"
            )
        if self.prior == "learned":
            raise ConfigError(
                "AE: prior='learned' needs a stochastic encoder; give a number, or train a VAE"
            )

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player, which trains the whole model.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            The player `autoencoder`. Its loss has the terms `reconstruction` and, if they apply,
            `deformation`, `equivariance`, `bands` and `isometry`, already weighted.
        """

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return self._loss_terms(model, batch.x, generator)

        return (Player("autoencoder", model, loss, self.optimiser),)

    def _loss_terms(self, model: Model, x: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """The weighted loss terms of samples `x` (N, *shape), as scalars."""
        views, augmentation = self.two_views(model, x, generator)
        angles = model.search.choose_angles(x)
        if angles is not None and augmentation is not None:
            turn = rotation_angle(augmentation, views.shape[2] / views.shape[3])
            angles = torch.cat([angles, angles + turn])
        posterior = model.encode(views, angles=angles)
        code = posterior.content.roll(len(x), 0) if self.swap else posterior.content
        templates = model.decode(code)
        x_hat = model.apply_map(templates, posterior.map)
        terms = {"reconstruction": model.likelihood(x_hat, views).mean()}
        if model.warp.factors:
            terms["deformation"] = gaussian_energy(posterior.theta, model.prior).mean()
        if self.equivariance and augmentation is not None:
            original, augmented = posterior.map[: len(x)], posterior.map[len(x) :]
            error = equivariance_error(augmented, original, augmentation, model.frame)
            terms["equivariance"] = self.equivariance * error.mean()
        if self.bands:
            terms["bands"] = self.bands * banded_error(x_hat, views).mean()
        if self.isometry:
            distortion = stress(code, model.link(templates).detach())
            terms["isometry"] = self.isometry * distortion.mean()
        return terms

    def two_views(
        self, model: Model, x: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Map | None]:
        """Samples followed by their second views, and the maps between them.

        Args:
            model: The model; its warp draws the maps and its padding fills the rim.
            x: Samples (N, *shape).
            generator: Generator of the maps.

        Returns:
            Samples and second views (2N, *shape), row N + i the copy of row i, and the maps (N)
            that deformed the copies. Without views or without a warp: `x` (N, *shape) and None.
        """
        if not self.views or not model.warp.factors:
            return x, None
        # a residual cannot be undone, so only the invertible part of a draw deforms the copy
        augmentation = model.warp.sample(len(x), generator, self.views, like=x).invertible_part()
        return torch.cat([x, deform(x, augmentation, padding=model.padding)]), augmentation


def equivariance_error(augmented: Map, original: Map, augmentation: Map, frame: Window) -> Tensor:
    """Squared distance between the maps of copies and those they should have.

    An equivariant encoder maps a copy T(x) to T o m(x), with m(x) the map of the original. The
    error is the squared distance between both maps at the sample points p of the frame,

        sum_p |pull_copy(p) - pull_original(pull_T(p))|^2

    The two maps are pulled one after the other instead of composed, which is faster for time maps.

    Args:
        augmented: Maps (N) that the encoder gives for the copies.
        original: Maps (N) that the encoder gives for the originals.
        augmentation: Maps T (N) that deformed the originals into the copies.
        frame: Window with the sample points at which the maps are compared.

    Returns:
        Errors (N,) in squared frame coordinates, 0 for an equivariant encoder.
    """
    points = frame.lattice(augmented.reference)
    expected = original.pull(augmentation.pull(points))
    return (augmented.pull(points) - expected).square().flatten(1).sum(1)


def banded_error(x_hat: Tensor, x: Tensor, levels: int = 4) -> Tensor:
    """Squared error of each frequency band, relative to the band's variance.

    Bands are the levels of a Laplacian pyramid (Burt and Adelson 1983, The Laplacian pyramid as a
    compact image code). Dividing by the variance of a band in `x` gives ripples of small amplitude
    the same weight as large waves. Missing values of `x` (NaN) do not count.

    Args:
        x_hat: Reconstructions (N, C, T) or (N, C, H, W).
        x: Samples of the same shape, NaN for missing values.
        levels: Number of bands, including the coarse remainder.

    Returns:
        Errors (N,): the mean over bands, times the number of features of a sample, so that a
        reconstruction by zeros costs about one per feature.
    """
    x = fill_missing(x, x_hat)
    errors = [
        error.square().flatten(1).mean(1) / band.var().clamp_min(1e-6 * x.var().detach() + 1e-12)
        for error, band in zip(
            laplacian_pyramid(x_hat - x, levels), laplacian_pyramid(x, levels), strict=True
        )
    ]
    return torch.stack(errors).mean(0) * x[0].numel()


POOLING_OF_AXES: Mapping[int, tuple[Callable[..., Tensor], str]] = {
    1: (F.avg_pool1d, "linear"),
    2: (F.avg_pool2d, "bilinear"),
    3: (F.avg_pool3d, "trilinear"),
}
"""Average pooling and the interpolation mode that undoes it, by number of axes of a sample."""


def laplacian_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """The Laplacian pyramid of samples, finest level first.

    A level is the difference between the samples at its resolution and their half-resolution
    version, made by average pooling and enlarged again by linear interpolation.

    Args:
        x: Samples (N, C, T), (N, C, H, W) or (N, C, D, H, W).
        levels: Number of levels, at least 1; the last one is the coarse remainder.

    Returns:
        `levels` tensors (N, C, ...), each axis half as long (rounded up) as in the level before.
        Enlarged and added from coarse to fine, they give `x` back.
    """
    bands, (average, mode) = [], POOLING_OF_AXES[x.ndim - 2]
    for _ in range(levels - 1):
        coarse = average(x, 2, ceil_mode=True)
        bands.append(x - F.interpolate(coarse, x.shape[2:], mode=mode))
        x = coarse
    return [*bands, x]
