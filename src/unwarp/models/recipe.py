"""`Recipe`: all hyper-parameters of a family, and the model that they make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from inspect import isabstract
from typing import Any, ClassVar, Self

from unwarp.core import Registry
from unwarp.errors import ConfigError
from unwarp.models import building
from unwarp.models.architecture import Architecture
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.warps import Identity


@dataclass(frozen=True)
class Recipe(Architecture, ABC):
    """All hyper-parameters of a family: its architecture, its optimiser, and the weights of its losses.

    Attributes:
        optimiser: Optimiser and its schedule.
    """

    family: ClassVar[str]
    registry: ClassVar[Registry[type[Recipe]]] = Registry("family", ConfigError)
    optimiser: Optimiser = field(default_factory=Optimiser)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in vars(cls) and not isabstract(cls):
            Recipe.registry.add(cls.family, cls)

    @abstractmethod
    def players(self, model: Model) -> tuple[Player, ...]:
        """Who trains `model`, in the order in which they step."""

    def without_warp(self) -> Self:
        """The same family without a warp, at as many latents in total: the fair baseline."""
        return replace(
            self, warp=Identity(), n_content=self.n_content + len(self.warp.factors), crop=1.0
        )

    def build(self, shape: Sequence[int], *, seed: int = 0) -> Model:
        """A new model for samples of `shape`, with weights drawn from `seed`.

        Raises:
            ConfigError: `shape` is neither (C, H, W) nor (C, T), or the recipe does not fit such samples.
        """
        return building.build(self, shape, seed=seed)


RECIPE_OF_DATASET: dict[str, Recipe] = {}
"""Recipes that were measured on a data set, by its name: where nobody asks for another, it starts from it."""
