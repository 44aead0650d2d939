"""`Recipe`: all hyper-parameters of a model family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from inspect import isabstract
from typing import Any, ClassVar, Self

from unwarp.errors import ConfigError
from unwarp.models import building
from unwarp.models.architecture import Architecture
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.registry import Registry
from unwarp.warps import Identity


@dataclass(frozen=True)
class Recipe(Architecture, ABC):
    """All hyper-parameters of a model family.

    A recipe is a frozen record without weights: the architecture, the optimiser, and the loss
    weights of its family. `build` returns a model with this architecture. `players` returns the
    players that train it: each is a module with its loss and its optimiser.

    To add a family, derive a frozen dataclass with a class attribute `family`. It registers itself
    under this name, which `Unwarper` and the command line then accept.

    Attributes:
        family: Name of the family, a class attribute.
        registry: All families by name, a class attribute.
        held_out_term: Name of the loss term that tells on held-out samples how good a model is, a
            class attribute; empty if no loss of the family does. The field of the recipe with this
            name, if there is one, is its weight.
        optimiser: Settings of the optimiser and of its learning rate schedule.

    >>> import torch
    >>> from unwarp import AE, train
    >>> from unwarp.data.dataset import Dataset
    >>> from unwarp.models import Net
    >>> recipe = AE(n_content=3, net=Net("mlp", (8,), (8,)))
    >>> data = Dataset(torch.rand(16, 1, 8, 8))
    >>> model = recipe.build(data.shape, seed=0)
    >>> history = train(model, recipe.players(model), data, steps=2, batch_size=8, device="cpu")
    >>> history.steps
    2
    """

    family: ClassVar[str]
    registry: ClassVar[Registry[type[Recipe]]] = Registry("family", ConfigError)
    held_out_term: ClassVar[str] = "reconstruction"
    optimiser: Optimiser = field(default_factory=Optimiser)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in vars(cls) and not isabstract(cls):
            Recipe.registry.add(cls.family, cls)

    @abstractmethod
    def players(self, model: Model) -> tuple[Player, ...]:
        """The players that train a model, in the order of their steps.

        Every trainable parameter of the model must belong to one of the players.

        Args:
            model: A model that this recipe built.
        """

    def without_warp(self) -> Self:
        """The recipe of the baseline without a warp.

        It has the `Identity` warp, no crop, and a content code with D + P columns. The number of
        latent columns is thus that of content and deformation together, for a fair comparison.
        """
        n_columns, plain = len(self.warp.factors), replace(self, warp=Identity(), crop=1.0)
        if self.content == "joint":
            return replace(plain, n_content=self.n_content + n_columns)
        # a measured code has its size whatever the warp is
        return replace(plain, n_joint=self.joint().n_content + n_columns)

    def joint(self) -> Self:
        """The recipe that learns content together with the pose.

        It is the recipe itself, unless its content is measured after the training: then it is that
        of the first phase, before `unwarp.training.settle`.
        """
        if self.content == "joint":
            return self
        return replace(
            self,
            content="joint",
            n_content=self.n_joint or self.n_content,
            n_joint=None,
            fast=False,
        )

    def build(self, shape: Sequence[int], *, seed: int = 0) -> Model:
        """A new model with random weights.

        Args:
            shape: Shape of a sample, (C, H, W) or (C, T).
            seed: Seed of the weights; torch's global random state does not change.

        Returns:
            A model in training mode, on the CPU.

        Raises:
            ConfigError: No domain has samples of this shape, or the recipe does not suit them.
        """
        return building.build(self, shape, seed=seed)


RECIPE_OF_DATASET: dict[str, Recipe] = {}
"""The default recipe of a built-in data set, by the name of the data set; tuned on its samples."""
