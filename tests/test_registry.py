"""Members of registries: one definition a name, and no abstract ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest

from unwarp import models, warps
from unwarp.errors import ConfigError
from unwarp.models.families.ae import AE
from unwarp.models.recipe import Recipe
from unwarp.registry import Registry
from unwarp.warps import Identity, Warp


def test_registry_refuses_a_clash() -> None:
    """A definition may run again; another one with its name is refused, with both addresses."""
    registry: Registry[type] = Registry("thing", ValueError)
    registry.add("number", int)
    registry.add("number", int)
    with pytest.raises(
        ValueError, match=r"'number' is defined twice, as builtins\.int and as builtins\.str"
    ):
        registry.add("number", str)


@pytest.fixture(autouse=True)
def _unregister() -> Iterator[None]:
    """Remove the names of the tests from the registries after each test."""
    yield
    Warp.registry.pop("toy", None)
    Recipe.registry.pop("toy", None)


def toy_warp(strength: float) -> type[Warp]:
    """A warp that is defined anew at each call, as by a cell of a notebook."""

    @dataclass(frozen=True)
    class Toy(Identity):
        name: ClassVar[str] = "toy"
        size: tuple[int, ...] = (2, 2)
        power: float = strength

    return Toy


def test_definition_may_run_twice() -> None:
    """The same class, defined again, replaces the earlier one."""
    toy_warp(1.0)
    second = toy_warp(2.0)
    assert warps.families()["toy"] is second
    assert warps.warp_named("toy") == second()


def test_name_has_one_definition() -> None:
    """Another class with the same name is refused, with the addresses of both."""
    toy_warp(1.0)
    with pytest.raises(
        ConfigError, match=r"warp 'toy' is defined twice, as .*toy_warp.*Toy and as .*Other"
    ):
        type("Other", (Identity,), {"name": "toy", "__module__": "elsewhere"})
    with pytest.raises(
        ConfigError, match=r"family 'ae' is defined twice, as unwarp\.models\.families\.ae\.AE and"
    ):
        type("Other", (AE,), {"family": "ae", "__module__": "elsewhere"})


def test_abstract_is_no_member() -> None:
    """Abstract classes, and classes that inherit their name, are not registered."""
    before = dict(Warp.registry), dict(Recipe.registry)
    type("Abstract", (Warp,), {"name": "toy"})
    type("Abstract", (Recipe,), {"family": "toy"})
    type("Nameless", (Identity,), {})
    type("Nameless", (AE,), {})
    assert (warps.families(), models.families()) == before


def test_unknown_name_lists_members() -> None:
    """The error for an unknown name lists the members and advises to import a module."""
    with pytest.raises(ConfigError, match=r"affine, .*import the module that defines it"):
        warps.warp_named("toy")
    with pytest.raises(ConfigError, match=r"ae, .*import the module that defines it"):
        models.recipe_named("toy")
