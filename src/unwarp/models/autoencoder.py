"""The deterministic autoencoder: reconstruct every observation, from another view's content where asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.losses import gaussian_energy, stress
from unwarp.models.base import Model, Player, Recipe
from unwarp.types import Batch, ConfigError
from unwarp.warps import Affine2d, Warp


@dataclass(frozen=True)
class AE(Recipe):
    """Autoencoder, by default with an affine warp.

    The second view of an observation is the observation itself, deformed by a draw of the warp. Each view is
    reconstructed from the content of the other and its own deformation: what content keeps of the deformation costs.

    Attributes:
        views: Spread of the second view's deformation, as a share of the warp's ranges; 0 for none.
        isometry: Weight of a term that makes distances between codes those between their templates (cf. Gropp, Atzmon and
            Lipman 2020, Isometric autoencoders), so that clusters of codes are clusters of templates; 0 for none.
    """

    family: ClassVar[str] = "ae"
    generative: ClassVar[bool] = False
    warp: Warp = field(default_factory=Affine2d)
    views: float = 0.3
    isometry: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.views <= 1:
            raise ConfigError(f"AE: views must lie in [0, 1], got {self.views!r}")
        if self.isometry < 0:
            raise ConfigError(f"AE: isometry must be 0 or more, got {self.isometry!r}")
        if self.prior == "learned":
            raise ConfigError("AE: prior must be a number; a learned one needs a posterior's spread, as VAE has")

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player that moves the whole model."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            x, partner = self.two_views(model, batch.x, generator)
            posterior = model.encode(x)
            code = posterior.content[partner]
            templates = model.decode(code)
            x_hat = model.link(posterior.map(templates, model.window, model.frame, model.padding))
            terms = {"reconstruction": model.likelihood(x_hat, x).mean()}
            if model.warp.factors:
                terms["deformation"] = gaussian_energy(posterior.theta, model.prior).mean()
            if self.isometry:
                terms["isometry"] = self.isometry * stress(code, model.link(templates).detach()).mean()
            return terms

        return (Player("autoencoder", model, loss, self.optimiser),)

    def two_views(self, model: Model, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Observations (N, ...) and, where asked, a deformed copy of each; and for every row its partner's row."""
        rows = torch.arange(len(x), device=x.device)
        if not self.views or not model.warp.factors:
            return x, rows
        move = model.warp.sample(len(x), generator, self.views, like=x).undoable()
        return torch.cat([x, move(x, padding=model.padding)]), torch.cat([rows + len(x), rows])
