"""Sample quality: closed forms, published expectations, other implementations, and cases worked by hand."""

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
    random = np.random.default_rng(0)
    real = random.normal(size=(n, 6)) @ random.normal(size=(6, 6))
    return real, random.normal(size=(n, 6)) @ (0.8 * random.normal(size=(6, 6))) + 0.3


def with_moments(mean: Array, root: Array, n: int = 50, seed: int = 0) -> Array:
    """Rows whose sample mean and covariance (root' root) are exactly these."""
    noise = np.random.default_rng(seed).normal(size=(n, len(mean)))
    white = np.linalg.qr(noise - noise.mean(0))[0] * np.sqrt(n - 1)
    return mean + white @ root


def test_frechet_is_the_distance_of_two_known_gaussians() -> None:
    random = np.random.default_rng(1)
    means, roots = random.normal(size=(2, 4)), random.normal(size=(2, 4, 4))
    first, second = (root.T @ root for root in roots)
    truth = np.square(means[0] - means[1]).sum() + np.trace(
        first + second - 2 * sqrtm(first @ second).real
    )
    real, fake = (
        with_moments(mean, root, seed=i)
        for i, (mean, root) in enumerate(zip(means, roots, strict=True))
    )
    assert frechet(real, fake) == pytest.approx(truth, rel=1e-9)


def test_frechet_between_gaussians_of_one_dimension_is_the_difference_of_means_and_sds() -> None:
    real, fake = (
        with_moments(np.array([1.0]), np.array([[2.0]])),
        with_moments(np.array([4.0]), np.array([[0.5]])),
    )
    assert frechet(real, fake) == pytest.approx(3.0**2 + 1.5**2)


def test_frechet_is_zero_on_itself_also_where_covariances_are_singular() -> None:
    real, _ = pair()
    flat = np.concatenate([real, real[:, :2], np.ones((300, 1))], 1)
    few = np.random.default_rng(0).normal(size=(5, 40))
    assert max(frechet(real, real), frechet(flat, flat), frechet(few, few)) < 1e-10


def test_frechet_of_degenerate_gaussians_needs_no_root_of_a_matrix() -> None:
    """Along orthogonal lines: nothing overlaps, both variances count in full."""
    line = with_moments(np.zeros(1), np.array([[3.0]]))
    across, down = np.hstack([line, 0 * line]), np.hstack([0 * line, line])
    assert frechet(across, down) == pytest.approx(18.0)


def test_frechet_ignores_rotation_and_shift_of_the_space_and_the_order_of_arguments() -> None:
    real, fake = pair()
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    assert frechet(real @ turn + 5, fake @ turn + 5) == pytest.approx(frechet(real, fake), rel=1e-9)
    assert frechet(fake, real) == pytest.approx(frechet(real, fake), rel=1e-9)


def test_values_are_those_of_published_implementations() -> None:
    """torch-fidelity 0.4.0 (`fid_statistics_to_metric`, `kernel_mmd`) and prdc 0.2 (`compute_prdc`) on `pair()`."""
    real, fake = pair()
    assert frechet(real, fake) == pytest.approx(18.72356168234353, rel=1e-9)
    assert kernel_distance(real, fake) == pytest.approx(40.100916464033524, rel=1e-9)
    found = precision_recall(real, fake, k=3) | density_coverage(real, fake, k=5)
    assert found == pytest.approx(
        {"precision": 0.5666666666666667, "recall": 0.20333333333333334}
        | {"density": 0.5126666666666667, "coverage": 0.4033333333333333}
    )


def test_kernel_distance_is_unbiased_about_zero_and_can_be_negative() -> None:
    found = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        found.append(kernel_distance(random.normal(size=(40, 3)), random.normal(size=(40, 3))))
    error = np.std(found) / np.sqrt(len(found))
    assert min(found) < 0
    assert abs(np.mean(found)) < 3 * error
    assert error < 0.05


def test_kernel_distance_of_subsets_is_seeded_and_agrees_with_the_whole() -> None:
    real, fake = pair()
    found = kernel_distance(real, fake, subsets=200, size=100, seed=1)
    assert found == kernel_distance(real, fake, subsets=200, size=100, seed=1)
    assert found != kernel_distance(real, fake, subsets=200, size=100, seed=2)
    assert found == pytest.approx(kernel_distance(real, fake), rel=0.1)


def test_collapsed_samples_are_precise_and_recall_nothing() -> None:
    real = np.random.default_rng(0).normal(size=(200, 2))
    fake = np.zeros((200, 2))
    assert precision_recall(real, fake) == {"precision": 1.0, "recall": 0.0}
    assert density_coverage(real, fake)["coverage"] < 0.2


def test_samples_far_away_have_none_of_the_four() -> None:
    real, fake = pair()
    assert set(
        (precision_recall(real, fake + 1e3) | density_coverage(real, fake + 1e3)).values()
    ) == {0.0}


def test_precision_and_recall_swap_with_their_arguments() -> None:
    real, fake = pair()
    there, back = precision_recall(real, fake), precision_recall(fake, real)
    assert (there["precision"], there["recall"]) == (back["recall"], back["precision"])


def test_an_outlier_lifts_precision_and_hardly_density() -> None:
    """Naeem et al. 2020, figure 1, on a line: real at 0, 1, 2, 3 and 20; samples at 10, 11, 12 and 0.5; k = 1.

    Reach of the real ones: 1, 1, 1, 1 and 17 (from 3 to 37). The outlier alone reaches 10, 11 and 12; 0 and 1 reach 0.5.
    """
    real = np.array([[0.0], [1.0], [2.0], [3.0], [20.0]])
    fake = np.array([[10.0], [11.0], [12.0], [0.5]])
    assert precision_recall(real, fake, k=1)["precision"] == 1.0
    assert density_coverage(real, fake, k=1) == {"density": 5 / 4, "coverage": 3 / 5}


def test_two_neighbours_on_a_line_by_hand() -> None:
    """Reach for k = 2: 2, 1, 1, 2 and 18; -1.5 is reached by 0, 2.4 by 1? no (1.4), by 2, 3 and 20 (17.6)."""
    real = np.array([[0.0], [1.0], [2.0], [3.0], [20.0]])
    fake = np.array([[-1.5], [2.4], [60.0]])
    assert density_coverage(real, fake, k=2) == {"density": 4 / (2 * 3), "coverage": 4 / 5}


@pytest.mark.parametrize("k", [1, 5])
def test_samples_from_the_real_distribution_have_the_published_expectations(k: int) -> None:
    """Naeem et al. 2020, section 3.3: density 1, coverage 1 - (N-1)...(N-k) / (N+M-1)...(N+M-k)."""
    n, m, found = 60, 90, []
    for seed in range(150):
        random = np.random.default_rng(seed)
        found.append(density_coverage(random.normal(size=(n, 3)), random.normal(size=(m, 3)), k))
    steps = np.arange(1, k + 1)
    expected = {"density": 1.0, "coverage": 1 - float(np.prod((n - steps) / (n + m - steps)))}
    for name, truth in expected.items():
        values = [row[name] for row in found]
        assert np.mean(values) == pytest.approx(
            truth, abs=4 * np.std(values) / np.sqrt(len(values))
        )


def test_memory_is_bounded_without_changing_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = pair(400)
    whole = precision_recall(real, fake) | density_coverage(real, fake)
    sizes = []
    cut = samples._distances
    monkeypatch.setattr(samples, "MAX_MEGABYTES", 0.1)
    monkeypatch.setattr(
        samples,
        "_distances",
        lambda a, b: ((sizes.append(len(part)) or (rows, part)) for rows, part in cut(a, b)),
    )
    assert precision_recall(real, fake) | density_coverage(real, fake) == whole
    assert max(sizes) * 400 * 8 <= 0.1 * 2**20


def test_floor_and_ceiling_enclose_a_good_model_and_frechet_does_not_see_the_ceiling() -> None:
    """On raw coordinates a Gaussian has the two moments that the Frechet distance looks at; the others see three blobs."""
    random = np.random.default_rng(1)
    classes = 4 * np.eye(3)
    real, fake = (
        classes[np.arange(600) % 3] + 0.3 * random.normal(size=(600, 3)) for _ in range(2)
    )
    found = sample_quality(real, fake, pixel_gaussian(real, 600))
    assert found["coverage_floor"] > 0.9 > 0.5 > found["coverage_ceiling"]
    assert found["density_floor"] > 0.9 > 0.5 > found["density_ceiling"]
    for name in ("precision", "recall", "density", "coverage"):
        assert found[name] == pytest.approx(found[f"{name}_floor"], abs=0.1)
    assert found["kernel_distance_ceiling"] > 5 * max(
        found["kernel_distance_floor"], found["kernel_distance"]
    )
    assert found["frechet_ceiling"] < 0.05 * real.var(0).sum()


def test_all_three_stand_against_the_same_half_in_equal_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or the few of a half would look worse than the many samples: the Frechet distance is biased by their number."""
    seen: list[tuple[Array, Array]] = []
    monkeypatch.setattr(
        samples, "compare_features", lambda real, fake, seed: {"n": float(seen.append((real, fake)) or 0)}
    )
    features, fake = np.arange(21.0)[:, None], np.arange(100.0)[:, None]
    sample_quality(features, fake, fake[:8])
    assert {(len(real), len(other)) for real, other in seen} == {(8, 8)}
    assert all((real == seen[0][0]).all() for real, _ in seen)
    reference, others = set(seen[0][0].ravel()), set(seen[1][1].ravel())
    assert not reference & others
    assert reference | others <= set(features.ravel())


def test_a_perfect_model_is_at_the_floor() -> None:
    random = np.random.default_rng(0)
    real, fake, gaussian = random.normal(size=(3, 600, 4))
    found = sample_quality(real, fake, gaussian)
    assert found["coverage"] == pytest.approx(found["coverage_floor"], abs=0.04)
    assert found["density"] == pytest.approx(found["density_floor"], abs=0.1)


def test_the_pixel_gaussian_has_the_moments_of_the_pictures() -> None:
    random = np.random.default_rng(0)
    x = (0.5 + 0.05 * random.normal(size=(500, 6)) @ random.normal(size=(6, 6))).reshape(
        500, 1, 2, 3
    )
    draws = pixel_gaussian(x, 40_000).reshape(-1, 6)
    assert draws.mean(0) == pytest.approx(x.reshape(500, 6).mean(0), abs=0.01)
    covariance = np.cov(x.reshape(500, 6).T)
    assert np.cov(draws.T) == pytest.approx(covariance, abs=0.03 * covariance.max())


def test_the_pixel_gaussian_stays_in_the_range_and_the_span_of_few_pictures() -> None:
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
    labels = np.repeat([0, 1, 2, 7], 25)
    even = class_shares(labels, labels)
    assert even == pytest.approx(
        {"classes_covered": 4, "class_entropy": np.log(4), "class_divergence": 0.0}
    )
    found = class_shares(np.repeat([0, 7], 10), labels)
    assert found == pytest.approx(
        {"classes_covered": 2, "class_entropy": np.log(2), "class_divergence": np.log(2)}
    )


def test_a_stray_hit_does_not_cover_a_class() -> None:
    labels = np.repeat([0, 1], 50)
    assert class_shares(np.array([0] * 99 + [1]), labels)["classes_covered"] == 1
    assert class_shares(np.array([0] * 90 + [1] * 10), labels)["classes_covered"] == 2


@pytest.mark.parametrize("measure", [frechet, kernel_distance, precision_recall, density_coverage])
def test_tables_that_cannot_be_compared_are_refused(measure: object) -> None:
    real, fake = pair()
    broken = fake.copy()
    broken[3, 2] = np.nan
    for bad, words in [
        (fake[:, :5], "6 columns"),
        (fake[:1], "more samples"),
        (broken, "NaN"),
        (fake[0], "table"),
    ]:
        with pytest.raises(DataError, match=words):
            measure(real, bad)  # type: ignore[operator]


def test_settings_and_classes_that_make_no_sense_are_refused() -> None:
    real, fake = pair()
    with pytest.raises(ConfigError, match="at least 1"):
        precision_recall(real, fake, k=0)
    with pytest.raises(DataError, match="6 rows or more"):
        density_coverage(real[:5], fake)
    with pytest.raises(DataError, match="among the classes"):
        class_shares(np.array([3]), np.array([0, 1]))


def test_scores_without_samples_are_listed_with_what_they_miss() -> None:
    report = score(ScoreInputs(labels=np.array([0, 1])), only=("sample_quality", "class_shares"))
    assert report.missing == {
        "sample_quality": "features, sample_features, gaussian_features",
        "class_shares": "sample_labels",
    }
