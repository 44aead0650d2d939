"""Class information in codes: nearest neighbours and a linear probe.

A probe is a simple classifier that is fitted to codes after training of the model. The declared
chance of 0.5 is for two equally frequent classes.
"""

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
    """Accuracy of a classifier by the k nearest training codes.

    Distances are Euclidean, and the most frequent class among the neighbours is predicted. A
    rotation of the codes does not change the score; the relative scale of dimensions does. Chance
    is the share of the most frequent class.

    Args:
        train_codes: Reference codes (M, D).
        train_labels: Classes of the reference codes (M,).
        codes: Held-out codes (N, D).
        labels: Classes of the held-out codes (N,).
        k: Number of neighbours, at most M.

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

    This is the usual linear probe of a representation. Offset and scale of each dimension do not
    change it. Chance is the share of the most frequent class.

    Args:
        train_codes: Codes to which the probe is fitted (M, D).
        train_labels: Classes of these codes (M,).
        codes: Held-out codes (N, D).
        labels: Classes of the held-out codes (N,).

    Returns:
        Share of held-out samples that are classified correctly, 0 to 1.
    """
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=3000))
    return float(probe.fit(train_codes, train_labels).score(codes, labels))
