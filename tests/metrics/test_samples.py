"""Sample quality: closed forms, published values and expectations, cases by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from unwarp.analysis.scoring import score
from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics import ScoreInputs, samples
from unwarp.metrics.samples import (
    class_shares,
    density_coverage,
    frechet,
    kernel_distance,
    pixel_gaussian,
    precision_recall,
    sample_quality,
)


def pair(n: int = 300) -> tuple[Array, Array]:
    """Real and generated features (n, 6) of different Gaussians."""
    generator = np.random.default_rng(0)
    real = generator.normal(size=(n, 6)) @ generator.normal(size=(6, 6))
    return real, generator.normal(size=(n, 6)) @ (0.8 * generator.normal(size=(6, 6))) + 0.3


def with_moments(mean: Array, root: Array, n: int = 50, seed: int = 0) -> Array:
    """Rows with exactly this mean and covariance (root' root)."""
    noise = np.random.default_rng(seed).normal(size=(n, len(mean)))
    white = np.linalg.qr(noise - noise.mean(0))[0] * np.sqrt(n - 1)
    return mean + white @ root


def test_frechet_of_known_gaussians() -> None:
    """The distance is that of the formula with a matrix root."""
    generator = np.random.default_rng(1)
    means, roots = generator.normal(size=(2, 4)), generator.normal(size=(2, 4, 4))
    first, second = (root.T @ root for root in roots)
    truth = np.square(means[0] - means[1]).sum() + np.trace(
        first + second - 2 * sqrtm(first @ second).real
    )
    real, fake = (
        with_moments(mean, root, seed=i)
        for i, (mean, root) in enumerate(zip(means, roots, strict=True))
    )
    assert frechet(real, fake) == pytest.approx(truth, rel=1e-9)


def test_frechet_in_one_dimension() -> None:
    """In one dimension means and standard deviations differ."""
    real, fake = (
        with_moments(np.array([1.0]), np.array([[2.0]])),
        with_moments(np.array([4.0]), np.array([[0.5]])),
    )
    assert frechet(real, fake) == pytest.approx(3.0**2 + 1.5**2)


def test_frechet_of_equal_sets_is_zero() -> None:
    """A set has no distance from itself, also with singular covariance."""
    real, _ = pair()
    flat = np.concatenate([real, real[:, :2], np.ones((300, 1))], 1)
    few = np.random.default_rng(0).normal(size=(5, 40))
    assert max(frechet(real, real), frechet(flat, flat), frechet(few, few)) < 1e-10


def test_frechet_of_orthogonal_lines() -> None:
    """Along orthogonal lines nothing overlaps: both variances count in full."""
    line = with_moments(np.zeros(1), np.array([[3.0]]))
    across, down = np.hstack([line, 0 * line]), np.hstack([0 * line, line])
    assert frechet(across, down) == pytest.approx(18.0)


def test_frechet_ignores_rigid_motion() -> None:
    """Rotation, shift and the order of arguments change nothing."""
    real, fake = pair()
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    assert frechet(real @ rotation + 5, fake @ rotation + 5) == pytest.approx(
        frechet(real, fake), rel=1e-9
    )
    assert frechet(fake, real) == pytest.approx(frechet(real, fake), rel=1e-9)


def test_values_agree_with_published() -> None:
    """torch-fidelity 0.4.0 (`fid_...`, `kernel_mmd`) and prdc 0.2 on `pair()`."""
    real, fake = pair()
    assert frechet(real, fake) == pytest.approx(18.72356168234353, rel=1e-9)
    assert kernel_distance(real, fake) == pytest.approx(40.100916464033524, rel=1e-9)
    scores = precision_recall(real, fake, k=3) | density_coverage(real, fake, k=5)
    assert scores == pytest.approx(
        {"precision": 0.5666666666666667, "recall": 0.20333333333333334}
        | {"density": 0.5126666666666667, "coverage": 0.4033333333333333}
    )


def test_kernel_distance_is_unbiased() -> None:
    """Equal distributions have a mean distance of 0, and negative values."""
    distances = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        distances.append(
            kernel_distance(generator.normal(size=(40, 3)), generator.normal(size=(40, 3)))
        )
    error = np.std(distances) / np.sqrt(len(distances))
    assert min(distances) < 0
    assert abs(np.mean(distances)) < 3 * error
    assert error < 0.05


def test_kernel_distance_of_subsets() -> None:
    """Subsets follow the seed and agree with the whole."""
    real, fake = pair()
    distance = kernel_distance(real, fake, subsets=200, size=100, seed=1)
    assert distance == kernel_distance(real, fake, subsets=200, size=100, seed=1)
    assert distance != kernel_distance(real, fake, subsets=200, size=100, seed=2)
    assert distance == pytest.approx(kernel_distance(real, fake), rel=0.1)


def test_collapsed_samples() -> None:
    """Equal samples are precise, recall nothing and cover little."""
    real = np.random.default_rng(0).normal(size=(200, 2))
    fake = np.zeros((200, 2))
    assert precision_recall(real, fake) == {"precision": 1.0, "recall": 0.0}
    assert density_coverage(real, fake)["coverage"] < 0.2


def test_distant_samples_score_zero() -> None:
    """Samples far from the data have no precision, recall, density or coverage."""
    real, fake = pair()
    assert set(
        (precision_recall(real, fake + 1e3) | density_coverage(real, fake + 1e3)).values()
    ) == {0.0}


def test_precision_and_recall_swap() -> None:
    """Exchanged sets exchange precision and recall."""
    real, fake = pair()
    forward, backward = precision_recall(real, fake), precision_recall(fake, real)
    assert (forward["precision"], forward["recall"]) == (backward["recall"], backward["precision"])


def test_outlier_lifts_precision() -> None:
    """An outlier lifts precision, and hardly density (Naeem et al. 2020, figure 1, on a line).

    With k = 1 the real samples have the radii 1, 1, 1, 1 and 17. The ball of the outlier at 20,
    from 3 to 37, alone holds 10, 11 and 12; those of 0 and 1 hold 0.5.
    """
    real = np.array([[0.0], [1.0], [2.0], [3.0], [20.0]])
    fake = np.array([[10.0], [11.0], [12.0], [0.5]])
    assert precision_recall(real, fake, k=1)["precision"] == 1.0
    assert density_coverage(real, fake, k=1) == {"density": 5 / 4, "coverage": 3 / 5}


def test_density_coverage_by_hand() -> None:
    """Two neighbours on a line: four balls hold a sample, and four of five hold any.

    With k = 2 the radii are 2, 1, 1, 2 and 18. The ball of 0 holds -1.5; those of 2, 3 and 20 hold
    2.4, at the distances 0.4, 0.6 and 17.6; that of 1 does not, at 1.4.
    """
    real = np.array([[0.0], [1.0], [2.0], [3.0], [20.0]])
    fake = np.array([[-1.5], [2.4], [60.0]])
    assert density_coverage(real, fake, k=2) == {"density": 4 / (2 * 3), "coverage": 4 / 5}


@pytest.mark.parametrize("k", [1, 5])
def test_density_coverage_expectation(k: int) -> None:
    """Naeem et al. 2020, section 3.3: density 1, coverage 1 - (N-1)...(N-k) / (N+M-1)...(N+M-k)."""
    n, m, scores = 60, 90, []
    for seed in range(150):
        generator = np.random.default_rng(seed)
        scores.append(
            density_coverage(generator.normal(size=(n, 3)), generator.normal(size=(m, 3)), k)
        )
    steps = np.arange(1, k + 1)
    expected = {"density": 1.0, "coverage": 1 - float(np.prod((n - steps) / (n + m - steps)))}
    for name, truth in expected.items():
        values = [row[name] for row in scores]
        assert np.mean(values) == pytest.approx(
            truth, abs=4 * np.std(values) / np.sqrt(len(values))
        )


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks give the same numbers."""
    real, fake = pair(400)
    whole = precision_recall(real, fake) | density_coverage(real, fake)
    sizes = []
    distances = samples._distances
    monkeypatch.setattr(samples, "MAX_MEGABYTES", 0.1)
    monkeypatch.setattr(
        samples,
        "_distances",
        lambda a, b: ((sizes.append(len(part)) or (rows, part)) for rows, part in distances(a, b)),
    )
    assert precision_recall(real, fake) | density_coverage(real, fake) == whole
    assert max(sizes) * 400 * 8 <= 0.1 * 2**20


def test_floor_and_ceiling_of_good_model() -> None:
    """A Gaussian has the moments that the Frechet distance reads; other measures tell."""
    generator = np.random.default_rng(1)
    classes = 4 * np.eye(3)
    real, fake = (
        classes[np.arange(600) % 3] + 0.3 * generator.normal(size=(600, 3)) for _ in range(2)
    )
    scores = sample_quality(real, fake, pixel_gaussian(real, 600))
    assert scores["coverage_floor"] > 0.9 > 0.5 > scores["coverage_ceiling"]
    assert scores["density_floor"] > 0.9 > 0.5 > scores["density_ceiling"]
    for name in ("precision", "recall", "density", "coverage"):
        assert scores[name] == pytest.approx(scores[f"{name}_floor"], abs=0.1)
    assert scores["kernel_distance_ceiling"] > 5 * max(
        scores["kernel_distance_floor"], scores["kernel_distance"]
    )
    assert scores["frechet_ceiling"] < 0.05 * real.var(0).sum()


def test_sets_are_compared_in_equal_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One half is the reference of all sets: few samples have a larger distance."""
    pairs: list[tuple[Array, Array]] = []
    monkeypatch.setattr(
        samples,
        "compare_features",
        lambda real, fake, seed: {"n": float(pairs.append((real, fake)) or 0)},
    )
    features, fake = np.arange(21.0)[:, None], np.arange(100.0)[:, None]
    sample_quality(features, fake, fake[:8])
    assert {(len(real), len(part)) for real, part in pairs} == {(8, 8)}
    assert all((real == pairs[0][0]).all() for real, _ in pairs)
    reference, floor = set(pairs[0][0].ravel()), set(pairs[1][1].ravel())
    assert not reference & floor
    assert reference | floor <= set(features.ravel())


def test_perfect_model_is_at_floor() -> None:
    """Samples from the real distribution have the numbers of the floor."""
    generator = np.random.default_rng(0)
    real, fake, gaussian = generator.normal(size=(3, 600, 4))
    scores = sample_quality(real, fake, gaussian)
    assert scores["coverage"] == pytest.approx(scores["coverage_floor"], abs=0.04)
    assert scores["density"] == pytest.approx(scores["density_floor"], abs=0.1)


def test_pixel_gaussian_moments() -> None:
    """Draws have the mean and covariance of the pictures."""
    generator = np.random.default_rng(0)
    x = (0.5 + 0.05 * generator.normal(size=(500, 6)) @ generator.normal(size=(6, 6))).reshape(
        500, 1, 2, 3
    )
    draws = pixel_gaussian(x, 40_000).reshape(-1, 6)
    assert draws.mean(0) == pytest.approx(x.reshape(500, 6).mean(0), abs=0.01)
    covariance = np.cov(x.reshape(500, 6).T)
    assert np.cov(draws.T) == pytest.approx(covariance, abs=0.03 * covariance.max())


def test_pixel_gaussian_range_and_span() -> None:
    """Draws keep shape, dtype, range, and the span of few pictures."""
    x = np.random.default_rng(0).uniform(size=(4, 1, 5, 5)).astype(np.float32)
    draws = pixel_gaussian(x, 200)
    assert draws.shape == (200, 1, 5, 5)
    assert draws.dtype == x.dtype
    assert x.min() <= draws.min() and draws.max() <= x.max()
    inside = pixel_gaussian(
        x * 1e-3 + np.array([0.0, 1.0, 0.5, 0.5])[:, None, None, None], 50, seed=1
    )
    assert (
        np.linalg.matrix_rank(inside.reshape(50, -1) - inside.reshape(50, -1).mean(0), tol=1e-2)
        <= 3
    )


def test_class_shares_by_hand() -> None:
    """Numbers of covered classes, entropy and divergence."""
    labels = np.repeat([0, 1, 2, 7], 25)
    even = class_shares(labels, labels)
    assert even == pytest.approx(
        {"classes_covered": 4, "class_entropy": np.log(4), "class_divergence": 0.0}
    )
    scores = class_shares(np.repeat([0, 7], 10), labels)
    assert scores == pytest.approx(
        {"classes_covered": 2, "class_entropy": np.log(2), "class_divergence": np.log(2)}
    )


def test_single_hit_covers_no_class() -> None:
    """A class needs a tenth of its share to be covered."""
    labels = np.repeat([0, 1], 50)
    assert class_shares(np.array([0] * 99 + [1]), labels)["classes_covered"] == 1
    assert class_shares(np.array([0] * 90 + [1] * 10), labels)["classes_covered"] == 2


@pytest.mark.parametrize("measure", [frechet, kernel_distance, precision_recall, density_coverage])
def test_invalid_tables_are_refused(measure: object) -> None:
    """The error says how two tables do not fit."""
    real, fake = pair()
    broken = fake.copy()
    broken[3, 2] = np.nan
    for invalid, words in [
        (fake[:, :5], "6 columns"),
        (fake[:1], "more samples"),
        (broken, "NaN"),
        (fake[0], "table"),
    ]:
        with pytest.raises(DataError, match=words):
            measure(real, invalid)  # type: ignore[operator]


def test_invalid_settings_are_refused() -> None:
    """The error names the setting, or the classes."""
    real, fake = pair()
    with pytest.raises(ConfigError, match="at least 1"):
        precision_recall(real, fake, k=0)
    with pytest.raises(DataError, match="6 rows or more"):
        density_coverage(real[:5], fake)
    with pytest.raises(DataError, match="among the classes"):
        class_shares(np.array([3]), np.array([0, 1]))


def test_missing_samples_are_listed() -> None:
    """Without samples the scores are listed with their missing inputs."""
    report = score(ScoreInputs(labels=np.array([0, 1])), only=("sample_quality", "class_shares"))
    assert report.missing == {
        "sample_quality": "features, sample_features, gaussian_features",
        "class_shares": "sample_labels",
    }
