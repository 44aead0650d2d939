"""Facts: ranges of sliders hold the samples, and a model without data has them too."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.app.explorer.collection import empty_collection
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.facts import content_sliders, factor_sliders, model_facts

NAMES = ("images", "mirrors", "series")


@pytest.mark.parametrize("name", NAMES)
def test_ranges_hold_the_samples(name: str, explorations: dict[str, Exploration]) -> None:
    """Every deformation is within reach, and most codes."""
    exploration = explorations[name]
    viewer, collection = exploration.viewer, exploration.collection
    sliders = factor_sliders(viewer, collection)
    for values in viewer.sliders.values(collection.theta):
        for slider in sliders:
            assert slider["low"] <= values[slider["name"]] <= slider["high"]
            assert slider["low"] <= slider["identity"] <= slider["high"]
    ends = content_sliders(viewer, collection)
    low, high = (np.array([slider[end] for slider in ends]) for end in ("low", "high"))
    inside = (collection.content >= low) & (collection.content <= high)
    assert (low < high).all() and inside.mean() > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_model_without_data_has_ranges(name: str, explorations: dict[str, Exploration]) -> None:
    """Codes of the training decide, by the mixture that is fitted to them."""
    exploration = explorations[name]
    viewer = exploration.viewer
    ends = content_sliders(viewer, empty_collection(viewer))
    mean, sd = exploration.collection.content.mean(0), exploration.collection.content.std(0)
    for slider, centre, scale in zip(ends, mean, sd, strict=True):
        assert slider["low"] < slider["high"]
        assert abs(slider["mean"] - centre) < scale + 1e-6
    facts = model_facts(viewer, empty_collection(viewer), ())
    assert facts["n_samples"] == 0 and facts["columns"] == []
    low, high = facts["value_range"]
    assert low < high


def test_facts_are_in_units_of_the_user(series: Exploration, mirrors: Exploration) -> None:
    """Times are in seconds, values in the user's range, mirrors have two values."""
    facts, samples = series.facts, series.collection.samples
    assert samples is not None
    assert (facts["domain"], facts["time_unit"], facts["shape"]) == ("series", "s", [2, 24])
    ends = [np.nanmin(samples.samples), np.nanmax(samples.samples)]
    assert facts["value_range"] == pytest.approx(ends, rel=1e-4)
    mirror = mirrors.facts["factors"][-1]
    assert (mirror["name"], mirror["values"]) == ("mirror", [0.0, 1.0])
    assert mirrors.facts["shape"] == [3, 10, 14] and mirrors.facts["value_range"] == [0.0, 1.0]
