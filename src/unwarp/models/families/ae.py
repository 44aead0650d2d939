"""The deterministic autoencoder `AE`, its second views, and its loss terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.missing import fill_missing
from unwarp.models.losses import gaussian_energy, stress
from unwarp.models.model import Model
from unwarp.models.players import Player
from unwarp.models.recipe import Recipe
from unwarp.models.starts import follow
from unwarp.warps import Affine2d, Map, Warp, Window, deform


@dataclass(frozen=True)
class AE(Recipe):
    """Autoencoder, by default with an affine warp.

    Every sample x of a batch is joined by a second view of it, T(x): the sample deformed by a
    random map T of the warp. x and T(x) are the two views of the sample. For a view v let z_v be
    its content code, theta_v its deformation parameters and m(theta_v) the deformation. With the
    decoder g, the loss of v is

        -log p(v | m(theta_v)(g(z_u))) + 1/2 |theta_v / prior|^2

    with theta_v in half-ranges: each column divided by half of the width between the bounds of its
    factor. u is the other view of the same sample (`swap=True`) or v itself. The loss is averaged
    over all views. With the swap, information about the deformation of u in the code z_u would
    make the reconstruction of v worse, so the code does not learn it. No prior over codes is
    learned, so the model cannot generate samples; use `VAE` or `GAN` for that.

    Attributes:
        warp: Family of deformations; `Affine2d` by default.
        views: Range of the random maps T, as a fraction, in [0, 1], of the range of each factor; 0
            trains without second views.
        swap: Whether a view is reconstructed from the content code of the other view. It has no
            effect without second views.
        equivariance: Weight of `equivariance_error`, the distance of the map of T(x) from the map
            of x followed by T; 0 omits this term and its computation.
        bands: Weight of `banded_error`, an error in which small ripples count as much as large
            waves; 0 omits this term.
        isometry: Weight of `stress`, the difference of the distance between two codes and the
            distance between their templates (cf. Gropp, Atzmon and Lipman 2020, Isometric
            autoencoders). Clusters of codes are then clusters of templates. 0 omits this term.

    Raises:
        ConfigError: A field is outside its range, `equivariance` is used without second views, or
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
    supports_measured: ClassVar[bool] = True
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
                f"AE: equivariance={self.equivariance!r} needs second views, but views=0; set "
                "views in (0, 1], or equivariance=0"
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
            The player `autoencoder`. Its loss has the term `reconstruction`, with a warp also
            `deformation`, and `equivariance`, `bands` and `isometry` if their weights are not 0.
        """
        if self.content != "joint":
            raise ConfigError(
                f"AE: content={self.content!r} is measured, not trained; train a model of "
                "recipe.joint(), then call settle(model, recipe, data)"
            )

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return self._loss_terms(model, batch.x, generator)

        return (Player("autoencoder", model, loss, self.optimiser),)

    def _loss_terms(self, model: Model, x: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """The weighted loss terms of samples `x` (N, *shape), as scalars."""
        views, augmentation = self.two_views(model, x, generator)
        angles = model.search.choose_angles(x)
        if angles is not None and augmentation is not None:
            aspect, has_angles = views.shape[2] / views.shape[3], len(model.encoder.angles) > 1
            angles = torch.cat([angles, follow(angles, augmentation, aspect, has_angles)])
        posterior = model.encode(views, angles=angles)
        # rows N to 2N are the second views of rows 0 to N, so `roll` exchanges the views' codes
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
        """Samples followed by their second views, and the maps T between them.

        Args:
            model: The model; the maps are sampled from its warp, and its padding fills pixels from
                outside the frame.
            x: Samples (N, *shape).
            generator: Source of random numbers.

        Returns:
            Samples and second views (2N, *shape), with row N + i the second view of row i, and N
            maps T. With `views=0` or without a warp: `x` itself and None.
        """
        if not self.views or not model.warp.factors:
            return x, None
        # displacement fields have no inverse, so only the invertible part of a random map is used
        augmentation = model.warp.sample(len(x), generator, self.views, like=x).invertible_part()
        return torch.cat([x, deform(x, augmentation, padding=model.padding)]), augmentation


def equivariance_error(augmented: Map, original: Map, augmentation: Map, frame: Window) -> Tensor:
    """Squared distance of the maps of second views from their expected maps.

    Let m(x) be the map that the encoder predicts for x. For a second view T(x), an equivariant
    encoder predicts T o m(x). The error is the squared distance between m(T(x)) and T o m(x), at
    the points p of the pixels or time steps of the frame:

        sum_p |pull_m(T(x))(p) - pull_m(x)(pull_T(p))|^2

    Args:
        augmented: N maps m(T(x)) that the encoder predicts for the second views.
        original: N maps m(x) that the encoder predicts for the samples.
        augmentation: N maps T that deformed the samples into the second views.
        frame: The frame, with the points at which the maps are compared.

    Returns:
        Errors (N,) in squared frame coordinates, 0 for an equivariant encoder.
    """
    # two pulls instead of the pull of the composed map, since that is slower for time maps
    points = frame.lattice(augmented.reference)
    expected = original.pull(augmentation.pull(points))
    return (augmented.pull(points) - expected).square().flatten(1).sum(1)


def banded_error(x_hat: Tensor, x: Tensor, levels: int = 4) -> Tensor:
    """Squared error of frequency bands, relative to their variances.

    The frequency bands are the levels of a Laplacian pyramid (Burt and Adelson 1983, The Laplacian
    pyramid as a compact image code). The error of a band is divided by the variance of this band in
    the batch `x`, so ripples of small amplitude count as much as large waves. Missing values of `x`
    (NaN) do not count.

    Args:
        x_hat: Reconstructions (N, C, T) or (N, C, H, W).
        x: Samples of the same shape, NaN for missing values.
        levels: Number of bands, including the lowest one.

    Returns:
        Errors (N,): the mean over bands, times the number of features of a sample. A reconstruction
        by zeros has an error of about 1 per feature.
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
"""Average pooling and the mode of `F.interpolate` for enlarging, by the axes after the channels."""


def laplacian_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """The Laplacian pyramid of samples, finest level first.

    A level has the details that are lost when samples are reduced to half their resolution: the
    difference between the samples and their reduced version, enlarged again. Average pooling
    reduces, and linear interpolation enlarges. The next level is computed from the reduced version.
    The last level is the last reduced version itself.

    Args:
        x: Samples (N, C, T), (N, C, H, W) or (N, C, D, H, W).
        levels: Number of levels, at least 1.

    Returns:
        `levels` tensors (N, C, ...). Each axis of a level is half as long, rounded up, as in the
        level before. If each level, from the last to the first, is enlarged and added to the level
        before it, the result is `x`.
    """
    bands, (average, mode) = [], POOLING_OF_AXES[x.ndim - 2]
    for _ in range(levels - 1):
        coarse = average(x, 2, ceil_mode=True)
        bands.append(x - F.interpolate(coarse, x.shape[2:], mode=mode))
        x = coarse
    return [*bands, x]
