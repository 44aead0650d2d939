"""Warm starts: a training continues from the weights, in the scale and with the recipe it had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

from tests.estimators.series import RECIPE, waves
from tests.pictures import pictures
from tests.weights import weights
from unwarp import Dataset, Unwarper
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.estimators.warm_start import WHY
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import State

X = np.stack(waves([40] * 8))


class Start(Callback):
    """Copies the weights at the start of a training."""

    weights: torch.Tensor

    def on_start(self, state: State) -> None:
        """Copy the weights."""
        self.weights = weights(state.model).clone()  # type: ignore[arg-type]


def unwarper(**arguments: Any) -> Unwarper:
    """A small estimator, not yet trained."""
    options = {"recipe": RECIPE, "max_steps": 3, "n_clusters": 2, "device": "cpu"} | arguments
    return Unwarper(warm_start=True, **options)


def test_training_continues_from_the_weights(tmp_path: Path) -> None:
    """A refit starts at the weights that the first fit, or a saved model, ends with."""
    model = unwarper().fit(X)
    before, codes = weights(model.model_).clone(), model.transform(X)
    model.save(tmp_path / "model")
    loaded, start = Unwarper.load(tmp_path / "model"), Start()
    assert loaded.warm_start
    model.fit(X, callbacks=[start])
    assert torch.equal(start.weights, before) and not torch.equal(weights(model.model_), before)
    assert model.plan_.why[-1] == WHY and model.n_iter_ == 3
    np.testing.assert_array_equal(loaded.fit(X).transform(X), model.transform(X))
    assert not np.array_equal(model.transform(X), codes)


def test_longer_training_lowers_the_loss() -> None:
    """Several short fits learn, while as many without a warm start repeat the first one."""
    scores = {}
    for is_warm in (True, False):
        model = unwarper(max_steps=20).set_params(warm_start=is_warm)
        scores[is_warm] = [model.fit(X).score(X) for _ in range(3)]
    assert scores[True][2] > scores[True][1] > scores[True][0]
    assert scores[False][0] == scores[False][2] == scores[True][0]


def test_scale_and_shape_stay() -> None:
    """Other samples are scaled as the first ones, so that the weights keep their meaning."""
    model = unwarper().fit(X)
    schema, names = model.schema_, list(model.get_feature_names_out())
    model.fit(3 * X[:5] + 1)
    assert model.schema_ == schema and list(model.get_feature_names_out()) == names
    assert model.labels_ is not None and len(model.labels_) == 5


def test_clones_start_anew() -> None:
    """Without an earlier training, or after `clone`, the argument changes nothing."""
    plain = unwarper().set_params(warm_start=False).fit(X)
    for model in (unwarper().fit(X), clone(unwarper().fit(X)).fit(X), plain.fit(X)):
        np.testing.assert_array_equal(model.transform(X), plain.transform(X))


@pytest.mark.parametrize(
    ("first", "change", "name"),
    [
        ({}, {"n_content": 5}, "n_content=5"),
        ({}, {"recipe": "vae"}, "recipe='vae'"),
        ({"recipe": "vae"}, {"overrides": {"beta": 2.0}}, "beta=2.0"),
        ({}, {"warp": "identity"}, "warp=Identity"),
        ({}, {"overrides": {"net.encoder": (9,)}}, "net=Net"),
        ({}, {"scale": "each"}, "scale='each'"),
        ({}, {"scale": None}, "scale=None"),
        ({}, {"domain": "image"}, "domain='image'"),
        ({}, {"sampling_rate": 7.0}, "sampling_rate=7.0"),
        ({}, {"missing": "mask"}, "missing='mask'"),
        ({}, {"image_shape": (8, 5)}, r"image_shape=\(8, 5\)"),
    ],
)
def test_other_arguments_are_refused(first: Any, change: dict[str, Any], name: str) -> None:
    """A setting that contradicts the model is named, and the model stays as it was."""
    model = unwarper(**first).fit(X)
    earlier = dict(vars(model))
    with pytest.raises(ConfigError, match=f"^{name}.*contradicts the trained model.*warm_start"):
        model.set_params(**change).fit(X)
    assert {k: v for k, v in vars(model).items() if k.endswith("_")} == {
        k: v for k, v in earlier.items() if k.endswith("_")
    }
    model.set_params(**dict.fromkeys(change), warm_start=False)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (X[:, :30], "X has 30 features, but Unwarper is expecting 40"),
        (X[:1], "X holds 1 samples .*at least 2"),
    ],
)
def test_other_samples_are_refused(samples: Any, message: str) -> None:
    """Samples of another shape, or a single one."""
    with pytest.raises(DataError, match=message):
        unwarper().fit(X).fit(samples)


def test_working_sizes_stay() -> None:
    """Large images are learned at the same size again; another one is refused."""
    x = np.repeat(np.repeat(pictures(12), 3, -1), 3, -2)
    model = unwarper(recipe=None, working_size=24, max_steps=1).fit(x)
    assert model.fit(x[:6]).model_.shape == (1, 24, 24)
    with pytest.raises(ConfigError, match="working_size=30 contradicts"):
        model.set_params(working_size=30).fit(x)


def test_data_sets_draw_again() -> None:
    """A data set that draws observations can be continued."""
    data = Dataset(torch.rand(9, 1, 12, 12), draw=lambda x, generator: x.flip(-1))
    model = unwarper(recipe=None, max_steps=1).fit(data)
    assert model.fit(data).plan_.why[-1] == WHY


def test_checkpoints_know_the_start(tmp_path: Path) -> None:
    """A checkpoint of the first training is not taken for one of the second."""
    model = unwarper().fit(X, callbacks=[Checkpoint(tmp_path / "run", interval=1)])
    before = weights(model.model_).clone()
    with pytest.raises(CheckpointError, match="start"):
        model.fit(X, callbacks=[Checkpoint(tmp_path / "run", interval=1)])
    model.fit(X, callbacks=[Checkpoint(tmp_path / "other", interval=1)])
    assert not torch.equal(weights(model.model_), before)
