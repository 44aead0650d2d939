"""Class information in codes: nearest neighbours and a linear probe."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unwarp.core import Array, Labels
from unwarp.metrics.registry import score_function


@score_function(best=1.0, chance=0.5)
def neighbours(
    train_codes: Array, train_labels: Labels, codes: Array, labels: Labels, k: int = 5
) -> float:
    """Accuracy of the k nearest neighbours among training codes.

    Euclidean distances and a majority vote. The score ignores rotations of the code, not the
    relative scale of its dimensions; chance is the share of the most frequent class.

    Args:
        train_codes: Reference codes (M, D).
        train_labels: Their classes (M,).
        codes: Held-out codes (N, D).
        labels: Their classes (N,).
        k: Number of neighbours; M if there are fewer codes.

    Returns:
        Share of held-out samples that are classified correctly, 0 to 1.
    """
    return float(
        KNeighborsClassifier(min(k, len(train_codes)))
        .fit(train_codes, train_labels)
        .score(codes, labels)
    )


@score_function(best=1.0, chance=0.5)
def linear(train_codes: Array, train_labels: Labels, codes: Array, labels: Labels) -> float:
    """Accuracy of a logistic regression on standardised codes.

    The usual linear probe of a representation. It ignores offset and scale of each dimension;
    chance is the share of the most frequent class.

    Args:
        train_codes: Codes to which the probe is fitted (M, D).
        train_labels: Their classes (M,).
        codes: Held-out codes (N, D).
        labels: Their classes (N,).

    Returns:
        Share of held-out samples that are classified correctly, 0 to 1.
    """
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=3000))
    return float(probe.fit(train_codes, train_labels).score(codes, labels))
