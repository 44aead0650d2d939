"""Model families by name.

The folder `families` is the registry: a new file with a `Recipe` is a new family.
"""

from __future__ import annotations

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
from unwarp.range_kinds import Choice
from unwarp.registry import import_files

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
    "rates",
    "recipe_named",
]


import_files(f"{__name__}.families")


def recipe_named(text: str) -> Recipe:
    """The recipe of a family, with its default values.

    Args:
        text: Name of the family, such as `ae` or `beta-vae`.

    Raises:
        ConfigError: No family has this name; the message lists all names.

    >>> recipe_named("beta-vae").beta
    4.0
    """
    if not Choice(tuple(families())).allows(text):
        names = ", ".join(sorted(families()))
        raise ConfigError(
            f"recipe={text!r} is unknown; choose one of {names}, or import the module that "
            "defines it"
        )
    return families()[text]()


def families() -> dict[str, type[Recipe]]:
    """All recipe classes by the name of their family.

    Recipe classes of your own modules are included once the modules are imported.

    >>> families()["vae"].__name__
    'VAE'
    """
    return dict(Recipe.registry)
