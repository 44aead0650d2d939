"""Model families. The folder is the registry: a new file with a `Recipe` is a new family."""

from __future__ import annotations

from unwarp.models.autoencoder import AE
from unwarp.models.base import Model
from unwarp.models.betavae import BetaVAE
from unwarp.models.factorvae import FactorVAE
from unwarp.models.gan import GAN
from unwarp.models.mixing import MixingAE
from unwarp.models.players import Optimiser, Player
from unwarp.models.recipe import Recipe
from unwarp.models.tcvae import TCVAE
from unwarp.models.vae import VAE
from unwarp.models.variational import Variational, log_weights, rates
from unwarp.nets import Net
from unwarp.types import ConfigError

__all__ = [
    "AE",
    "GAN",
    "TCVAE",
    "VAE",
    "BetaVAE",
    "FactorVAE",
    "MixingAE",
    "Model",
    "Net",
    "Optimiser",
    "Player",
    "Recipe",
    "Variational",
    "families",
    "log_weights",
    "named",
    "rates",
]


def named(text: str) -> Recipe:
    """The recipe of a family with a name, at its defaults.

    Raises:
        ConfigError: An unknown name; the message lists the known ones.
    """
    if text not in families():
        raise ConfigError(f"recipe={text!r} is unknown; choose one of {', '.join(sorted(families()))}")
    return families()[text]()


def families() -> dict[str, type[Recipe]]:
    """Every recipe by its name, those defined elsewhere included."""
    return dict(Recipe.known)
