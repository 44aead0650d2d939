"""Plans: requests are kept, and the data decide everything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from unwarp import AE, GAN, VAE, Affine2d, CosineTime
from unwarp.core import StartName
from unwarp.data.dataset import Dataset
from unwarp.data.opening import as_source
from unwarp.data.schema import Reading, Schema
from unwarp.errors import ConfigError
from unwarp.models.codec import describe
from unwarp.planning.plan import Plan, Request, make_plan
from unwarp.planning.presets import DIGITS, SERIES, SHARP

PICTURES = Dataset(torch.rand(30, 1, 12, 12, generator=torch.Generator().manual_seed(0)))
WAVES = Dataset(torch.sin(torch.linspace(0, 12, 40) + torch.arange(30.0)[:, None])[:, None])


def plan(data: Dataset, request: dict[str, Any], **options: Any) -> Plan:
    """The plan for a data set."""
    schema, prepared = Schema.fit(as_source(data), Reading())
    return make_plan(Request(**request), schema, prepared, **options)


def test_defaults_follow_the_domain() -> None:
    """Batch sizes, steps and recipes are those of the domain."""
    pictures, waves = plan(PICTURES, {}), plan(WAVES, {})
    assert (pictures.batch_size, pictures.steps) == (64, 600)
    assert (waves.batch_size, waves.steps) == (20, 400)
    assert plan(PICTURES, {}, batch_size=50).batch_size == 50
    assert isinstance(pictures.recipe.warp, Affine2d) and isinstance(waves.recipe.warp, CosineTime)


@pytest.mark.parametrize("data", [PICTURES, WAVES])
def test_overrides_decide_nothing_else(data: Dataset) -> None:
    """An override changes its field of the recipe, and neither the steps nor `is_open`."""
    decided, overridden = plan(data, {}), plan(data, {"overrides": {"n_content": 4}})
    assert overridden.recipe == replace(decided.recipe, n_content=4)
    assert (overridden.steps, overridden.is_open) == (decided.steps, decided.is_open)


def test_content_is_that_of_the_domain() -> None:
    """Without a named recipe codes are measured, by the rule of the domain and in its size."""
    for data, kind, size in ((PICTURES, "gradients", 24), (WAVES, "elastic", 64)):
        recipe = plan(data, {}).recipe
        assert (recipe.content, recipe.n_content) == (kind, size)
        joint = plan(data, {"content": "joint"}).recipe
        assert joint == recipe.joint()
        for family in ("ae", "vae", AE()):
            assert plan(data, {"recipe": family}).recipe.content == "joint"
        named = plan(data, {"recipe": "ae", "content": kind, "n_content": 9}).recipe
        assert (named.content, named.n_content, named.n_joint) == (kind, 9, joint.n_content)


def test_overrides_may_exclude_measured_codes() -> None:
    """A recipe that an override makes unfit for measured codes keeps its joint code."""
    for data in (PICTURES, WAVES):
        recipe = plan(data, {"overrides": {"encoder": "one-stage"}}).recipe
        assert (recipe.content, recipe.encoder) == ("joint", "one-stage")
    with pytest.raises(ConfigError, match="encoder='staged'"):
        plan(PICTURES, {"content": "gradients", "overrides": {"encoder": "one-stage"}})


def test_tuned_crops_have_gradients() -> None:
    """The tuned recipe of digits, whose templates fill a window, has measured codes."""
    recipe = plan(replace(PICTURES, registered_name="affine-mnist"), {}).recipe
    assert recipe.joint() == replace(DIGITS, padding=recipe.padding)
    assert (recipe.content, recipe.crop) == ("gradients", DIGITS.crop)


def test_warps_and_families_close_the_plan() -> None:
    """How much to warp is open only without a warp and without a family."""
    assert plan(WAVES, {}).is_open
    for request in ({"warp": "time"}, {"recipe": "vae"}, {"recipe": SERIES}):
        assert not plan(WAVES, request).is_open
    for overrides in ({"family": "vae"}, {"warp": "time"}):
        assert not plan(WAVES, {"overrides": overrides}).is_open
    assert not plan(WAVES, {}, decided=SERIES).is_open


def test_families_are_set_in_two_ways() -> None:
    """The recipe and the override `family` give the same plan."""
    assert (
        plan(PICTURES, {"overrides": {"family": "vae"}}).recipe
        == plan(PICTURES, {"recipe": "vae"}).recipe
    )
    assert isinstance(plan(PICTURES, {"recipe": "vae"}).recipe, VAE)


def test_measured_data_sets_have_presets() -> None:
    """A built-in data set with a measured recipe gets it, and the plan says so."""
    measured = plan(replace(WAVES, registered_name="trace"), {"overrides": {"views": 0.25}})
    assert measured.recipe.joint() == replace(SHARP, views=0.25)
    assert "trace" in measured.why[0] and not measured.is_open
    assert plan(replace(WAVES, registered_name="trace"), {"recipe": SERIES}).recipe == SERIES


def test_requests_name_a_warp_domain() -> None:
    """It is that of the warp, the override or the recipe; the default warp names none."""
    assert Request(warp="time").warp_domain == "series"
    assert Request(overrides={"warp": "affine"}).warp_domain == "image"
    assert Request(recipe=SERIES).warp_domain == "series"
    assert Request(recipe=AE()).warp_domain == Request().warp_domain == "auto"


def test_gaps_are_those_of_the_schema() -> None:
    """A plan for series allows gaps if they are to be masked."""
    schema, samples = Schema.fit(as_source(WAVES), Reading(missing="mask"))
    assert schema.has_gaps and make_plan(Request(), schema, samples).recipe.gaps
    assert not plan(WAVES, {}).recipe.gaps


@pytest.mark.parametrize("recipe", [None, "vae", "gan", "mixing-ae", AE(), describe(GAN())])
def test_requests_know_gaps(recipe: Any) -> None:
    """Families with a critic take no gaps; all others, and the default, do."""
    assert Request(recipe).can_have_gaps == (recipe in (None, "vae", AE()))


def test_sampling_rates_are_shared() -> None:
    """The warp of the plan has the sampling rate of the data."""
    schema, data = Schema.fit(as_source(WAVES), Reading(sampling_rate=10.0))
    assert make_plan(Request(), schema, data).recipe.warp == CosineTime(sampling_rate=10.0)
    same, other = (Request(warp=CosineTime(sampling_rate=rate)) for rate in (10.0, 20.0))
    assert make_plan(same, schema, data).recipe.warp == same.warp
    with pytest.raises(ConfigError, match="sampling_rate=20 of the warp, and 10 of the series"):
        make_plan(other, schema, data)


@pytest.mark.parametrize("start", ["centroid", "moments"])
def test_series_have_no_centre_of_intensity(start: StartName) -> None:
    """Starts that read pictures are refused for series, whoever names them."""
    for request in ({"start": start}, {"recipe": AE(warp=CosineTime(), start=start)}):
        with pytest.raises(ConfigError, match=f"start='{start}' reads the intensity of images"):
            plan(WAVES, request)


@pytest.mark.parametrize(
    "request_fields",
    [
        *({"recipe": "gpt"}, {"warp": "fold"}, {"overrides": {"x": 1}}),
        *({"recipe": value} for value in (0, 3, [], {}, np.zeros(2), AE)),
        *({"warp": value} for value in (None, {}, {"family": "ae"}, np.zeros(2))),
    ],
)
def test_unknown_requests_are_refused(request_fields: dict[str, Any]) -> None:
    """Unknown families, warps and fields are refused before anything is trained."""
    with pytest.raises(ConfigError):
        plan(PICTURES, request_fields)


def test_two_answers_are_refused() -> None:
    """A warp, a family or a size may not be set both as a field and as an override."""
    for fields in (
        {"warp": "affine", "overrides": {"warp": "similarity"}},
        {"recipe": "ae", "overrides": {"family": "vae"}},
        {"n_content": 4, "overrides": {"n_content": 8}},
    ):
        with pytest.raises(ConfigError, match="is also set by overrides"):
            Request(**fields)  # type: ignore[arg-type]


def test_one_answer_may_come_twice() -> None:
    """The same family by name and as an override is accepted."""
    assert Request("vae", overrides={"family": "vae"}).family == "vae"


def test_names_of_user_data_are_no_presets() -> None:
    """Data that a user names like a built-in data set get the preset of the domain."""
    assert plan(replace(WAVES, name="trace"), {}).recipe == plan(WAVES, {}).recipe


def test_fields_of_the_warp_close_the_plan() -> None:
    """Setting a field of a warp decides that there is one."""
    waves = plan(WAVES, {"overrides": {"warp.waves": 8}})
    assert not waves.is_open and waves.recipe.warp == CosineTime(waves=8)


def test_padding_follows_overrides() -> None:
    """A padding of `auto` in the overrides is inferred from the samples."""
    bright = Dataset(PICTURES.x / 2 + 0.5)
    assert plan(bright, {"overrides": {"padding": "auto"}}).recipe.padding == "border"
