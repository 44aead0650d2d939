"""Parameters: fields of the recipe by the names of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from tests.estimators.series import RECIPE, waves
from unwarp import Unwarper
from unwarp.errors import ConfigError


@pytest.mark.parametrize("recipe", [None, "vae", RECIPE], ids=["none", "name", "recipe"])
def test_fields_of_recipes_are_parameters(recipe: Any) -> None:
    """Fields become overrides, and `get_params`, `set_params` and `clone` agree on them."""
    values = {"recipe__n_content": 2, "recipe__optimiser__lr": 1e-3}
    unwarper = Unwarper(recipe=recipe, overrides={"sigma": 0.5}).set_params(**values)
    assert unwarper.overrides == {"sigma": 0.5, "n_content": 2, "optimiser.lr": 1e-3}
    params = unwarper.get_params()
    assert {name: params[name] for name in values} == values and params["recipe__sigma"] == 0.5
    assert not [name for name in unwarper.get_params(deep=False) if "__" in name]
    for other in (clone(unwarper), Unwarper().set_params(**params)):
        assert other.get_params() == params


def test_fields_reach_the_model() -> None:
    """The trained model has the size that the field names, other fields are as before."""
    X, arguments = np.stack(waves([40] * 8)), {"max_steps": 1, "n_clusters": 2, "warp": "time"}
    plain = Unwarper(**arguments).fit(X)
    unwarper = Unwarper(**arguments).set_params(recipe__n_content=2).fit(X)
    assert unwarper.transform(X).shape == (8, 2)
    assert plain.recipe_.n_content != 2 and plain.recipe_.net == unwarper.recipe_.net


def test_grids_search_fields() -> None:
    """A grid search over a pipeline tries every size of the content code."""
    X, y = np.stack(waves([40] * 16)), np.arange(16) % 2
    unwarper = Unwarper("time", max_steps=1, n_clusters=2, device="cpu")
    grid = {"unwarper__recipe__n_content": [2, 4]}
    search = GridSearchCV(make_pipeline(unwarper, LogisticRegression()), grid, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_.named_steps["unwarper"]
    assert best.recipe_.n_content == search.best_params_["unwarper__recipe__n_content"]
    assert unwarper.overrides is None


@pytest.mark.parametrize(
    ("arguments", "params", "message"),
    [
        ({}, {"recipe__n_contents": 2}, "AE has no field 'n_contents'; its fields are warp, n_c"),
        ({"recipe": "vae"}, {"recipe__chunks": 2}, "VAE has no field 'chunks'; .*n_content"),
        ({}, {"recipe": "vae", "recipe__chunks": 2}, "VAE has no field 'chunks'"),
        ({"recipe": RECIPE}, {"recipe__beta": 2}, "AE has no field 'beta'"),
        ({"overrides": 3}, {"recipe__n_content": 2}, "overrides=3 is no mapping"),
    ],
)
def test_unknown_fields_are_refused(
    arguments: dict[str, Any], params: dict[str, Any], message: str
) -> None:
    """A field that the recipe lacks is refused with the names of its fields, before `fit`."""
    with pytest.raises(ConfigError, match=message):
        Unwarper(**arguments).set_params(**params)


def test_unknown_arguments_are_refused() -> None:
    """As in scikit-learn, by a `ValueError` that names the argument."""
    with pytest.raises(ValueError, match="Invalid parameter 'n_contents'"):
        Unwarper().set_params(n_contents=2)


def test_fields_are_set_once() -> None:
    """A size that is an argument and a field of the recipe is refused by `fit`."""
    unwarper = Unwarper("time", n_content=3).set_params(recipe__n_content=2)
    with pytest.raises(ConfigError, match="n_content=3 is also set by overrides"):
        unwarper.fit(np.stack(waves([40] * 8)))
