"""Features without downloads: they separate classes, follow the seed, and survive a file."""

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
    digits = load_digits()
    x = torch.as_tensor(digits.images / 16, dtype=torch.float32)[:, None]
    data = Dataset(
        x.repeat_interleave(2, 2).repeat_interleave(2, 3), "digits", labels=digits.target
    )
    rows = np.random.default_rng(0).permutation(len(data))  # the file is sorted by writers
    return data.subset(rows[:1300]), data.subset(rows[1300:])


@pytest.fixture(scope="module")
def features(parts: tuple[Dataset, Dataset]) -> Features:
    """Features of the training digits; no test changes them."""
    return fit_features(parts[0], n_features=24, steps=150)


def test_classifier_is_accurate(features: Features, parts: tuple[Dataset, Dataset]) -> None:
    """It predicts the classes of held-out digits, each about as often as it occurs."""
    test = parts[1]
    assert test.labels is not None
    assert features.accuracy(test.x, test.labels) > 0.9
    assert features(test.x).shape == (497, 24)
    assert np.bincount(features.classify(test.x), minlength=10) == pytest.approx(
        np.bincount(test.labels), abs=12
    )


def test_features_have_unit_variance(features: Features, parts: tuple[Dataset, Dataset]) -> None:
    """On average over features, those of a classifier and principal components alike."""
    assert features(parts[0].x).var(0).mean() == pytest.approx(1.0, rel=1e-4)
    pixels = fit_features(replace(parts[0], labels=None), n_features=5)
    assert pixels(parts[0].x).var(0).mean() == pytest.approx(1.0, rel=1e-4)


def test_same_seed_same_features(parts: tuple[Dataset, Dataset]) -> None:
    """To the last bit; another seed gives other features."""
    data = parts[0].subset(np.arange(100))
    first, same, other = (
        fit_features(data, n_features=8, steps=3, seed=seed)(data.x) for seed in (1, 1, 2)
    )
    assert (first == same).all()
    assert (first != other).any()


def test_features_ignore_the_batch(features: Features, parts: tuple[Dataset, Dataset]) -> None:
    """A sample has the same features alone and in a batch, as a tensor and as an array."""
    x = parts[1].x
    assert features(x[5:6])[0] == pytest.approx(features(x.numpy())[5], abs=1e-5)


def test_labels_may_be_text(parts: tuple[Dataset, Dataset], tmp_path: Path) -> None:
    """Predicted classes are the labels of the training data, also after saving and loading."""
    rows = np.flatnonzero(np.isin(parts[0].labels, [3, 8]))
    named = parts[0].subset(rows)
    named = replace(named, labels=np.where(named.labels == 3, "three", "eight"))
    features = fit_features(named, n_features=8, steps=40)
    features.save(tmp_path / "named.safetensors")
    for classifier in (features, Features.load(tmp_path / "named.safetensors")):
        assert classifier.accuracy(named.x, named.labels) > 0.9


def test_features_survive_a_file(
    features: Features, parts: tuple[Dataset, Dataset], tmp_path: Path
) -> None:
    """Numbers, shape and classes come back, with and without labels."""
    pixels = fit_features(replace(parts[0], labels=None), n_features=6)
    for original in (features, pixels):
        original.save(tmp_path / "features.safetensors")
        loaded = Features.load(tmp_path / "features.safetensors")
        assert (loaded(parts[1].x) == original(parts[1].x)).all()
        assert loaded.shape == original.shape
        assert loaded.classes.tolist() == original.classes.tolist()


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A missing file, text, and tensors that are no features."""
    (tmp_path / "text").write_text("nothing")
    save_file({"a": torch.zeros(2)}, tmp_path / "other")
    for name in ("absent", "text", "other"):
        with pytest.raises(CheckpointError, match="fit and save them again"):
            Features.load(tmp_path / name)


def test_components_without_labels(parts: tuple[Dataset, Dataset]) -> None:
    """Unlabelled data give the principal components of scikit-learn, up to sign and scale."""
    train, test = (replace(part, labels=None) for part in parts)
    truth = PCA(6, svd_solver="full").fit(train.x.flatten(1).numpy())
    components = fit_features(train, n_features=6)(test.x)
    expected = truth.transform(test.x.flatten(1).numpy()) / np.sqrt(
        truth.explained_variance_.mean()
    )
    assert np.abs(components) == pytest.approx(np.abs(expected), abs=2e-2)


@pytest.mark.parametrize("labels", [None, np.zeros(40, int)])
def test_one_class_is_no_label(labels: np.ndarray | None) -> None:
    """Nothing can be classified, and there are no more components than values."""
    x = torch.rand(40, 2, 9, generator=torch.Generator().manual_seed(0))
    features = fit_features(Dataset(x, labels=labels), n_features=500)
    assert features(x).shape == (40, 18)
    with pytest.raises(ConfigError, match="without labels"):
        features.classify(x)


def test_series_have_features() -> None:
    """A perceptron separates waves by their frequency, whatever their phase."""
    time = torch.linspace(0, 1, 30)
    speed = torch.arange(1, 4).repeat(60)
    phase = torch.rand(180, 1, generator=torch.Generator().manual_seed(0))
    x = torch.sin(2 * math.pi * (speed[:, None] * time + phase))[:, None]
    data = Dataset(x, labels=speed.numpy())
    features = fit_features(data.subset(np.arange(120)), n_features=8, steps=120)
    assert features.accuracy(x[120:], speed[120:].numpy()) > 0.9


def test_wrong_arguments_are_refused(features: Features, parts: tuple[Dataset, Dataset]) -> None:
    """Samples of another shape, no features, and no steps."""
    with pytest.raises(DataError, match="16, 16"):
        features(parts[1].x[:, 0])
    with pytest.raises(ConfigError, match="n_features=0"):
        fit_features(parts[0], n_features=0)
    with pytest.raises(ConfigError, match="steps=0"):
        fit_features(parts[0], steps=0)


def test_scores_separate_digits_from_noise(
    features: Features, parts: tuple[Dataset, Dataset]
) -> None:
    """Real digits score as the floor, and noise scores worse than the ceiling."""
    train, test = parts
    names = ("sample_quality", "class_shares")
    real = score(
        sample_inputs(features, test.x, train.x[-300:], train.x) | ScoreInputs(labels=test.labels),
        names,
    ).scores
    assert real["frechet"] == pytest.approx(real["frechet_floor"], rel=0.3)
    assert real["frechet"] < 0.5 * real["frechet_ceiling"]
    assert real["coverage"] > real["coverage_ceiling"] + 0.2
    assert real["classes_covered"] == 10
    assert real["class_entropy"] == pytest.approx(math.log(10), abs=0.05)
    noise = torch.rand(300, *test.shape, generator=torch.Generator().manual_seed(0))
    worst = score(sample_inputs(features, test.x, noise, train.x), names)
    assert worst.scores["frechet"] > worst.scores["frechet_ceiling"]
    assert worst.missing == {"class_shares": "labels"}


def test_unlabelled_samples_have_no_classes(parts: tuple[Dataset, Dataset]) -> None:
    """Features without classes leave out the input for scores of classes."""
    train, test = parts
    inputs = sample_inputs(fit_features(replace(train, labels=None)), test.x, test.x, train.x)
    assert sorted(inputs.names()) == ["features", "gaussian_features", "sample_features"]


def rotate_and_shift(x: Tensor, generator: torch.Generator) -> Tensor:
    """Images rotated by up to 20 degrees and shifted by up to 10 % of the frame."""
    uniform = torch.rand(len(x), 3, generator=generator) * 2 - 1
    theta = torch.zeros(len(x), 6)
    theta[:, 0], theta[:, 4:] = math.radians(20) * uniform[:, 0], 0.2 * uniform[:, 1:]
    return Affine2d(rotation=180.0, size=(28, 28)).map(theta)(x)


@pytest.mark.slow
def test_classifier_reads_deformed_mnist(real_data: Path) -> None:
    """More than 96 % of rotated and shifted test digits are classified correctly."""
    train, test = (mnist.load(part, real_data / "mnist") for part in ("train", "test"))
    assert test.labels is not None
    features = fit_features(replace(train, draw=rotate_and_shift))
    assert (
        features.accuracy(rotate_and_shift(test.x, torch.Generator().manual_seed(1)), test.labels)
        > 0.96
    )
