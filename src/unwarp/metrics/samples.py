"""Quality of generated samples by features: distances, fidelity and diversity.

Features are numbers per sample, such as the hidden layer of a classifier; any will do, and nothing
is downloaded. The measures depend on the features and on the number of samples, so that a single
number has no absolute meaning. `sample_quality` therefore gives two references with the same number
of samples: the floor (real samples instead of generated ones) and the ceiling (samples of a
Gaussian that is fitted to pixels).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from unwarp.core import Array, Labels
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.registry import score_function

MAX_MEGABYTES = 64
"""Memory in MiB for a block of pairwise distances."""


def frechet(features: Array, sample_features: Array) -> float:
    """Frechet distance of two Gaussians with the moments of features.

    `|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`, as in the FID (Heusel et al. 2017, GANs trained
    by a two time-scale update rule). With S = R'R for a triangular matrix R, the trace of
    (S1 S2)^(1/2) is the sum of the singular values of R1 R2'. Covariances may therefore be
    singular, and there may be fewer samples than features. Few samples make the distance too large:
    compare it only at equal numbers of samples.

    Args:
        features: Features of real samples (N, F).
        sample_features: Features of generated samples (M, F).

    Returns:
        0 or more, in squared units of the features; 0 if means and covariances agree.

    Raises:
        DataError: A set has fewer than two rows or values that are not finite, or the numbers of
            columns differ.
    """
    real, fake = _checked_pair(features, sample_features)
    (mean, root), (sample_mean, sample_root) = _moments(real), _moments(fake)
    overlap = np.linalg.svd(root @ sample_root.T, compute_uv=False).sum()
    spread = np.square(root).sum() + np.square(sample_root).sum() - 2 * overlap
    # rounding can bring the distance of equal sets below 0
    return max(0.0, float(np.square(mean - sample_mean).sum() + spread))


def kernel_distance(
    features: Array, sample_features: Array, subsets: int = 100, size: int = 1000, seed: int = 0
) -> float:
    """Squared maximum mean discrepancy (MMD) under a cubic kernel.

    The kernel is `(x'y / F + 1)^3`, as in the KID (Binkowski et al. 2018, Demystifying MMD GANs).
    The estimate is unbiased, so that sets of different sizes can be compared.

    Args:
        features: Features of real samples (N, F).
        sample_features: Features of generated samples (M, F).
        subsets: Number of random pairs of subsets; the result is their mean.
        size: Largest number of rows of a subset. If N = M <= `size`, the whole sets are compared
            once.
        seed: Seed of the subsets.

    Returns:
        About 0 if the distributions agree (it may then be negative), else larger.

    Raises:
        DataError: As for `frechet`.
    """
    real, fake = _checked_pair(features, sample_features)
    generator = np.random.default_rng(seed)
    size = min(size, len(real), len(fake))
    if size == len(real) == len(fake):  # every subset would be the whole set
        return _discrepancy(real, fake)
    draws = (
        (generator.choice(len(part), size, replace=False) for part in (real, fake))
        for _ in range(subsets)
    )
    return float(np.mean([_discrepancy(real[a], fake[b]) for a, b in draws]))


def precision_recall(features: Array, sample_features: Array, k: int = 3) -> dict[str, float]:
    """Precision and recall of generated samples by nearest neighbours.

    Each sample has a ball with the distance to the k-th nearest other sample of its set as radius.
    Precision is the share of generated samples in the ball of a real sample. Recall is the share of
    real samples in the ball of a generated sample (Kynkaanniemi et al. 2019, Improved precision and
    recall metric). An outlier has a large ball, which makes both too large; `density_coverage` is
    more robust.

    Args:
        features: Features of real samples (N, F).
        sample_features: Features of generated samples (M, F).
        k: Number of the neighbour that defines the radius, 1 or more.

    Returns:
        `precision` and `recall`, each 0 to 1.

    Raises:
        ConfigError: `k` is below 1.
        DataError: As for `frechet`, or a set has no more than `k` rows.
    """
    real, fake = _checked_pair(features, sample_features, k)
    radii, sample_radii = _neighbour_radii(real, k), _neighbour_radii(fake, k)
    is_covered, is_recalled = np.zeros(len(fake), bool), []
    for rows, distances in _distances(real, fake):
        is_covered |= (distances <= radii[rows, None]).any(0)
        is_recalled.append((distances <= sample_radii).any(1))
    return {
        "precision": float(is_covered.mean()),
        "recall": float(np.concatenate(is_recalled).mean()),
    }


def density_coverage(features: Array, sample_features: Array, k: int = 5) -> dict[str, float]:
    """Density and coverage of generated samples by nearest neighbours.

    Each real sample has a ball with the distance to its k-th nearest other real sample as radius.
    Density is the number of balls that contain a generated sample, divided by k, mean over
    generated samples. Coverage is the share of balls that contain a generated sample (Naeem et al.
    2020, Reliable fidelity and diversity metrics for generative models).

    Args:
        features: Features of real samples (N, F).
        sample_features: Features of generated samples (M, F).
        k: Number of the neighbour that defines the radius, 1 or more.

    Returns:
        `density` (0 or more; about 1 if both sets have the same distribution) and `coverage` (0 to
        1; about 1 - 1 / 2^k if also N = M).

    Raises:
        ConfigError: `k` is below 1.
        DataError: As for `precision_recall`.
    """
    real, fake = _checked_pair(features, sample_features, k)
    radii = _neighbour_radii(real, k)
    n_hits, n_covered = 0, 0
    for rows, distances in _distances(real, fake):
        is_inside = distances <= radii[rows, None]
        n_hits += int(is_inside.sum())
        n_covered += int(is_inside.any(1).sum())
    return {"density": n_hits / (k * len(fake)), "coverage": n_covered / len(real)}


def compare_features(features: Array, sample_features: Array, seed: int = 0) -> dict[str, float]:
    """All measures that compare generated with real features, by name.

    Args:
        features: Features of real samples (N, F).
        sample_features: Features of generated samples (M, F).
        seed: Seed of the subsets of `kernel_distance`.

    Returns:
        `frechet`, `kernel_distance`, `precision`, `recall`, `density`, `coverage`.

    Raises:
        DataError: As for `density_coverage`.
    """
    return {
        "frechet": frechet(features, sample_features),
        "kernel_distance": kernel_distance(features, sample_features, seed=seed),
        **precision_recall(features, sample_features),
        **density_coverage(features, sample_features),
    }


@score_function
def sample_quality(
    features: Array, sample_features: Array, gaussian_features: Array, seed: int = 0
) -> dict[str, float]:
    """All measures of generated samples, each with its floor and its ceiling.

    One random half of the real samples is the reference. Three sets of the same size are compared
    with it: the generated samples; the other half of the real samples (floor, the numbers of a
    perfect model); and draws of `pixel_gaussian` (ceiling, the numbers of a model that knows only
    mean and covariance).

    Args:
        features: Features of held-out real samples (N, F), each original only once. Copies of an
            original in both halves would make the floor too good.
        sample_features: Features of generated samples (M, F).
        gaussian_features: Features of draws of `pixel_gaussian` (L, F).
        seed: Seed of the halves and of the subsets of `kernel_distance`.

    Returns:
        The numbers of `compare_features`; the names of floor and ceiling end in `_floor` and
        `_ceiling`.

    Raises:
        DataError: As for `density_coverage`.
    """
    order = np.random.default_rng(seed).permutation(len(features))
    # equal numbers of samples, because the Frechet distance and the radii depend on them
    n = min(len(features) // 2, len(sample_features), len(gaussian_features))
    reference, real = features[order[:n]], features[order[n : 2 * n]]
    sets = {"": sample_features[:n], "_floor": real, "_ceiling": gaussian_features[:n]}
    scores = {suffix: compare_features(reference, part, seed) for suffix, part in sets.items()}
    return {f"{name}{suffix}": scores[suffix][name] for name in scores[""] for suffix in sets}


def pixel_gaussian(train_x: Array, n: int, seed: int = 0) -> Array:
    """Draws of the Gaussian with the mean and covariance of training samples.

    A draw is the mean plus a random linear combination of the rows of a root R of the covariance
    R'R. This works for singular covariances too. Draws are then clipped to the range of `train_x`.

    Args:
        train_x: Training samples (N, ...), N >= 2.
        n: Number of draws.
        seed: Seed of the draws.

    Returns:
        Draws (n, ...), of the dtype of `train_x`.

    Raises:
        DataError: Fewer than two samples, or values that are not finite.
    """
    flat = _checked_table(train_x.reshape(len(train_x), -1), "train_x", 2)
    mean, root = _moments(flat)
    normal = np.random.default_rng(seed).normal(size=(n, len(root)))
    draws = (mean + normal @ root).clip(flat.min(), flat.max())
    return draws.reshape(n, *train_x.shape[1:]).astype(train_x.dtype)


@score_function
def class_shares(sample_labels: Labels, labels: Labels, min_ratio: float = 0.1) -> dict[str, float]:
    """Class frequencies of generated samples, compared with those of the data.

    They show mode collapse: classes that a model does not generate.

    Args:
        sample_labels: Classes that a classifier predicts for generated samples (M,).
        labels: Classes of real samples (N,).
        min_ratio: A class is covered if its share among generated samples is at least this multiple
            of its share in the data. A few samples are not enough, since the classifier errs.

    Returns:
        `classes_covered` (number of covered classes); `class_entropy` (entropy of the generated
        samples' classes in nats; log of the number of classes if all are equally frequent); and
        `class_divergence` (KL divergence of the generated samples' class frequencies from those of
        the data, in nats; 0 at best).

    Raises:
        DataError: A set is empty, or a generated sample has a class that no real sample has.
    """
    names = np.unique(labels)
    if not len(names) or not len(sample_labels) or not np.isin(sample_labels, names).all():
        raise DataError(
            f"sample_labels must be among the classes of labels, {names.tolist()}, and neither may "
            "be empty; predict them with a classifier of these classes"
        )
    real = np.array([np.mean(labels == name) for name in names])
    fake = np.array([np.mean(sample_labels == name) for name in names])
    is_present = fake > 0
    return {
        "classes_covered": float((fake >= min_ratio * real).sum()),
        "class_entropy": float(-(fake[is_present] * np.log(fake[is_present])).sum()),
        "class_divergence": float(
            (fake[is_present] * np.log(fake[is_present] / real[is_present])).sum()
        ),
    }


def _checked_pair(features: Array, sample_features: Array, k: int = 1) -> tuple[Array, Array]:
    """Both tables in double precision, checked.

    They must have more than `k` rows and equal numbers of columns.
    """
    if k < 1:
        raise ConfigError(f"k={k} must be at least 1; choose a number of neighbours")
    real = _checked_table(features, "features", k + 1)
    fake = _checked_table(sample_features, "sample_features", k + 1)
    if real.shape[1] != fake.shape[1]:
        raise DataError(
            f"features have {real.shape[1]} columns and sample_features {fake.shape[1]}; compute "
            "both with the same feature extractor"
        )
    return real, fake


def _checked_table(values: Array, name: str, min_rows: int) -> Array:
    """A table in double precision, checked: finite, with `min_rows` rows or more."""
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or len(table) < min_rows or not table.shape[1]:
        raise DataError(
            f"{name} must be a table of {min_rows} rows or more, got shape {table.shape}; give "
            "more samples"
        )
    if not np.isfinite(table).all():
        raise DataError(f"{name} holds NaN or infinite values; check the samples behind them")
    return table


def _moments(table: Array) -> tuple[Array, Array]:
    """The mean (F,) and a triangular root R (min(N, F), F) of the covariance R'R."""
    mean = table.mean(0)
    return mean, np.asarray(np.linalg.qr((table - mean) / np.sqrt(len(table) - 1), mode="r"))


def _discrepancy(real: Array, fake: Array) -> float:
    """Unbiased squared MMD of two tables; pairs of a row with itself are left out."""
    kernels = (_cubic_kernel(part, part) for part in (real, fake))
    within = sum((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in kernels)
    return float(within - 2 * _cubic_kernel(real, fake).mean())


def _cubic_kernel(a: Array, b: Array) -> Array:
    """The kernel `(x'y / F + 1)^3` of each row of `a` with each row of `b`."""
    linear = a @ b.T / a.shape[1] + 1
    return np.asarray(linear * linear * linear)


def _neighbour_radii(table: Array, k: int) -> Array:
    """Distance of each row (N, F) from its k-th nearest other row (N,)."""
    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(table)
    return np.asarray(neighbours.kneighbors()[0][:, -1])


def _distances(real: Array, fake: Array) -> Iterator[tuple[slice, Array]]:
    """Blocks of real rows and their distances from all generated rows, in bounded memory."""
    start = 0
    for part in pairwise_distances_chunked(real, fake, working_memory=MAX_MEGABYTES):
        yield slice(start, start + len(part)), part
        start += len(part)
