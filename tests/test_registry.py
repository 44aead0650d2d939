"""Registries: a name belongs to one definition, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest

from unwarp import models, warps
from unwarp.errors import ConfigError
from unwarp.models.families.ae import AE
from unwarp.models.recipe import Recipe
from unwarp.warps.warp import Identity, Warp


@pytest.fixture(autouse=True)
def _free() -> Iterator[None]:
    """Names of the tests are free again after each."""
    yield
    Warp.registry.pop("toy", None)
    Recipe.registry.pop("toy", None)


def toy_warp(strength: float) -> type[Warp]:
    """A warp as a cell of a notebook defines it, again at each call."""

    @dataclass(frozen=True)
    class Toy(Identity):
        name: ClassVar[str] = "toy"
        size: tuple[int, ...] = (2, 2)
        power: float = strength

    return Toy


def test_definition_again_replaces_itself() -> None:
    """The same class, defined again, takes the place of the earlier one."""
    toy_warp(1.0)
    second = toy_warp(2.0)
    assert warps.families()["toy"] is second
    assert warps.named("toy") == second()


def test_two_definitions_of_a_name_clash() -> None:
    """Another class with the same name is refused; the message says where both stand."""
    toy_warp(1.0)
    with pytest.raises(ConfigError, match=r"warp 'toy' is defined twice, as .*toy_warp.*Toy and as .*Other"):
        type("Other", (Identity,), {"name": "toy", "__module__": "elsewhere"})
    with pytest.raises(ConfigError, match=r"family 'ae' is defined twice, as unwarp\.models\.families\.ae\.AE and"):
        type("Other", (AE,), {"family": "ae", "__module__": "elsewhere"})


def test_abstract_or_nameless_is_no_member() -> None:
    """What cannot be built, or has the name of the class above it, is not registered."""
    before = dict(Warp.registry), dict(Recipe.registry)
    type("Abstract", (Warp,), {"name": "toy"})
    type("Abstract", (Recipe,), {"family": "toy"})
    type("Nameless", (Identity,), {})
    type("Nameless", (AE,), {})
    assert (warps.families(), models.families()) == before


def test_unknown_name_lists_the_known() -> None:
    """An unknown name lists what there is, and says that a module may have to be imported."""
    with pytest.raises(ConfigError, match=r"affine, .*import the module that defines it"):
        warps.named("toy")
    with pytest.raises(ConfigError, match=r"ae, .*import the module that defines it"):
        models.named("toy")
