"""Estimators in folders: the same numbers come back, and damage is refused by type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.estimators.series import LENGTHS, NAN, learned, waves, waves_with_gaps
from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.errors import CheckpointError


def test_save_and_load_give_the_same_numbers(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    fitted.save(tmp_path / "model")
    found = Unwarper.load(tmp_path / "model")
    x = pictures(7, seed=3)
    np.testing.assert_array_equal(found.transform(x), fitted.transform(x))
    np.testing.assert_array_equal(found.align(x), fitted.align(x))
    np.testing.assert_array_equal(found.predict(x), fitted.predict(x))
    assert found.transform_params(x).equals(fitted.transform_params(x))
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]


def test_a_loaded_model_draws_the_same_samples(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    assert np.array_equal(Unwarper.load(tmp_path / "model").sample(4), fitted.sample(4))


def test_a_model_of_an_older_version_has_the_default_of_what_came_later(
    fitted: Unwarper, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    del record["settings"]["precision"]
    config.write_text(json.dumps(record))
    assert Unwarper.load(tmp_path / "model").precision == "no"


def test_a_model_folder_with_wrong_settings_is_refused_by_type(
    fitted: Unwarper, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
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


def test_a_model_folder_without_its_settings_is_refused_by_type(
    fitted: Unwarper, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(config.read_text().replace('"n_features_in"', '"n_features_out"'))
    with pytest.raises(CheckpointError, match="lacks what an Unwarper needs"):
        Unwarper.load(tmp_path / "model")


def test_what_was_learned_of_time_and_scale_is_kept(tmp_path: Path) -> None:
    rows, times = waves(), [np.linspace(1, 1 + n / 10, n) for n in LENGTHS]
    u = learned(rows, times, scale="each", sampling_rate=30.0)
    u.save(tmp_path / "model")
    found = Unwarper.load(tmp_path / "model")
    assert found.get_params()["sampling_rate"] == 30.0
    np.testing.assert_array_equal(found.times_, u.times_)
    np.testing.assert_array_equal(found.align(rows, times=times), u.align(rows, times=times))
    assert found.transform_params(rows, times=times).equals(u.transform_params(rows, times=times))


def test_masked_models_come_back_as_they_were(tmp_path: Path) -> None:
    X, seen = waves_with_gaps()
    asked = np.where(seen, X, NAN)
    u = learned(asked, missing="mask", scale="each")
    u.save(tmp_path / "model")
    v = Unwarper.load(tmp_path / "model")
    np.testing.assert_array_equal(u.align(asked), v.align(asked))


@pytest.mark.parametrize(
    "damage",
    [{"factor": [[[1.0]]]}, {"offset": [0.0, 0.0]}, {"factor": "2"}, {"offset": [[0], [0, 1]]}],
)
def test_a_model_folder_with_a_scale_of_other_channels_is_refused(
    damage: dict[str, Any], tmp_path: Path
) -> None:
    learned(waves([32] * 6, 2), domain="series", scale="channel").save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    config.write_text(json.dumps(record | {"data": record["data"] | damage}))
    with pytest.raises(CheckpointError, match="save it again"):
        Unwarper.load(tmp_path / "model")
