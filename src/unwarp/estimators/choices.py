"""Selected warps, with the measurements that they are based on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import mean
from typing import Any, Self

from unwarp.core import Domain
from unwarp.estimators.comparison import MIN_UNEXPLAINED_REDUCTION, brings_nearer
from unwarp.models import Recipe
from unwarp.planning.presets import PICTURES, SERIES, SHARP
from unwarp.warps import Chain, CosineTime, TimeAffine, TimeShift

MIN_SAVED_NATS = 10.0
"""Reduction of the description length of a held-out series, in nats, that requires a warp."""

MIN_AGREEMENT_GAIN, MIN_STANDARD_ERRORS = 0.02, 3.0
"""Least gain in agreement that requires a warp where nats are undecided; in standard errors too."""

MIN_LAG_RATIO = 4.0
"""Unexplained variance of held-out series without lags over that with lags that requires lags."""

MAX_NEAREST_RATIO = 0.9
"""Greatest `nearest_ratio` of the smooth warp at which a warp is used."""

SEARCHED = replace(SERIES, start="search")
"""Recipe whose lags are found by search."""

RECIPE_OF_CHOICE: Mapping[str, Recipe] = {
    "none": SERIES.without_warp(),
    # lags and tempos are searched, not learned: second views would teach nothing
    "shift": replace(SEARCHED, warp=TimeShift(), views=0.0, equivariance=0.0),
    "tempo": replace(SEARCHED, warp=TimeAffine(), views=0.0, equivariance=0.0),
    "shift+smooth": replace(SEARCHED, warp=Chain(CosineTime(), TimeShift())),
    "tempo+smooth": replace(SEARCHED, warp=Chain(CosineTime(), TimeAffine())),
    "smooth": SERIES,
    "sharp": SHARP,
}
"""Recipe for each value of `Selection.choice` for series."""

CHOICES_OF_DOMAIN: Mapping[str, Mapping[str, Recipe]] = {
    "series": RECIPE_OF_CHOICE,
    "image": {"none": PICTURES.without_warp(), "affine": PICTURES},
}
"""Recipes to choose from, by the name of the domain; all other domains have one default recipe."""


@dataclass(frozen=True)
class Selection:
    """The selected warp, and the measurements that it is based on.

    Each tuple has one number per fold that was measured.

    Attributes:
        choice: `none`, `shift`, `tempo` (lags and tempos), `shift+smooth`, `tempo+smooth`, `smooth`
            or `sharp` for series; `none` or `affine` for pictures.
        saved: Reduction of the description length of a held-out series by a warp, in nats; empty
            if there were no trials.
        unexplained: Share of the variance of held-out series, 0 to 1, that a model with the warp
            leaves unexplained, by the name of the warp (`smooth`, `sharp`); empty if the two were
            not compared.
        nearer: The `distance_gain` of the sharp warp; empty if the two were not compared.
        lag_ratio: The `lag_ratio` of the series; 0 if lags were not tried.
        tempo_ratio: The `lag_ratio` of lags and tempos; 0 if they were not tried.
        nearest_ratio: The `nearest_ratio` of the smooth warp; 0 if it was not measured.
        agreement: The `agreement_gain` of the smooth warp and its standard error; empty if it was
            not measured.
        nearness: Mean `nearest_ratio` and least `distance_gain` of the smooth warp over folds;
            empty if they were not measured.
        beyond_lags: Shares of the variance of held-out series that means of aligned series leave,
            by lags and by lags with a smooth warp, in the last fold that was measured; empty if
            the smooth warp was not tried.
        domain: Name of the domain of the samples.
        cut: Whether a time limit ended trials before their last step; they then decided nothing.

    >>> print(Selection("none", (3.2,)))
    no warp: a warp saves 3 nats per held-out series (in 1 fold), and 10 are required
    >>> print(Selection("affine", (55.0,), domain="image"))
    an affine warp: a warp saves 55 nats per held-out image (in 1 fold), and 10 are required
    """

    choice: str
    saved: tuple[float, ...] = ()
    unexplained: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    nearer: tuple[float, ...] = ()
    lag_ratio: float = 0.0
    nearest_ratio: float = 0.0
    agreement: tuple[float, ...] = ()
    nearness: tuple[float, ...] = ()
    tempo_ratio: float = 0.0
    beyond_lags: tuple[float, ...] = ()
    domain: str = "series"
    cut: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Restore a selection from a dictionary.

        Args:
            record: Dictionary that `dataclasses.asdict` made, possibly stored as JSON.
        """
        names = ("saved", "nearer", "agreement", "nearness", "beyond_lags")
        tuples = {name: tuple(record[name]) for name in names if name in record}
        shares = {name: tuple(values) for name, values in record["unexplained"].items()}
        return cls(**{**record, **tuples, "unexplained": shares})

    @property
    def recipe(self) -> Recipe:
        """The recipe of the choice."""
        return CHOICES_OF_DOMAIN[self.domain][self.choice]

    def __str__(self) -> str:
        domain = Domain.registry[self.domain]
        if self.choice.startswith("tempo") or "tempo" in self.unexplained:
            ratio = self.tempo_ratio
            saving = f"lags and tempos explain {ratio:.0f} times as much of held-out series"
        elif self.lag_ratio >= MIN_LAG_RATIO:
            saving = f"lags explain {self.lag_ratio:.0f} times as much of held-out series"
        elif not self.saved and self.choice == "none":
            return f"no warp: every {domain.singular} is constant"
        elif not self.saved:
            why = f"there are too few {domain.plural} or steps"
            why = "max_seconds ended the trials before their last step" if self.cut else why
            return f"{WORDS_OF_CHOICE[self.choice]}, without a trial: {why}"
        else:
            saving = (
                f"a warp saves {math.floor(mean(self.saved))} nats per held-out {domain.singular}"
                f"{self._spread()}, and {MIN_SAVED_NATS:.0f} are required"
                f"{self._agreement()}{self._nearness()}"
            )
        if self.choice == "none" and self.nearest_ratio:
            return (
                f"no warp: {saving}, but aligned series are at {self.nearest_ratio:.0%} of the "
                f"distance from their nearest neighbours, and {MAX_NEAREST_RATIO:.0%} is required"
            )
        if self.choice == "none":
            return f"no warp: {saving}"
        details = f"{self._shares()}{self._beyond_lags()}"
        details += "; max_seconds ended the other trials, which decide nothing" if self.cut else ""
        return f"{WORDS_OF_CHOICE[self.choice]}: {saving}{details}"

    def _spread(self) -> str:
        """Least and greatest saving of the folds in words."""
        if len(self.saved) == 1:
            return " (in 1 fold)"
        low, high = (math.floor(bound(self.saved)) for bound in (min, max))
        return f" ({low} to {high} in {len(self.saved)} folds)"

    def _agreement(self) -> str:
        """The gain in agreement in words; empty if it was not measured."""
        if not self.agreement:
            return ""
        gain, error = self.agreement
        verb = "agree" if agrees(*self.agreement) else "do not agree"
        return (
            f"; nearest neighbours of aligned series {verb} more with clusters of elastic "
            f"distances ({gain:+.1%}, standard error {error:.1%})"
        )

    def _nearness(self) -> str:
        """The nearness of aligned series in words; empty if it was not measured."""
        if not self.nearness:
            return ""
        ratio, gain = self.nearness
        adverb = "clearly" if brings_nearer(ratio, gain) else "not clearly"
        return (
            f"; aligned series are {adverb} nearer to each other ({ratio:.0%} of the elastic "
            f"distance, {math.exp(-gain):.0%} of the squared distance)"
        )

    def _shares(self) -> str:
        """The unexplained variances in words; empty if warps were not compared."""
        # "their" are the held-out series
        shares = {name: mean(values) for name, values in self.unexplained.items()}
        if not shares:
            return ""
        (weaker, share), (_, of_sharp) = shares.items()
        names = {"shift": "lags leave", "tempo": "lags and tempos leave"}
        name = names.get(weaker, f"the {weaker} warp leaves")
        text = f"; {name} {share:.0%} of their variance unexplained, the sharp warp {of_sharp:.0%}"
        if not self.nearer:
            return text
        factor = math.exp(mean(self.nearer))
        return f"{text} and brings them closer to other series by a factor of {factor:.1f}"

    def _beyond_lags(self) -> str:
        """The gain of a smooth warp beyond lags in words; empty if it was not tried."""
        if not self.beyond_lags:
            return ""
        lags, chain = self.beyond_lags
        return (
            f"; means of aligned series leave {lags:.1%} of the variance with lags, and "
            f"{chain:.1%} with a smooth warp in addition"
        )


WORDS_OF_CHOICE = {
    "shift": "lags",
    "tempo": "lags and tempos",
    "shift+smooth": "lags and a smooth warp of time",
    "tempo+smooth": "lags, tempos and a smooth warp of time",
    "smooth": "a smooth warp of time",
    "sharp": "a sharp warp of time",
    "affine": "an affine warp",
}
"""Words for people for each selected warp."""


def agrees(gain: float, error: float) -> bool:
    """Whether a gain in agreement is large and significant.

    Args:
        gain: The `agreement_gain`.
        error: Its standard error.
    """
    return gain > max(MIN_AGREEMENT_GAIN, MIN_STANDARD_ERRORS * error)


def is_needed_beyond_lags(lags: float, chain: float) -> bool:
    """Whether a smooth warp explains much that lags leave.

    Args:
        lags: Share of the variance that means of aligned series leave with lags.
        chain: The same with lags and a smooth warp.
    """
    return chain <= (1 - MIN_UNEXPLAINED_REDUCTION) * lags
