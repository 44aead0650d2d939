"""Factors, batches, domains and registries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import ClassVar

import pytest
import torch

from unwarp import models, warps
from unwarp.core import IMAGES, SERIES, Batch, Domain, Factor, Registry
from unwarp.errors import ConfigError
from unwarp.models.families.ae import AE
from unwarp.models.recipe import Recipe
from unwarp.warps import Identity, Warp


@pytest.mark.parametrize(
    ("factor", "label"),
    [
        (Factor("rotation_deg", "deg", -45, 45), "rotation (deg)"),
        (Factor("shift_x_px", "px", -5, 5), "shift x (px)"),
        (Factor("scale_x", "factor", 0.5, 2), "scale x (factor)"),
        (Factor("shear", "", -1, 1), "shear"),
    ],
)
def test_label_names_unit_once(factor: Factor, label: str) -> None:
    """A label does not repeat the unit that the name ends in."""
    assert factor.label == label


def test_half_range_is_half_the_range() -> None:
    """The half range is half the distance between the ends."""
    assert Factor("lag", "s", -1.0, 4.0).half_range == 2.5


def test_factors_are_values() -> None:
    """Equal factors are one key of a dictionary, and a factor cannot be changed."""
    factor = Factor("lag", "s", -1.0, 1.0)
    assert {factor: 1}[Factor("lag", "s", -1.0, 1.0)] == 1
    with pytest.raises(FrozenInstanceError):
        factor.low = 0.0  # type: ignore[misc]


def test_batch_length_counts_samples() -> None:
    """A batch is as long as its samples."""
    assert len(Batch(torch.zeros(3, 1, 8, 8), torch.arange(3))) == 3


def test_domains_are_registered() -> None:
    """A registered domain is available by its name, and by its axes if it is preferred."""
    try:
        spectra = replace(SERIES, name="spectrum", axes=("frequency",), has_times=False).register()
        assert Domain.registry["spectrum"] is spectra
        assert Domain.of_axes(1) is SERIES and Domain.of_axes(1, "spectrum") is spectra
        assert Domain.of_axes(2) is IMAGES and Domain.of_axes(7) is None
        with pytest.raises(ValueError, match="'spectrum' is registered already"):
            replace(spectra, batch_size=7).register()
        assert (
            replace(IMAGES, batch_size=7).register is not None
            and Domain.registry["image"] is IMAGES
        )
    finally:
        del Domain.registry["spectrum"]


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
