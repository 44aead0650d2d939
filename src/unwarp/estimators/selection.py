"""Selection of how much to warp series.

If series differ in timing for a reason that matters, it does harm to undo their timing. Therefore
trials decide how much to warp, before the model of all series is trained. A trial is a short
training on a part of the series; the model is then measured on the held-out rest, without labels
(`unwarp.estimators.evidence`). A fold is one split of the series in these two parts. There are
three questions:

* **Do lags explain the timing?** Templates of shifted series, found by search, must leave a quarter
  or less of the variance of held-out series that as many templates without shifts leave. Such lags
  are undone in any case, and the second question is skipped. So are lags and tempos, if they leave
  an eighth or less of what lags alone leave.
* **Is a warp needed?** Two variational autoencoders with equally many latents are compared, one
  with a warp of time and one without. The warp must reduce the description length of a held-out
  series by `MIN_SAVED_NATS`, averaged over folds. If it changes the description length by less
  than that, the answer is undecided, and second signs count: a smooth warp is used if the nearest
  neighbours of aligned series belong to the same cluster more often than those of observed series,
  significantly (`unwarp.estimators.agreement`), or if alignment brings series clearly nearer to
  each other (`unwarp.estimators.comparison`).
* **How strong a warp?** A stronger warp is selected if, in each of at most two folds, it reduces
  the unexplained variance of the held-out series by the share `MIN_UNEXPLAINED_REDUCTION`, and
  alignment by it brings held-out series closer to training series by `MIN_DISTANCE_GAIN`. The
  preset `SHARP` is compared with the preset `SERIES` ("smooth"), or with lags. Where lags hold, a
  smooth warp of what they leave is added if it reduces the variance that means of aligned series
  leave of held-out series by the share `MIN_UNEXPLAINED_REDUCTION`, in each of at most two folds.

A smooth warp must also bring series nearer to their nearest neighbours, by a tenth of an elastic
distance. Otherwise it found no common timing, and no warp is selected.

If the first fold gives a clear answer, the other folds are skipped.

Pictures have the second question only, without a second sign; see
`unwarp.estimators.picture_selection`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from unwarp.core import DivergencePolicy
from unwarp.estimators.agreement import agreement_gain
from unwarp.estimators.choices import (
    MAX_NEAREST_RATIO,
    MIN_LAG_RATIO,
    MIN_SAVED_NATS,
    RECIPE_OF_CHOICE,
    Selection,
    agrees,
    is_needed_beyond_lags,
)
from unwarp.estimators.comparison import (
    CLEAR_MARGIN,
    Comparison,
    brings_nearer,
    measure_nearness,
)
from unwarp.estimators.evidence import (
    description_length,
    lag_and_tempo_ratio,
    lag_ratio,
    unexplained_by_means,
)
from unwarp.estimators.trials import Folds, Trials, folds
from unwarp.models import VAE, Recipe
from unwarp.planning.presets import SERIES, SHARP
from unwarp.warps import interpolate_missing

CLEAR_DISTANCE_NATS = 2 * MIN_SAVED_NATS
"""Distance of the first fold's reduction from `MIN_SAVED_NATS` that makes its answer clear."""

MIN_TEMPO_GAIN = 8.0
"""Factor by which lags and tempos must explain more than lags alone, so that tempos are undone."""

MIN_LAG_RATIO_FOR_TEMPO = 2.0
"""`lag_ratio` from which tempos are searched: series that differ in tempo have lags, too."""

MIN_SERIES_FOR_TRIAL = 12
"""Smallest number of series for a trial; measures on fewer held-out series are too noisy."""

STEPS_OF_TRIAL = 300
"""Training steps of a trial that decides whether to warp."""

STEPS_FACTOR_FOR_RIPPLES = 5 / 3
"""Length of a trial for the second question, smooth or sharp, relative to the first.

A sharp warp aligns by small ripples, which take more training steps to learn.
"""

MAX_TRIAL_LENGTHS_PER_FOLD = 8
"""Upper bound of the training time of a fold, as a multiple of the shortest trial.

A fold has up to four trials of length 1 and two of length 5/3.
"""

DESCRIBING_RECIPE = VAE(
    warp=SERIES.warp,
    n_content=SERIES.n_content,
    refinements=SERIES.refinements,
    padding=SERIES.padding,
    net=SERIES.net,
    prior="learned",
    optimiser=SERIES.optimiser,
)
"""Recipe of the variational autoencoder with a warp, for the first question."""


def select(
    x: Tensor,
    *,
    seed: int = 0,
    steps: int = STEPS_OF_TRIAL,
    seconds: float | None = None,
    device: str = "cpu",
    on_divergence: DivergencePolicy = "stop",
    on_message: Callable[[str], None] = lambda message: None,
) -> Selection:
    """Select how much to warp series, by trials on held-out series.

    Constant series get no warp. With fewer than 12 series or fewer than 300 steps there are no
    trials, and the smooth warp is selected. Otherwise lags are tried, and 2 to 10 trials
    decide. Trials that the time limit ends decide nothing: lags that explain much are then
    selected, else the smooth warp.

    Args:
        x: Training series (N, C, T), scaled for a model; NaN marks missing values.
        seed: Seed of folds, weights and batches.
        steps: Training steps of a trial that decides whether to warp. The trials that decide
            between smooth and sharp take five thirds as many.
        seconds: Longest time of all trials together, in seconds; None for no limit.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_divergence: Reaction to a trial that diverges, as in `train`.
        on_message: Function that shows a line to people. It is called before each fold.

    Returns:
        The selected warp with its measurements.
    """
    if not interpolate_missing(x).diff().any():
        return Selection("none")
    if len(x) < MIN_SERIES_FOR_TRIAL or steps < STEPS_OF_TRIAL:
        return Selection("smooth")
    rows = list(folds(len(x), seed))
    on_message("how much to warp: do lags explain how series differ?")
    lags = lag_ratio(x[rows[0][0]], x[rows[0][1]])
    share = None if seconds is None else seconds / (MAX_TRIAL_LENGTHS_PER_FOLD * len(rows))
    options = {"seed": seed, "device": device, "on_divergence": on_divergence}
    trials = Trials(x, steps, share, options, on_message)
    tempos = _tempo_ratio(trials, rows[0]) if lags >= MIN_LAG_RATIO_FOR_TEMPO else 0.0
    if lags >= MIN_LAG_RATIO or tempos:
        weaker = "tempo" if tempos else "shift"
        selection = _choose_strength(trials, rows[:2], weaker)
        if selection.choice == weaker:
            selection = _choose_beyond_lags(trials, rows[:2], selection)
        if trials.cut:  # models that were hardly trained say nothing
            selection = Selection(weaker, cut=True)
        return replace(selection, lag_ratio=lags, tempo_ratio=tempos)
    saved = saved_nats(trials, rows, DESCRIBING_RECIPE)
    if trials.cut:
        return Selection("smooth", lag_ratio=lags, cut=True)
    signs = _second_signs(trials, rows) if abs(mean(saved)) < MIN_SAVED_NATS else {}
    evidence: dict[str, Any] = {"saved": saved, "lag_ratio": lags, **signs}
    if mean(saved) < MIN_SAVED_NATS and not _support(**signs):
        return Selection("none", **evidence)
    selection = _choose_strength(trials, rows[:2], "smooth")
    if selection.nearest_ratio > MAX_NEAREST_RATIO:
        selection = replace(selection, choice="none")
    if trials.cut:
        selection = Selection("smooth", cut=True)
    return replace(selection, **evidence)


def _tempo_ratio(trials: Trials, rows: tuple[Tensor, Tensor]) -> float:
    """The `lag_ratio` of lags and tempos; 0 if tempos explain little.

    Args:
        trials: The series and the settings.
        rows: Rows of the fold.
    """
    trials.on_message("how much to warp: do tempos explain how series differ?")
    lags, tempos = lag_and_tempo_ratio(trials.x[rows[0]], trials.x[rows[1]])
    return tempos if tempos >= max(MIN_LAG_RATIO, MIN_TEMPO_GAIN * lags) else 0.0


def _second_signs(trials: Trials, rows: Folds) -> dict[str, tuple[float, float]]:
    """The second signs of a smooth warp by the name of their field, as far as they are needed.

    Args:
        trials: The series and the settings.
        rows: Rows of each fold.
    """
    signs = {"agreement": _agreement(trials, rows[0])}
    if not _support(**signs):
        trials.on_message("how much to warp: does a warp bring series nearer to each other?")
        signs["nearness"] = measure_nearness(trials, SERIES, rows[:2])
    return signs


def _support(
    agreement: tuple[float, float] | None = None, nearness: tuple[float, float] | None = None
) -> bool:
    """Whether one of the second signs requires a warp; None for one that was not measured."""
    return (agreement is not None and agrees(*agreement)) or (
        nearness is not None and brings_nearer(*nearness)
    )


def saved_nats(trials: Trials, rows: Folds, recipe: Recipe) -> tuple[float, ...]:
    """Nats that a warp saves per held-out sample, fold by fold.

    Args:
        trials: The samples and the settings.
        rows: Rows of each fold.
        recipe: Recipe of the variational autoencoder with a warp.

    Returns:
        One number per fold; only that of the first fold if its answer is clear.
    """
    saved: list[float] = []
    plural = "series" if trials.x.ndim == 3 else "images"
    for i, (training, held_out) in enumerate(rows):
        trials.on_message(
            f"how much to warp: does a warp help to describe held-out {plural}? "
            f"({i + 1} of {len(rows)})"
        )
        plain, warped = (
            description_length(trials.fit(member, training), trials.x[held_out])
            for member in (recipe.without_warp(), recipe)
        )
        saved.append(plain - warped)
        if abs(saved[0] - MIN_SAVED_NATS) > CLEAR_DISTANCE_NATS:
            break
    return tuple(saved)


def _agreement(trials: Trials, rows: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """The gain in agreement of a smooth warp and its standard error, in one fold.

    Args:
        trials: The series and the settings.
        rows: Rows of the fold.
    """
    trials.on_message("how much to warp: do aligned series agree more with their clusters?")
    model = trials.fit(SERIES, rows[0], STEPS_FACTOR_FOR_RIPPLES)
    return agreement_gain(model, trials.x[torch.cat(rows)], trials.options["seed"])


def _choose_strength(trials: Trials, rows: Folds, weaker: str) -> Selection:
    """Choose between a weaker warp and the sharp one.

    Short trials on the first fold decide if their answer is clear. Otherwise longer ones do, and
    all folds must then favour the sharp warp: as soon as one does not, the weaker warp is selected
    and the other folds are skipped. They are also skipped if the first fold favours the sharp warp
    clearly.

    Args:
        trials: The series and the settings.
        rows: Rows of each fold.
        weaker: `shift`, `tempo` or `smooth`.
    """
    question = "how much to warp: are there small ripples to align by?"
    trials.on_message(question)
    recipes = RECIPE_OF_CHOICE[weaker], SHARP
    comparisons = [Comparison.of(trials, recipes, rows[0], 1.0)]
    if 1 / CLEAR_MARGIN < comparisons[0].margin < CLEAR_MARGIN:
        comparisons = []
        for i, fold in enumerate(rows):
            trials.on_message(f"{question} (longer trials, {i + 1} of {len(rows)})")
            comparisons.append(Comparison.of(trials, recipes, fold, STEPS_FACTOR_FOR_RIPPLES))
            if not 1 < comparisons[-1].margin < CLEAR_MARGIN:
                break
    choice = "sharp" if min(part.margin for part in comparisons) > 1 else weaker
    weak, sharp = zip(*(part.unexplained for part in comparisons), strict=True)
    gains = tuple(part.gain for part in comparisons)
    ratio = comparisons[0].nearest_ratio
    return Selection(choice, (), {weaker: weak, "sharp": sharp}, gains, nearest_ratio=ratio)


def _choose_beyond_lags(trials: Trials, rows: Folds, selection: Selection) -> Selection:
    """Choose between lags alone, and lags with a smooth warp of what they leave.

    The smooth warp must reduce the variance that means of aligned series leave, in all folds. As
    soon as it does not, the other folds are skipped.

    Args:
        trials: The series and the settings.
        rows: Rows of each fold.
        selection: The selection of lags, or of lags and tempos.
    """
    trials.on_message("how much to warp: does a smooth warp explain what lags leave?")
    stronger = f"{selection.choice}+smooth"
    recipes = [RECIPE_OF_CHOICE[choice] for choice in (selection.choice, stronger)]
    shares = list[tuple[float, float]]()
    for training, held_out in rows:
        models = (trials.fit(recipe, training) for recipe in recipes)
        parts = trials.x[training], trials.x[held_out]
        lags, chain = (unexplained_by_means(model, *parts) for model in models)
        shares.append((lags, chain))
        if not is_needed_beyond_lags(lags, chain):
            break
    choice = stronger if is_needed_beyond_lags(*shares[-1]) else selection.choice
    return replace(selection, choice=choice, beyond_lags=shares[-1])
