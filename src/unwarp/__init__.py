"""Unwarp: learn, without labels, what each thing looks like once nothing has moved, turned, stretched or hurried it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unwarp._version import __version__

if TYPE_CHECKING:
    from unwarp.analysis.scoring import Report, evaluate
    from unwarp.core import Factor
    from unwarp.data.dataset import Dataset
    from unwarp.errors import UnwarpError
    from unwarp.estimators.unwarper import Unwarper
    from unwarp.models import AE, GAN, TCVAE, VAE, BetaVAE, FactorVAE, MixingAE, Model, Recipe
    from unwarp.models.latent import Latent
    from unwarp.training.loop import train
    from unwarp.training.state import History
    from unwarp.warps import (
        Affine2d,
        Chain,
        CosineTime,
        Displacement2d,
        Gain,
        Identity,
        Map,
        MonotoneTime,
        Rigid2d,
        Similarity2d,
        TimeShift,
        Warp,
    )

_HOMES = {
    "data.dataset": ("Dataset",),
    "estimators": ("Unwarper",),
    "analysis.scoring": ("Report", "evaluate"),
    "models": ("AE", "GAN", "TCVAE", "VAE", "BetaVAE", "FactorVAE", "MixingAE", "Model", "Recipe"),
    "training": ("History", "train"),
    "models.latent": ("Latent",),
    "core": ("Factor",),
    "errors": ("UnwarpError",),
    "warps": (
        "Affine2d",
        "Chain",
        "CosineTime",
        "Displacement2d",
        "Gain",
        "Identity",
        "Map",
        "MonotoneTime",
        "Rigid2d",
        "Similarity2d",
        "TimeShift",
        "Warp",
    ),
}

__all__ = [
    "AE",
    "GAN",
    "TCVAE",
    "VAE",
    "Affine2d",
    "BetaVAE",
    "Chain",
    "CosineTime",
    "Dataset",
    "Displacement2d",
    "Factor",
    "FactorVAE",
    "Gain",
    "History",
    "Identity",
    "Latent",
    "Map",
    "MixingAE",
    "Model",
    "MonotoneTime",
    "Recipe",
    "Report",
    "Rigid2d",
    "Similarity2d",
    "TimeShift",
    "UnwarpError",
    "Unwarper",
    "Warp",
    "__version__",
    "evaluate",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that the command line answers at once."""
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"unwarp.{module}"), name)
    raise AttributeError(f"module 'unwarp' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return __all__
