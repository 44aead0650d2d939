"""Refinements of learned deformations: what series and pictures have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.registry import Registry
from unwarp.warps import Map, Padding


class Refinement(ABC):
    """A correction of learned deformations, fitted to training samples without gradient descent.

    A subclass compares each sample with a template of its own. An estimator saves `record()` and
    `tensors()` with the model, and `of` restores the refinement from them.

    Attributes:
        name: The choice, as users write it: `refine=name`.
        keeps_family: Whether refined deformations belong to the family of the warp, so that theta
            describes them, and templates that they deform are reconstructions.
        why: Reason for the refinement, in words; empty in models of earlier versions.
        registry: All refinements by name.

    >>> from unwarp.models.refine import BandRefinement
    >>> Refinement.registry["band"] is BandRefinement
    True
    """

    name: ClassVar[str]
    keeps_family: ClassVar[bool] = False
    why: str
    registry: ClassVar[Registry[type[Refinement]]] = Registry("refinement", ConfigError)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register a subclass by its name."""
        super().__init_subclass__(**kwargs)
        Refinement.registry.add(cls.name, cls)

    @property
    @abstractmethod
    def movement(self) -> str:
        """How samples were moved, as a sentence for people."""

    @abstractmethod
    def refine(self, x: Tensor, map: Map, padding: Padding = "zeros") -> Map:
        """Refined deformations of samples.

        The deformation of a sample does not depend on the other samples.

        Args:
            x: Samples (N, C, ...); NaN marks missing values.
            map: Their N learned deformations.
            padding: Values beyond the samples: `zeros`, `border` or `reflection`.

        Returns:
            N deformations.
        """

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """The numbers of the refinement, for JSON."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the refinement by name."""

    @classmethod
    @abstractmethod
    def of(
        cls, record: Mapping[str, Any], tensors: Mapping[str, Tensor], shape: Sequence[int]
    ) -> Self:
        """The refinement that `record` and `tensors` describe.

        Args:
            record: Numbers by name.
            tensors: Tensors by name.
            shape: Shape (C, ...) of a sample.

        Raises:
            ValueError: They do not fit the samples; the message names the value.
        """
