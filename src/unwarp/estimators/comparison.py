"""Comparisons of warps of series by short trials, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean

from torch import Tensor

from unwarp.estimators.evidence import (
    SMALLEST_VARIANCE,
    distance_gain,
    nearest_ratio,
    unexplained,
)
from unwarp.estimators.trials import Folds, Trials
from unwarp.models import Recipe

MIN_UNEXPLAINED_REDUCTION = 0.25
"""Share of the smooth warp's unexplained variance that the sharp warp must remove."""

MIN_DIFFERENCE = 0.05
"""Share of the whole variance that the sharp warp must explain in addition: where the weaker one
leaves almost nothing, there is nothing to gain."""

MIN_DISTANCE_GAIN = 0.5
"""Least `distance_gain` of the sharp warp: log ratio of squared distances before and after."""

CLEAR_MARGIN = 2.0
"""Multiple of both requirements of the sharp warp from which one fold decides for it. From half of
one requirement short trials decide against it."""

MAX_RATIO_OF_NEARNESS, MIN_GAIN_OF_NEARNESS = 0.77, 0.5
"""Greatest mean `nearest_ratio`, and least `distance_gain` of any fold, of an alignment that brings
series clearly nearer to each other."""


@dataclass(frozen=True)
class Comparison:
    """Measures of a weaker and of the sharp warp.

    Attributes:
        unexplained: Share of the variance of held-out series that each of the two leaves.
        gain: The `distance_gain` of the sharp warp.
        nearest_ratio: The `nearest_ratio` of the weaker warp.

    >>> Comparison((0.5, 0.25), gain=0.75, nearest_ratio=0.8).margin
    1.5
    """

    unexplained: tuple[float, float]
    gain: float
    nearest_ratio: float

    @classmethod
    def of(
        cls,
        trials: Trials,
        recipes: tuple[Recipe, Recipe],
        rows: tuple[Tensor, Tensor],
        length: float,
    ) -> Comparison:
        """The comparison on one fold.

        Args:
            trials: The series and the settings.
            recipes: Recipes with the weaker warp and with the sharp one.
            rows: Rows of the series to train on and of the held-out series.
            length: Length of the trials, as a multiple of the shortest one.
        """
        training, held_out = (trials.x[part] for part in rows)
        models = [trials.fit(recipe, rows[0], length) for recipe in recipes]
        weak, sharp = (unexplained(model, held_out) for model in models)
        gain = distance_gain(models[1], training, held_out)
        return cls((weak, sharp), gain, nearest_ratio(models[0], training))

    @property
    def margin(self) -> float:
        """The least ratio of a measure to its requirement."""
        weak, sharp = self.unexplained
        difference = weak - sharp
        reduction = difference / max(weak, SMALLEST_VARIANCE) / MIN_UNEXPLAINED_REDUCTION
        return min(reduction, difference / MIN_DIFFERENCE, self.gain / MIN_DISTANCE_GAIN)


def measure_nearness(trials: Trials, recipe: Recipe, rows: Folds) -> tuple[float, float]:
    """How much nearer alignment brings series to each other.

    Args:
        trials: The series and the settings.
        recipe: Recipe with a warp.
        rows: Rows of each fold; the next one is used if those before bring series clearly nearer.

    Returns:
        The mean `nearest_ratio` of training series, and the least `distance_gain` of held-out ones.
    """
    ratios, gains = list[float](), list[float]()
    for training, held_out in rows:
        model = trials.fit(recipe, training)
        ratios.append(nearest_ratio(model, trials.x[training]))
        gains.append(distance_gain(model, trials.x[training], trials.x[held_out]))
        if not brings_nearer(mean(ratios), min(gains)):
            break
    return mean(ratios), min(gains)


def brings_nearer(ratio: float, gain: float) -> bool:
    """Whether an alignment brings series clearly nearer to each other.

    Args:
        ratio: The mean `nearest_ratio`.
        gain: The least `distance_gain`.
    """
    return ratio < MAX_RATIO_OF_NEARNESS and gain > MIN_GAIN_OF_NEARNESS
