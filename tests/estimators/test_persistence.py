"""Saved estimators: the same numbers come back, and damage is refused by type."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from tests.estimators.series import LENGTHS, NAN, fit_series, waves, waves_with_gaps
from tests.folders import forget_checksums
from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.errors import CheckpointError


def test_loaded_model_gives_the_same_numbers(fitted: Unwarper, tmp_path: Path) -> None:
    """A model folder may be replaced, and holds three files."""
    fitted.save(tmp_path / "model")
    fitted.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    x = pictures(7, seed=3)
    np.testing.assert_array_equal(loaded.transform(x), fitted.transform(x))
    np.testing.assert_array_equal(loaded.align(x), fitted.align(x))
    np.testing.assert_array_equal(loaded.predict(x), fitted.predict(x))
    assert loaded.transform_params(x).equals(fitted.transform_params(x))
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]


def test_loaded_model_draws_the_same_samples(fitted: Unwarper, tmp_path: Path) -> None:
    """New samples depend on the seed and the saved mixture."""
    fitted.save(tmp_path / "model")
    assert np.array_equal(Unwarper.load(tmp_path / "model").sample(4), fitted.sample(4))


def test_new_arguments_have_defaults(fitted: Unwarper, tmp_path: Path) -> None:
    """A folder of an older version, without an argument, gets its default."""
    fitted.save(tmp_path / "model")
    forget_checksums(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    del record["settings"]["precision"]
    config.write_text(json.dumps(record))
    assert Unwarper.load(tmp_path / "model").precision == "no"


def test_damaged_settings_are_refused(fitted: Unwarper, tmp_path: Path) -> None:
    """Settings or scales of the wrong form."""
    fitted.save(tmp_path / "model")
    forget_checksums(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    for change in (
        {"settings": 3},
        {"data": [1]},
        {"data": {"kind": "image", "offset": 0.0, "factor": -1.0}},
    ):
        config.write_text(json.dumps(record | change))
        with pytest.raises(CheckpointError, match="save it again"):
            Unwarper.load(tmp_path / "model")


def test_absent_settings_are_refused(fitted: Unwarper, tmp_path: Path) -> None:
    """A configuration without a field that an estimator needs."""
    fitted.save(tmp_path / "model")
    forget_checksums(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(config.read_text().replace('"n_features_in"', '"n_features_out"'))
    with pytest.raises(CheckpointError, match="lacks a setting of Unwarper"):
        Unwarper.load(tmp_path / "model")


def test_clock_and_scale_are_saved(tmp_path: Path) -> None:
    """Series with time stamps and own scales are aligned as before."""
    rows, times = waves(), [np.linspace(1, 1 + n / 10, n) for n in LENGTHS]
    unwarper = fit_series(rows, times, scale="each", sampling_rate=30.0)
    unwarper.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert loaded.get_params()["sampling_rate"] == 30.0
    np.testing.assert_array_equal(loaded.times_, unwarper.times_)
    np.testing.assert_array_equal(
        loaded.align(rows, times=times), unwarper.align(rows, times=times)
    )
    assert loaded.transform_params(rows, times=times).equals(
        unwarper.transform_params(rows, times=times)
    )


def test_masked_models_are_saved(tmp_path: Path) -> None:
    """Series with gaps are aligned as before."""
    X, is_observed = waves_with_gaps()
    x_nan = np.where(is_observed, X, NAN)
    unwarper = fit_series(x_nan, missing="mask", scale="each")
    unwarper.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    np.testing.assert_array_equal(unwarper.align(x_nan), loaded.align(x_nan))


@pytest.mark.parametrize(
    "damage",
    [{"factor": [[[1.0]]]}, {"offset": [0.0, 0.0]}, {"factor": "2"}, {"offset": [[0], [0, 1]]}],
)
def test_unfit_scales_are_refused(damage: dict[str, Any], tmp_path: Path) -> None:
    """A scale for other channels, of the wrong rank, or no number."""
    fit_series(waves([32] * 6, 2), domain="series", scale="channel").save(tmp_path / "model")
    forget_checksums(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    config.write_text(json.dumps(record | {"data": record["data"] | damage}))
    with pytest.raises(CheckpointError, match="save it again"):
        Unwarper.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mixture_weights", lambda value: value[:-1]),
        ("mixture_weights", lambda value: value * 2),
        ("mixture_means", lambda value: value[:, :-1]),
        ("mixture_means", lambda value: value * NAN),
        ("mixture_covariances", lambda value: -value),
        ("cluster_centers", lambda value: value[:, :-1]),
        ("cluster_centers", lambda value: value[:0]),
        ("cluster_centers", None),
    ],
)
def test_unfit_arrays_are_refused(
    name: str, change: Callable[[Any], Any] | None, fitted: Unwarper, tmp_path: Path
) -> None:
    """A mixture or centres of another shape, or numbers that are none."""
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    tensors = {key: value.clone() for key, value in load_file(path).items()}
    value = tensors.pop(f"array.{name}")
    if change is not None:
        tensors[f"array.{name}"] = change(value).contiguous()
    path.unlink()
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="save it again"):
        Unwarper.load(tmp_path / "model")


def test_random_states_survive(fitted: Unwarper, tmp_path: Path) -> None:
    """A saved `RandomState` continues where it was; the text of earlier versions gives None."""
    states = [np.random.RandomState(5), np.random.RandomState(np.random.PCG64(5))]
    for state in states:
        state.normal(size=3)
        unwarper = copy(fitted).set_params(random_state=state)
        unwarper.save(tmp_path / "model")
        loaded = Unwarper.load(tmp_path / "model").random_state
        assert isinstance(loaded, np.random.RandomState)
        np.testing.assert_array_equal(loaded.normal(size=5), state.normal(size=5))
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    for seed, words in (("RandomState(MT19937)", None), (-1, "random_state=-1"), ({}, "bit_gen")):
        config.write_text(json.dumps(_with_setting(record, "random_state", seed)))
        forget_checksums(tmp_path / "model")
        if words is None:
            assert Unwarper.load(tmp_path / "model").random_state is None
        else:
            with pytest.raises(CheckpointError, match=words):
                Unwarper.load(tmp_path / "model")


def _with_setting(record: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The record with another value of a setting."""
    return {**record, "settings": {**record["settings"], name: value}}


@pytest.mark.parametrize(
    "change",
    [
        {"passes": [1, 10**9]},
        {"refinements": 10**6},
        {"n_content": 10**9},
        {"crop": float("nan")},
        {"starts": 10**9},
        {"warp": {"family": "chain", "links": [{"family": "affine"}] * 1000}},
        {"net": {"encoder": [60_000] * 4}},
    ],
)
def test_endless_recipes_are_refused(
    fitted: Unwarper, tmp_path: Path, change: dict[str, Any]
) -> None:
    """A small file that asks for endless work or memory is refused at once."""
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    record["recipe"] |= change
    config.write_text(json.dumps(record))
    forget_checksums(tmp_path / "model")
    with pytest.raises(CheckpointError):
        Unwarper.load(tmp_path / "model")


@pytest.mark.parametrize("depth", [900, 100_000])
def test_deep_files_are_refused(fitted: Unwarper, tmp_path: Path, depth: int) -> None:
    """Thousands of levels in a file are damage, not a crash."""
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    opening, closing = '{"family": "chain", "links": [' * depth, "]}" * depth
    record["recipe"]["warp"] = "WARP"
    config.write_text(json.dumps(record).replace('"WARP"', opening + closing))
    forget_checksums(tmp_path / "model")
    with pytest.raises(CheckpointError):
        Unwarper.load(tmp_path / "model")


SAVED = Path(__file__).parent / "saved"
"""Small models of series, one of each format; the arrays beside them are their aligned series."""

WAVES_OF_SAVED = np.sin(np.linspace(0, 6, 16) + np.arange(6)[:, None])
"""The series (6, 16) that they were trained on."""


@pytest.mark.parametrize("name", ["format_2_without_checksums", "format_2"])
def test_models_of_earlier_commits_load(name: str) -> None:
    """A committed model gives the numbers that it gave when it was saved, to float32."""
    aligned = Unwarper.load(SAVED / name).align(WAVES_OF_SAVED)
    np.testing.assert_allclose(aligned, np.load(SAVED / f"{name}.npy"), atol=1e-5)


def test_first_format_names_its_version() -> None:
    """A committed model of format 1 is refused with its version and what to do."""
    with pytest.raises(CheckpointError, match=r"written by unwarp 0\.1\.0 in format version 1"):
        Unwarper.load(SAVED / "format_1")
