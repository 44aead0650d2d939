"""Model families. The folder is the registry: a new file with a `Recipe` is a new family."""

from __future__ import annotations

from unwarp.core import import_files
from unwarp.errors import ConfigError
from unwarp.models.families.ae import AE
from unwarp.models.families.beta_vae import BetaVAE
from unwarp.models.families.factor_vae import FactorVAE
from unwarp.models.families.gan import GAN
from unwarp.models.families.mixing_ae import MixingAE
from unwarp.models.families.tc_vae import TCVAE
from unwarp.models.families.vae import VAE
from unwarp.models.families.variational import Variational, log_weights, rates
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.models.recipe import Recipe
from unwarp.nets.net import Net

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


import_files(f"{__name__}.families")


def named(text: str) -> Recipe:
    """The recipe of a family with a name, at its defaults.

    Raises:
        ConfigError: An unknown name; the message lists those that there are.
    """
    if text not in families():
        names = ", ".join(sorted(families()))
        raise ConfigError(
            f"recipe={text!r} is unknown; choose one of {names}, or import the module that defines it"
        )
    return families()[text]()


def families() -> dict[str, type[Recipe]]:
    """Every recipe by its name, those of imported modules included."""
    return dict(Recipe.registry)
