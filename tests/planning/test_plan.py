"""What is asked for stays as it is asked; everything else is decided by the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from unwarp import AE, VAE, Affine2d, CosineTime
from unwarp.data.dataset import Dataset
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.errors import ConfigError
from unwarp.planning.plan import Plan, Request, make_plan
from unwarp.planning.presets import SERIES, SHARP

PICTURES = Dataset(torch.rand(30, 1, 12, 12, generator=torch.Generator().manual_seed(0)))
WAVES = Dataset(torch.sin(torch.linspace(0, 12, 40) + torch.arange(30.0)[:, None])[:, None])


def plan(data: Dataset, asked: dict[str, Any], **options: Any) -> Plan:
    """The plan for a data set."""
    schema, prepared = Schema.fit(as_source(data), Reading())
    return make_plan(Request(**asked), schema, prepared, **options)


def test_defaults_follow_the_domain() -> None:
    """Batches, steps and recipes are those of the domain."""
    pictures, waves = plan(PICTURES, {}), plan(WAVES, {})
    assert (pictures.batch_size, pictures.steps) == (64, 300)
    assert (waves.batch_size, waves.steps) == (20, 400)
    assert isinstance(pictures.recipe.warp, Affine2d) and isinstance(waves.recipe.warp, CosineTime)


@pytest.mark.parametrize("data", [PICTURES, WAVES])
def test_overrides_decide_nothing_else(data: Dataset) -> None:
    """Setting one field changes that field of the recipe, and leaves open what was open."""
    decided, overridden = plan(data, {}), plan(data, {"overrides": {"n_content": 4}})
    assert overridden.recipe == replace(decided.recipe, n_content=4)
    assert (overridden.steps, overridden.is_open) == (decided.steps, decided.is_open)


def test_warps_and_families_close_the_plan() -> None:
    """How much to warp is open only where neither is asked for."""
    assert plan(WAVES, {}).is_open
    for asked in ({"warp": "time"}, {"recipe": "vae"}, {"recipe": SERIES}):
        assert not plan(WAVES, asked).is_open
    for overrides in ({"family": "vae"}, {"warp": "time"}):
        assert not plan(WAVES, {"overrides": overrides}).is_open
    assert not plan(WAVES, {}, decided=SERIES).is_open


def test_families_are_asked_for_in_two_ways() -> None:
    """As the recipe and as an override."""
    assert (
        plan(PICTURES, {"overrides": {"family": "vae"}}).recipe
        == plan(PICTURES, {"recipe": "vae"}).recipe
    )
    assert isinstance(plan(PICTURES, {"recipe": "vae"}).recipe, VAE)


def test_measured_data_sets_have_presets() -> None:
    """A data set for which a recipe was measured gets it, and the plan says so."""
    measured = plan(replace(WAVES, registered_name="trace"), {"overrides": {"views": 0.25}})
    assert measured.recipe == replace(SHARP, views=0.25)
    assert "trace" in measured.why[0] and not measured.is_open
    assert plan(replace(WAVES, registered_name="trace"), {"recipe": SERIES}).recipe == SERIES


def test_requests_know_the_domain_of_their_warp() -> None:
    """The warp, the override or the recipe decides what three axes are."""
    assert Request(warp="time").warp_domain == "series"
    assert Request(overrides={"warp": "affine"}).warp_domain == "image"
    assert Request(recipe=SERIES).warp_domain == "series"
    assert Request(recipe=AE()).warp_domain == Request().warp_domain == "auto"


def test_gaps_are_learned_from_where_a_domain_has_them() -> None:
    """Pictures have none."""
    assert plan(WAVES, {}, has_gaps=True).recipe.gaps
    assert not plan(PICTURES, {}, has_gaps=True).recipe.gaps


def test_sampling_rates_are_shared() -> None:
    """The rate of the data goes to the warp."""
    schema, data = Schema.fit(as_source(WAVES), Reading(sampling_rate=10.0))
    assert make_plan(Request(), schema, data).recipe.warp == CosineTime(sampling_rate=10.0)


@pytest.mark.parametrize(
    "asked", [{"recipe": "gpt"}, {"recipe": 3}, {"warp": "fold"}, {"overrides": {"x": 1}}]
)
def test_impossible_requests_are_refused(asked: dict[str, Any]) -> None:
    """Before anything is trained."""
    with pytest.raises(ConfigError):
        plan(PICTURES, asked)


def test_two_answers_are_refused() -> None:
    """A warp, a family or a size that is asked for twice."""
    for asked in (
        {"warp": "affine", "overrides": {"warp": "similarity"}},
        {"recipe": "ae", "overrides": {"family": "vae"}},
        {"n_content": 4, "overrides": {"n_content": 8}},
    ):
        with pytest.raises(ConfigError, match="is asked for twice"):
            Request(**asked)  # type: ignore[arg-type]


def test_one_answer_may_come_twice() -> None:
    """The same family by name and as an override."""
    assert Request("vae", overrides={"family": "vae"}).family == "vae"


def test_names_of_others_are_no_presets() -> None:
    """A collection that a user calls as a built-in one starts from the domain's recipe."""
    assert plan(replace(WAVES, name="trace"), {}).recipe == plan(WAVES, {}).recipe


def test_fields_of_the_warp_close_the_plan() -> None:
    """What sets a field of a warp asks for one."""
    waves = plan(WAVES, {"overrides": {"warp.waves": 8}})
    assert not waves.is_open and waves.recipe.warp == CosineTime(waves=8)


def test_padding_follows_overrides() -> None:
    """`auto` is inferred after fields are set."""
    bright = Dataset(PICTURES.x / 2 + 0.5)
    assert plan(bright, {"overrides": {"padding": "auto"}}).recipe.padding == "border"
