"""Features without downloads: they tell classes apart, depend on the seed alone, and survive a file."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor

from unwarp.analysis.scoring import score
from unwarp.data.dataset import Dataset
from unwarp.datasets import mnist
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.estimators.features import Features, fit_features, sample_inputs
from unwarp.metrics import ScoreInputs
from unwarp.warps import Affine2d


@pytest.fixture(scope="module")
def parts() -> tuple[Dataset, Dataset]:
    """1,300 and 497 real digits of 8 x 8 pixels, doubled in size."""
    found = load_digits()
    x = torch.as_tensor(found.images / 16, dtype=torch.float32)[:, None]
    data = Dataset(x.repeat_interleave(2, 2).repeat_interleave(2, 3), "digits", labels=found.target)
    rows = np.random.default_rng(0).permutation(len(data))  # the file is sorted by writers
    return data.subset(rows[:1300]), data.subset(rows[1300:])


@pytest.fixture(scope="module")
def features(parts: tuple[Dataset, Dataset]) -> Features:
    return fit_features(parts[0], n_features=24, steps=150)


def test_the_classifier_finds_the_classes_of_held_out_digits(
    features: Features, parts: tuple[Dataset, Dataset]
) -> None:
    test = parts[1]
    assert test.labels is not None
    assert features.accuracy(test.x, test.labels) > 0.9
    assert features(test.x).shape == (497, 24)
    assert np.bincount(features.classify(test.x), minlength=10) == pytest.approx(
        np.bincount(test.labels), abs=12
    )


def test_features_have_unit_variance_on_average(
    features: Features, parts: tuple[Dataset, Dataset]
) -> None:
    assert features(parts[0].x).var(0).mean() == pytest.approx(1.0, rel=1e-4)
    pixels = fit_features(replace(parts[0], labels=None), n_features=5)
    assert pixels(parts[0].x).var(0).mean() == pytest.approx(1.0, rel=1e-4)


def test_same_seed_same_features(parts: tuple[Dataset, Dataset]) -> None:
    few = parts[0].subset(np.arange(100))
    one, same, other = (
        fit_features(few, n_features=8, steps=3, seed=seed)(few.x) for seed in (1, 1, 2)
    )
    assert (one == same).all()
    assert (one != other).any()


def test_a_row_has_the_same_features_alone_and_in_a_batch(
    features: Features, parts: tuple[Dataset, Dataset]
) -> None:
    x = parts[1].x
    assert features(x[5:6])[0] == pytest.approx(features(x.numpy())[5], abs=1e-5)


def test_labels_of_any_kind_are_given_back(parts: tuple[Dataset, Dataset], tmp_path: Path) -> None:
    rows = np.flatnonzero(np.isin(parts[0].labels, [3, 8]))
    named = parts[0].subset(rows)
    named = replace(named, labels=np.where(named.labels == 3, "three", "eight"))
    found = fit_features(named, n_features=8, steps=40)
    found.save(tmp_path / "named.safetensors")
    for each in (found, Features.load(tmp_path / "named.safetensors")):
        assert each.accuracy(named.x, named.labels) > 0.9


def test_a_file_gives_back_the_same_features(
    features: Features, parts: tuple[Dataset, Dataset], tmp_path: Path
) -> None:
    pixels = fit_features(replace(parts[0], labels=None), n_features=6)
    for one in (features, pixels):
        one.save(tmp_path / "features.safetensors")
        again = Features.load(tmp_path / "features.safetensors")
        assert (again(parts[1].x) == one(parts[1].x)).all()
        assert again.shape == one.shape
        assert again.classes.tolist() == one.classes.tolist()


def test_files_that_hold_no_features_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing")
    save_file({"a": torch.zeros(2)}, tmp_path / "other")
    for name in ("absent", "text", "other"):
        with pytest.raises(CheckpointError, match="fit and save them again"):
            Features.load(tmp_path / name)


def test_without_labels_features_are_principal_components(parts: tuple[Dataset, Dataset]) -> None:
    train, test = (replace(part, labels=None) for part in parts)
    truth = PCA(6, svd_solver="full").fit(train.x.flatten(1).numpy())
    found = fit_features(train, n_features=6)(test.x)
    expected = truth.transform(test.x.flatten(1).numpy()) / np.sqrt(
        truth.explained_variance_.mean()
    )
    assert np.abs(found) == pytest.approx(np.abs(expected), abs=2e-2)


@pytest.mark.parametrize("labels", [None, np.zeros(40, int)])
def test_one_class_is_no_label(labels: np.ndarray | None) -> None:
    x = torch.rand(40, 2, 9, generator=torch.Generator().manual_seed(0))
    found = fit_features(Dataset(x, labels=labels), n_features=500)
    assert found(x).shape == (40, 18)
    with pytest.raises(ConfigError, match="without labels"):
        found.classify(x)


def test_series_have_features_too() -> None:
    time = torch.linspace(0, 1, 30)
    speed = torch.arange(1, 4).repeat(60)
    phase = torch.rand(180, 1, generator=torch.Generator().manual_seed(0))
    x = torch.sin(2 * math.pi * (speed[:, None] * time + phase))[:, None]
    data = Dataset(x, labels=speed.numpy())
    found = fit_features(data.subset(np.arange(120)), n_features=8, steps=120)
    assert found.accuracy(x[120:], speed[120:].numpy()) > 0.9


def test_samples_of_another_shape_and_settings_without_sense_are_refused(
    features: Features, parts: tuple[Dataset, Dataset]
) -> None:
    with pytest.raises(DataError, match="16, 16"):
        features(parts[1].x[:, 0])
    with pytest.raises(ConfigError, match="n_features=0"):
        fit_features(parts[0], n_features=0)
    with pytest.raises(ConfigError, match="steps=0"):
        fit_features(parts[0], steps=0)


def test_real_digits_are_at_the_floor_and_noise_is_beyond_the_ceiling(
    features: Features, parts: tuple[Dataset, Dataset]
) -> None:
    train, test = parts
    wanted = ("sample_quality", "class_shares")
    real = score(
        sample_inputs(features, test.x, train.x[-300:], train.x) | ScoreInputs(labels=test.labels),
        wanted,
    ).scores
    assert real["frechet"] == pytest.approx(real["frechet_floor"], rel=0.3)
    assert real["frechet"] < 0.5 * real["frechet_ceiling"]
    assert real["coverage"] > real["coverage_ceiling"] + 0.2
    assert real["classes_covered"] == 10
    assert real["class_entropy"] == pytest.approx(math.log(10), abs=0.05)
    noise = torch.rand(300, *test.shape, generator=torch.Generator().manual_seed(0))
    worst = score(sample_inputs(features, test.x, noise, train.x), wanted)
    assert worst.scores["frechet"] > worst.scores["frechet_ceiling"]
    assert worst.missing == {"class_shares": "labels"}


def test_without_labels_the_classes_of_samples_are_missing(parts: tuple[Dataset, Dataset]) -> None:
    train, test = parts
    inputs = sample_inputs(fit_features(replace(train, labels=None)), test.x, test.x, train.x)
    assert sorted(inputs.names()) == ["features", "gaussian_features", "sample_features"]


def turned_and_shifted(x: Tensor, generator: torch.Generator) -> Tensor:
    """Rotation +-20 degrees, shifts +-10 % of the frame."""
    uniform = torch.rand(len(x), 3, generator=generator) * 2 - 1
    theta = torch.zeros(len(x), 6)
    theta[:, 0], theta[:, 4:] = math.radians(20) * uniform[:, 0], 0.2 * uniform[:, 1:]
    return Affine2d(rotation=180.0, size=(28, 28)).map(theta)(x)


@pytest.mark.slow
def test_turned_and_shifted_mnist_is_read_at_96_per_cent(real_data: Path) -> None:
    train, test = (mnist.load(part, real_data / "mnist") for part in ("train", "test"))
    assert test.labels is not None
    found = fit_features(replace(train, draw=turned_and_shifted))
    assert (
        found.accuracy(turned_and_shifted(test.x, torch.Generator().manual_seed(1)), test.labels)
        > 0.96
    )
