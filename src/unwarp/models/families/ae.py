"""The deterministic autoencoder: reconstruct every observation, with second views that ask content and map to behave."""

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
from unwarp.models.starts import angle
from unwarp.warps import Affine2d, Map, Warp, Window, deform
from unwarp.warps.missing import fill_from


@dataclass(frozen=True)
class AE(Recipe):
    """Autoencoder, by default with an affine warp.

    The second view of an observation is the observation itself, deformed by a draw of the warp. Each view is
    reconstructed from its own deformation and the content of the other (what content keeps of the deformation costs), or
    its own; and the map found in the second must be the one found in the first, moved as the view was.

    Attributes:
        views: Spread of the second view's deformation, as a share of the warp's ranges; 0 for none.
        swap: Whether each view is reconstructed from the content of the other.
        equivariance: Weight of the squared distance between the map found in a second view and the one that its known
            deformation gives, summed over the samples of the frame; 0 for none.
        bands: Weight of the squared error of each band of frequencies relative to its spread in the data, so that small
            ripples count as much as large waves; 0 for none.
        isometry: Weight of a term that makes distances between codes those between their templates (cf. Gropp, Atzmon and
            Lipman 2020, Isometric autoencoders), so that clusters of codes are clusters of templates; 0 for none.
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
        if not 0 <= self.views <= 1:
            raise ConfigError(f"AE: views must lie in [0, 1], got {self.views!r}")
        for name in ("equivariance", "bands", "isometry"):
            if getattr(self, name) < 0:
                raise ConfigError(f"AE: {name} must be 0 or more, got {getattr(self, name)!r}")
        if self.equivariance and not self.views:
            raise ConfigError("AE: equivariance needs second views; give views in (0, 1]")
        if self.prior == "learned":
            raise ConfigError(
                "AE: prior must be a number; a learned one needs a posterior's spread, as VAE has"
            )

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player that moves the whole model."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            x, move = self.two_views(model, batch.x, generator)
            angles = model.search.choose(batch.x)
            if angles is not None and move:
                angles = torch.cat([angles, angles + angle(move, x.shape[2] / x.shape[3])])
            posterior = model.encode(x, angles=angles)
            code = posterior.content.roll(len(batch.x), 0) if self.swap else posterior.content
            templates = model.decode(code)
            x_hat = model.apply_map(templates, posterior.map)
            terms = {"reconstruction": model.likelihood(x_hat, x).mean()}
            if model.warp.factors:
                terms["deformation"] = gaussian_energy(posterior.theta, model.prior).mean()
            if self.equivariance and move:
                original, copy = posterior.map[: len(move)], posterior.map[len(move) :]
                terms["equivariance"] = (
                    self.equivariance * disagreement(copy, original, move, model.frame).mean()
                )
            if self.bands:
                terms["bands"] = self.bands * banded_error(x_hat, x).mean()
            if self.isometry:
                terms["isometry"] = (
                    self.isometry * stress(code, model.link(templates).detach()).mean()
                )
            return terms

        return (Player("autoencoder", model, loss, self.optimiser),)

    def two_views(
        self, model: Model, x: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Map | None]:
        """Observations (N, ...) and, where asked, a copy of each behind them, moved by the map (N) that comes second."""
        if not self.views or not model.warp.factors:
            return x, None
        move = model.warp.sample(len(x), generator, self.views, like=x).invertible_part()
        return torch.cat([x, deform(move, x, padding=model.padding)]), move


def disagreement(copy: Map, original: Map, move: Map, frame: Window) -> Tensor:
    """Squared distance between `copy` and `move.compose(original)`, summed over the samples of `frame`, (N,).

    The product is pulled in turn, not made: that is quicker for maps of time.

    Args:
        copy: Maps found in moved copies (N).
        original: Maps found in what they are copies of (N).
        move: How each was moved (N).
        frame: Where template points are compared.
    """
    points = frame.lattice(copy.reference)
    return (copy.pull(points) - original.pull(move.pull(points))).square().flatten(1).sum(1)


def banded_error(x_hat: Tensor, x: Tensor, levels: int = 4) -> Tensor:
    """Squared error of each band relative to the band's variance in `x`, mean over bands, summed over features, (N,).

    Bands are the levels of a Laplacian pyramid (Burt and Adelson 1983, The Laplacian pyramid as a compact image code), here
    with means of neighbours and straight lines for filters.

    Args:
        x_hat: Reconstructions (N, C, T) or (N, C, H, W).
        x: Observations, of that shape; NaN where there is none.
        levels: Number of bands, the last of which is what remains.
    """
    x = fill_from(x, x_hat)
    errors = [
        error.square().flatten(1).mean(1) / band.var().clamp_min(1e-6 * x.var().detach() + 1e-12)
        for error, band in zip(pyramid(x_hat - x, levels), pyramid(x, levels), strict=True)
    ]
    return torch.stack(errors).mean(0) * x[0].numel()


POOLING: Mapping[int, tuple[Callable[..., Tensor], str]] = {
    1: (F.avg_pool1d, "linear"),
    2: (F.avg_pool2d, "bilinear"),
    3: (F.avg_pool3d, "trilinear"),
}
"""How samples of so many axes are made coarser, and finer again."""


def pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """The levels of the Laplacian pyramid of `x` (N, C, ...), finest first."""
    bands, (average, mode) = [], POOLING[x.ndim - 2]
    for _ in range(levels - 1):
        coarse = average(x, 2, ceil_mode=True)
        bands.append(x - F.interpolate(coarse, x.shape[2:], mode=mode))
        x = coarse
    return [*bands, x]
