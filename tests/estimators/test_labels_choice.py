"""Features that labels choose: a rule, a mode that is asked for, and nothing without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.series import RECIPE, fit_series
from tests.pictures import pictures
from tests.weights import weights
from unwarp import AE, Dataset, Unwarper
from unwarp.core import Array
from unwarp.errors import ConfigError, DataError, UnwarpError
from unwarp.estimators.labels_choice import LabelsChoice, choose, is_nearest_alike
from unwarp.models import Net
from unwarp.warps import Identity


def ripples(n: int = 24, seed: int = 0) -> tuple[Array, Array]:
    """Series (n, 40) of large random waves, with ripples in every second one, and that class."""
    rng = np.random.default_rng(seed)
    time, classes = np.linspace(0, 1, 40), np.arange(n) % 2
    waves = 3 * np.sin(2 * np.pi * (time + rng.uniform(0, 1, (n, 1)))) * rng.uniform(1, 2, (n, 1))
    noise = 0.05 * rng.normal(size=(n, 40))
    return waves + 0.5 * classes[:, None] * np.sin(40 * np.pi * time) + noise, classes


def chosen(X: Any, y: Any = None, **arguments: Any) -> Unwarper:
    """A small model of series whose labels choose."""
    return Unwarper(
        recipe=RECIPE, labels="choose", max_steps=2, n_clusters=2, device="cpu", **arguments
    ).fit(X, y)


@pytest.fixture(scope="module")
def slopes() -> Unwarper:
    """A model of ripples, whose labels choose slopes; no test changes it."""
    return chosen(*ripples())


def rights(n_right: int, n: int = 20) -> Array:
    """The first samples are right, the others wrong."""
    return np.arange(n) < n_right


@pytest.mark.parametrize(("n_right", "choice"), [(9, "content"), (11, "content"), (12, "raw")])
def test_gain_exceeds_its_error(n_right: int, choice: str) -> None:
    """One more right sample may be chance; two are more than the root of two."""
    assert choose({"content": rights(10), "raw": rights(n_right)}) == choice


def test_equal_kinds_take_the_simpler() -> None:
    """Of equal kinds the earlier one is chosen, and content codes before all."""
    hits = {"content": rights(5), "raw": rights(15), "aligned": rights(15)}
    assert choose(hits) == "raw"
    assert choose({name: rights(7) for name in hits}) == "content"


def test_left_out_sample_is_no_neighbour() -> None:
    """A sample is compared with all others, and never with itself."""
    columns = torch.tensor([[0.0], [0.1], [5.0], [5.2]])
    assert is_nearest_alike(columns, np.array([0, 1, 0, 1])).sum() == 0
    assert is_nearest_alike(columns, np.array([0, 0, 1, 1])).all()


def test_labels_choose_what_tells_classes(slopes: Unwarper) -> None:
    """Classes of small ripples on large waves: a code of slopes, right for new series, too."""
    choice = slopes.labels_choice_
    assert choice is not None and choice.choice in ("slopes", "both-edits")
    assert choice.accuracies[choice.choice] > choice.accuracies["raw"]
    X, y = ripples(20, seed=1)
    known = slopes.transform(ripples()[0])
    distances = ((slopes.transform(X)[:, None] - known) ** 2).sum(-1)
    assert (distances.argmin(1) % 2 == y).mean() > 0.9
    assert slopes.get_feature_names_out()[0] == f"{choice.choice.replace('-', '_')}_0"


def test_ignored_labels_change_nothing() -> None:
    """Labels, even wrong ones, neither change a model nor its codes by default."""
    X, y = ripples(12)
    models = [fit_series(X), Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2).fit(X)]
    labelled = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2).fit(X, y[:3])
    assert labelled.labels_choice_ is None and models[0].columns_.base == "content"
    np.testing.assert_array_equal(labelled.transform(X), models[1].transform(X))


def test_choice_leaves_the_model_alone(slopes: Unwarper) -> None:
    """Labels change the features, not the weights, templates or clusters."""
    X = ripples()[0]
    plain = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu").fit(X)
    assert bool((weights(plain.model_) == weights(slopes.model_)).all())
    np.testing.assert_array_equal(plain.predict(X), slopes.predict(X))
    np.testing.assert_array_equal(plain.cluster_templates_, slopes.cluster_templates_)


def test_choice_is_saved(slopes: Unwarper, tmp_path: Path) -> None:
    """A loaded model has the choice, and gives the same features."""
    slopes.save(tmp_path / "model")
    loaded, X = Unwarper.load(tmp_path / "model"), ripples(6, seed=2)[0]
    assert loaded.labels_choice_ == slopes.labels_choice_
    for pose in (False, True):
        np.testing.assert_array_equal(
            loaded.transform(X, pose=pose), slopes.transform(X, pose=pose)
        )


def test_labels_of_a_source_choose() -> None:
    """A data set with labels needs no `y`; given both, `y` counts."""
    X, y = ripples(12)
    data = Dataset(torch.as_tensor(X, dtype=torch.float32)[:, None], labels=y)
    choice = chosen(data).labels_choice_
    assert choice is not None and choice.n_samples == 12
    other = chosen(data, np.roll(y, 1) * (np.arange(12) > 5)).labels_choice_
    assert other != choice


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (None, ConfigError, "labels='choose' needs a class"),
        (np.zeros(12), DataError, "two classes"),
        (np.arange(12), DataError, "several samples"),
        (np.arange(5), DataError, "one label for each of the 12"),
        (np.where(np.arange(12) > 3, 1, np.nan), DataError, "NaN"),
    ],
)
def test_unfit_labels_are_refused(y: Any, error: type[UnwarpError], message: str) -> None:
    """No labels, too few of a class, another number than samples, or missing ones."""
    with pytest.raises(error, match=message):
        chosen(ripples(12)[0], y)


def test_chosen_features_have_no_templates(slopes: Unwarper) -> None:
    """Features other than content codes are not decoded by mistake."""
    with pytest.raises(ConfigError, match="take template"):
        slopes.inverse_transform(slopes.transform(ripples()[0]))


def test_pictures_have_no_elastic_codes() -> None:
    """Pictures choose among content, raw, aligned and pose; without a warp, the first two."""
    x, recipe = pictures(12), AE(n_content=2, net=Net("mlp", (8,), (8,)))
    names = []
    for model in (recipe, recipe.without_warp()):
        unwarper = Unwarper(recipe=model, labels="choose", max_steps=2, n_clusters=2)
        choice = unwarper.fit(x, np.arange(12) % 2).labels_choice_
        assert choice is not None
        names.append([*choice.accuracies])
    assert names == [["content", "raw", "aligned", "timing", "content-timing"], ["content", "raw"]]


def test_unknown_choice_is_refused() -> None:
    """A record of a kind of features that does not exist."""
    with pytest.raises(ValueError, match="labels_choice='smell'"):
        LabelsChoice.of({"choice": "smell", "accuracies": {"smell": 1.0}, "n_samples": 3})


def test_aligned_features_are_refined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the alignment is refined, aligned features are what `align` returns, also saved."""
    monkeypatch.setattr("unwarp.estimators.labels_choice.choose", lambda hits: "aligned")
    X, y = ripples(16)
    late = np.stack([np.roll(row, i % 3) for i, row in enumerate(X)]).repeat(2, axis=1)
    recipe = AE(warp=Identity(), n_content=2, net=Net("mlp", (8,), (8,)))
    unwarper = Unwarper(
        recipe=recipe, labels="choose", refine="band", max_steps=1, n_clusters=2, device="cpu"
    ).fit(late, y)
    unwarper.save(tmp_path / "model")
    aligned = unwarper.align(late)
    assert np.abs(aligned - late).max() > 0.1
    for model in (unwarper, Unwarper.load(tmp_path / "model")):
        values = model.schema_.scaler.undo(model.transform(late))
        np.testing.assert_allclose(values, aligned, atol=1e-4)
    unwarper.columns_ = replace(unwarper.columns_, is_refined=False)  # as earlier versions saved
    values = unwarper.schema_.scaler.undo(unwarper.transform(late))
    np.testing.assert_allclose(values, late, atol=1e-4)
