"""How good generated samples are: distances, fidelity and diversity in the space of any features, with no downloads.

No such number means anything alone: it depends on the features and on how many samples it was taken from. So
`sample_quality` puts two others beside each, from as many samples: the floor (real samples in the place of generated
ones) and the ceiling (a Gaussian fitted to pixels).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from unwarp.core import Array, Labels
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.registry import score_function

MEGABYTES = 64


def frechet(features: Array, sample_features: Array) -> float:
    """Frechet distance of two Gaussians with the moments of features (N, F) and (M, F).

    `|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))` (Heusel et al. 2017, "GANs trained by a two time-scale update rule").
    With S = R'R from a triangular factor of the centred features, the last trace is the sum of the singular values of
    R1 R2': no root of a matrix is taken, so singular covariances and fewer samples than features do no harm. It is
    biased upwards where samples are few: compare at equal numbers.

    Raises:
        DataError: The two do not fit together, hold fewer than two rows, or are not finite.
    """
    real, fake = _pair(features, sample_features)
    (mean, root), (sample_mean, sample_root) = _moments(real), _moments(fake)
    overlap = np.linalg.svd(root @ sample_root.T, compute_uv=False).sum()
    spread = np.square(root).sum() + np.square(sample_root).sum() - 2 * overlap
    return max(0.0, float(np.square(mean - sample_mean).sum() + spread))


def kernel_distance(
    features: Array, sample_features: Array, subsets: int = 100, size: int = 1000, seed: int = 0
) -> float:
    """Squared maximum mean discrepancy under the kernel (x'y / F + 1)^3, unbiased, so it may be negative.

    The mean over `subsets` random pairs of `size` rows (Binkowski et al. 2018, "Demystifying MMD GANs"); fewer rows than
    that are all taken.

    Raises:
        DataError: As for `frechet`.
    """
    real, fake = _pair(features, sample_features)
    random = np.random.default_rng(seed)
    size = min(size, len(real), len(fake))
    if size == len(real) == len(fake):
        return _discrepancy(real, fake)
    draws = (
        (random.choice(len(part), size, replace=False) for part in (real, fake))
        for _ in range(subsets)
    )
    return float(np.mean([_discrepancy(real[a], fake[b]) for a, b in draws]))


def precision_recall(features: Array, sample_features: Array, k: int = 3) -> dict[str, float]:
    """`precision`: share of samples within reach of real ones; `recall`: share of real ones within reach of samples.

    A point reaches as far as its `k`-th nearest neighbour of its own kind (Kynkaanniemi et al. 2019, "Improved precision
    and recall metric"). One outlier reaches far, which is what `density_coverage` mends.

    Raises:
        DataError: As for `frechet`, or no more rows than `k`.
    """
    real, fake = _pair(features, sample_features, k)
    reach, sample_reach = _reach(real, k), _reach(fake, k)
    reached, recalled = np.zeros(len(fake), bool), []
    for rows, distances in _distances(real, fake):
        reached |= (distances <= reach[rows, None]).any(0)
        recalled.append((distances <= sample_reach).any(1))
    return {"precision": float(reached.mean()), "recall": float(np.concatenate(recalled).mean())}


def density_coverage(features: Array, sample_features: Array, k: int = 5) -> dict[str, float]:
    """`density`: by how many real ones a sample is reached, over `k`; `coverage`: share of real ones that reach a sample.

    A real point reaches as far as its `k`-th real neighbour (Naeem et al. 2020, "Reliable fidelity and diversity metrics
    for generative models"). For samples from the real distribution density is 1 on average (it can exceed 1) and
    coverage 1 - 1 / 2^k.

    Raises:
        DataError: As for `precision_recall`.
    """
    real, fake = _pair(features, sample_features, k)
    reach = _reach(real, k)
    hits, covered = 0, 0
    for rows, distances in _distances(real, fake):
        inside = distances <= reach[rows, None]
        hits += int(inside.sum())
        covered += int(inside.any(1).sum())
    return {"density": hits / (k * len(fake)), "coverage": covered / len(real)}


def beside(features: Array, sample_features: Array, seed: int = 0) -> dict[str, float]:
    """Every measure above of generated against real features, by name."""
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
    """Every measure of the samples, and beside it `..._floor` and `..._ceiling`.

    Half of the real ones, drawn at random, is the reference for all three, and as many of each kind stand against it:
    the other half (floor: what a perfect model would get), the samples, and draws of `pixel_gaussian` (ceiling: what is
    reached without learning anything but means and covariances).

    Args:
        features: Features of held-out real samples (N, F), each thing once: a copy in the other half would count as
            perfectly generated.
        sample_features: Features of generated samples (M, F).
        gaussian_features: Features of draws of `pixel_gaussian` (L, F).
        seed: Of the halves and of the subsets.

    Raises:
        DataError: As for `precision_recall`.
    """
    order = np.random.default_rng(seed).permutation(len(features))
    n = min(len(features) // 2, len(sample_features), len(gaussian_features))
    reference, others = features[order[:n]], features[order[n : 2 * n]]
    kinds = {"": sample_features[:n], "_floor": others, "_ceiling": gaussian_features[:n]}
    found = {end: beside(reference, kind, seed) for end, kind in kinds.items()}
    return {f"{name}{end}": found[end][name] for name in found[""] for end in kinds}


def pixel_gaussian(train_x: Array, n: int, seed: int = 0) -> Array:
    """`n` draws (n, ...) of the Gaussian with the mean and covariance of training samples (N, ...).

    Draws are clipped to the range of `train_x`. A draw is a random mixture of the centred training samples, which has
    their covariance exactly, whatever its rank.
    """
    flat = _table(train_x.reshape(len(train_x), -1), "train_x", 2)
    mean, root = _moments(flat)
    normal = np.random.default_rng(seed).normal(size=(n, len(root)))
    draws = (mean + normal @ root).clip(flat.min(), flat.max())
    return draws.reshape(n, *train_x.shape[1:]).astype(train_x.dtype)


@score_function
def class_shares(sample_labels: Labels, labels: Labels, least: float = 0.1) -> dict[str, float]:
    """Mode coverage: which classes a classifier finds among the samples, against those of the data.

    Args:
        sample_labels: Classes found for generated samples (M,).
        labels: Classes of real samples (N,).
        least: A class counts as covered from this share of its share in the data: a classifier errs, so one hit is none.

    Returns:
        `classes_covered` (a number of classes), `class_entropy` (nats; log of the number of classes where all are equally
        frequent) and `class_divergence` (KL of the samples' classes from the data's, nats).

    Raises:
        DataError: A set is empty, or a sample has a class that no real one has.
    """
    names = np.unique(labels)
    if not len(names) or not len(sample_labels) or not np.isin(sample_labels, names).all():
        raise DataError(
            f"sample_labels must be among the classes of labels, {names.tolist()}, and neither may be empty"
        )
    real = np.array([np.mean(labels == name) for name in names])
    fake = np.array([np.mean(sample_labels == name) for name in names])
    seen = fake > 0
    return {
        "classes_covered": float((fake >= least * real).sum()),
        "class_entropy": float(-(fake[seen] * np.log(fake[seen])).sum()),
        "class_divergence": float((fake[seen] * np.log(fake[seen] / real[seen])).sum()),
    }


def _pair(features: Array, sample_features: Array, k: int = 1) -> tuple[Array, Array]:
    """Both tables, checked, in double precision."""
    if k < 1:
        raise ConfigError(f"k={k} must be at least 1")
    real, fake = (
        _table(features, "features", k + 1),
        _table(sample_features, "sample_features", k + 1),
    )
    if real.shape[1] != fake.shape[1]:
        raise DataError(
            f"features have {real.shape[1]} columns and sample_features {fake.shape[1]}; use one extractor"
        )
    return real, fake


def _table(values: Array, name: str, rows: int) -> Array:
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or len(table) < rows or not table.shape[1]:
        raise DataError(
            f"{name} must be a table of {rows} rows or more, got shape {table.shape}; give more samples"
        )
    if not np.isfinite(table).all():
        raise DataError(f"{name} holds NaN or infinite values; look at the samples they come from")
    return table


def _moments(table: Array) -> tuple[Array, Array]:
    """The mean (F,) and a triangular root R (min(N, F), F) of the covariance R'R."""
    mean = table.mean(0)
    return mean, np.asarray(np.linalg.qr((table - mean) / np.sqrt(len(table) - 1), mode="r"))


def _discrepancy(real: Array, fake: Array) -> float:
    inner = (_cubic(part, part) for part in (real, fake))
    own = sum((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in inner)
    return float(own - 2 * _cubic(real, fake).mean())


def _cubic(a: Array, b: Array) -> Array:
    linear = a @ b.T / a.shape[1] + 1
    return np.asarray(linear * linear * linear)


def _reach(table: Array, k: int) -> Array:
    """Distance of each row (N, F) from its k-th nearest other row, (N,)."""
    return np.asarray(
        NearestNeighbors(n_neighbors=k, algorithm="brute").fit(table).kneighbors()[0][:, -1]
    )


def _distances(real: Array, fake: Array) -> Iterator[tuple[slice, Array]]:
    """Distances of some real rows from all samples at a time, in bounded memory."""
    start = 0
    for part in pairwise_distances_chunked(real, fake, working_memory=MEGABYTES):
        yield slice(start, start + len(part)), part
        start += len(part)
