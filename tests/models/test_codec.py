"""Recipes and warps as JSON and back: checked field by field, modules named, none imported."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest

from unwarp.errors import ConfigError, NotImportedError
from unwarp.models import AE, VAE, Net
from unwarp.models.codec import describe, recipe_facts, restore
from unwarp.models.recipe import Recipe
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Warp

RECIPE = AE(
    warp=Chain(Displacement2d(3), Affine2d(rotation=60.0)), n_content=3, net=Net("mlp", (8,), (8,))
)


@pytest.fixture(autouse=True)
def _clean_registries() -> Iterator[None]:
    """Remove the classes of a test from the registries."""
    yield
    Warp.registry.pop("toy", None)
    Recipe.registry.pop("toy", None)


def toy_warp() -> Warp:
    """A warp of another package."""

    @dataclass(frozen=True)
    class Toy(Identity):
        name: ClassVar[str] = "toy"
        power: float = 1.0

    return Toy(power=2.0)


def test_choice_survives_json() -> None:
    """A choice is equal after JSON and back; a warp may be written as its name."""
    for choice in (RECIPE, VAE(beta=4.0), RECIPE.warp):
        assert restore(json.loads(json.dumps(describe(choice)))) == choice
    assert restore({"family": "ae", "warp": "displacement+affine"}).warp == Chain(
        Displacement2d(), Affine2d()
    )


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"family": "gpt"}, "choose one of ae, affine"),
        ({"family": "ae", "n_contents": 3}, "no field 'n_contents'; its fields are"),
        ({"family": "ae", "n_content": "many"}, "AE.n_content"),
        ({"family": "ae", "optimiser": {"lr": "fast"}}, "Optimiser.lr"),
        ({"family": "ae", "optimiser": {"rate": 1}}, "Optimiser has no field 'rate'"),
        ({"family": "ae", "warp": "wobble"}, "choose one of affine"),
        ({"family": "ae", "crop": 0}, "crop must be in"),
        ({"family": "vae", "beta": -1}, "must be 0 or more"),
        ({"family": "ae", "padding": "mirror"}, "zeros"),
    ],
)
def test_wrong_record_lists_the_choice(record: dict[str, object], words: str) -> None:
    """An unknown family, field or value is refused with a list of the known ones."""
    with pytest.raises(ConfigError, match=words):
        restore(record)


def test_record_names_a_foreign_module() -> None:
    """Classes of this package have a name alone, others also the module that defines them."""
    recipe = AE(warp=toy_warp())
    record = describe(recipe)
    assert "module" not in record
    assert record["warp"] == {"family": "toy", "module": __name__, "size": [2, 2], "power": 2.0}
    assert restore(record) == recipe


def test_absent_module_is_named() -> None:
    """A family of an unimported module is refused by the module, and nothing is imported."""
    for record in (
        {"family": "toy", "module": "tabnanny"},
        {"family": "ae", "warp": {"family": "toy", "module": "tabnanny"}},
        {
            "family": "chain",
            "links": [{"family": "affine"}, {"family": "toy", "module": "tabnanny"}],
        },
    ):
        with pytest.raises(
            NotImportedError, match="'toy' is defined in tabnanny, which is not imported; import it"
        ):
            restore(record)
    assert "tabnanny" not in sys.modules
    with pytest.raises(
        NotImportedError, match="in a script or a notebook; run its definition here"
    ):
        restore({"family": "toy", "module": "__main__"})


def test_warp_and_family_may_share_a_name() -> None:
    """A warp within a recipe is looked up among warps alone."""

    @dataclass(frozen=True)
    class Family(AE):
        family: ClassVar[str] = "toy"

    recipe = Family(warp=toy_warp())
    assert restore(describe(recipe)) == recipe


def test_class_without_a_name_is_refused() -> None:
    """A class that would come back as its base class is not written."""

    @dataclass(frozen=True)
    class Nameless(AE):
        extra: float = 1.0

    with pytest.raises(
        ConfigError, match=r"Nameless has no name of its own.*add to the class: family"
    ):
        describe(Nameless())


def test_field_must_not_hide_the_head() -> None:
    """A field with the name of an entry of the record is refused."""

    @dataclass(frozen=True)
    class Toy(Identity):
        name: ClassVar[str] = "toy"
        module: str = "engine"

    with pytest.raises(ConfigError, match="has a field 'module'"):
        describe(Toy())


def test_recipe_without_name_has_facts() -> None:
    """A recipe that cannot be written differs from another one by its class and its text."""

    @dataclass(frozen=True)
    class Unnamed(AE):
        power: float = 1.0

    with pytest.raises(ConfigError, match="has no name of its own"):
        describe(Unnamed())
    facts = [recipe_facts(recipe) for recipe in (Unnamed(), Unnamed(power=2.0), Unnamed())]
    assert facts[0] == facts[2] != facts[1] and "Unnamed" in facts[0]
    assert recipe_facts(RECIPE) == describe(RECIPE)


@pytest.mark.parametrize("record", [None, 3, "affine", ["ae"]])
def test_record_must_be_a_mapping(record: object) -> None:
    """What is no record of a recipe is refused with an example of one."""
    with pytest.raises(ConfigError, match="is not a recipe or a warp; give a mapping such as"):
        restore(record)  # type: ignore[arg-type]


def test_deep_records_are_refused() -> None:
    """A chain of chains without end is an error by type."""
    record: dict[str, object] = {"family": "affine"}
    for _ in range(100_000):
        record = {"family": "chain", "links": [record]}
    with pytest.raises(ConfigError):
        restore(record)


@pytest.mark.parametrize(("field", "value"), [("n_content", True), ("passes", [True, 2])])
def test_flags_are_no_numbers(field: str, value: object) -> None:
    """Yes and no of YAML are True and False, and no field of numbers takes them."""
    with pytest.raises(ConfigError, match=rf"AE\.{field}=.* is not allowed; {field} must be a "):
        restore({"family": "ae", field: value})
