"""Selection of the warp for series: none, smooth or sharp.

Undoing the timing of series does harm if timing tells things apart. So before a model of all series
is trained, small models are trained on a part of them and measured on the held-out rest, without
labels (`unwarp.estimators.evidence`):

* **Whether to warp.** Two variational autoencoders with equally many latents, one with a warp of
  time and one without, describe the held-out series. The warp must shorten the description of a
  series by `MIN_SAVED_NATS`.
* **Smooth or sharp.** The presets `SERIES` ("smooth") and `SHARP` reconstruct the held-out series.
  The sharp warp is taken if it leaves less variance unexplained, by the share
  `MIN_UNEXPLAINED_REDUCTION`, and if aligning by it brings held-out series closer to training
  series, by `MIN_DISTANCE_GAIN`. Both of two held-out parts must agree.

A first held-out part without any doubt spares the trainings for the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.estimators.evidence import description_length, distance_gain, unexplained
from unwarp.models import VAE, Model, Recipe
from unwarp.planning.presets import SERIES, SHARP
from unwarp.training.loop import train
from unwarp.warps import interpolate_missing

MIN_SAVED_NATS = 10.0
"""Nats a held-out series that a warp must save."""

CLEAR_DISTANCE_NATS = 2 * MIN_SAVED_NATS
"""Distance from `MIN_SAVED_NATS` at which the first fold decides alone."""

MIN_UNEXPLAINED_REDUCTION = 0.25
"""Share of the unexplained variance that the sharp warp must remove."""

MIN_DISTANCE_GAIN = 0.5
"""Log factor by which the sharp warp must bring held-out series closer in squared distance."""

MIN_SERIES_FOR_TRIAL = 12
"""Smallest number of series for a trial; from fewer, held-out numbers are noise."""

MAX_SERIES_FOR_THREE_FOLDS, MAX_SERIES_FOR_TWO_FOLDS = 100, 250
"""Largest numbers of series that are split in three and in two ways."""

STEPS_OF_TRIAL = 300
"""Training steps of a trial that decides whether to warp."""

STEPS_FACTOR_FOR_RIPPLES = 5 / 3
"""Training steps of a trial that looks for ripples, relative to the others; ripples take longer."""

SERIES_PER_STEP = 20
"""Series in a training step of a trial."""

MAX_TRIAL_LENGTHS_PER_FOLD = 6
"""Bound on the training time of a fold in trials: two of length 1 and two of length 5/3."""

DESCRIBING_RECIPE = VAE(
    warp=SERIES.warp,
    n_content=SERIES.n_content,
    refinements=SERIES.refinements,
    padding=SERIES.padding,
    net=SERIES.net,
    prior="learned",
    optimiser=SERIES.optimiser,
)
"""Recipe of the model that describes held-out series; its baseline has no warp."""

RECIPE_OF_CHOICE: Mapping[str, Recipe] = {
    "none": SERIES.without_warp(),
    "smooth": SERIES,
    "sharp": SHARP,
}
"""Recipe of each choice."""

CHOICES_OF_DOMAIN: Mapping[str, Mapping[str, Recipe]] = {"series": RECIPE_OF_CHOICE}
"""Choices by the name of the domain; other domains always take their default recipe."""


@dataclass(frozen=True)
class Selection:
    """The selected warp and its evidence.

    Tuples have one number for each fold.

    Attributes:
        choice: `none`, `smooth` or `sharp`.
        saved: Nats that a warp saves in the description of a held-out series; empty without trial.
        unexplained: Share of the variance of held-out series, 0 to 1, that the `smooth` and the
            `sharp` warp leave unexplained; empty unless both were tried.
        nearer: Log factor by which the sharp warp brings held-out series closer to training series,
            in squared distance.

    >>> print(Selection("none", (3.2,)))
    no warp: a warp saves 3 nats per held-out series, and 10 are required
    """

    choice: str
    saved: tuple[float, ...] = ()
    unexplained: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    nearer: tuple[float, ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """A selection from its record.

        Args:
            record: Dictionary that `dataclasses.asdict` made, possibly stored as JSON.
        """
        shares = {name: tuple(values) for name, values in record["unexplained"].items()}
        return cls(
            record["choice"], tuple(record["saved"]), shares, tuple(record.get("nearer", ()))
        )

    @property
    def recipe(self) -> Recipe:
        """The recipe of the choice."""
        return RECIPE_OF_CHOICE[self.choice]

    def __str__(self) -> str:
        if not self.saved and self.choice == "none":
            return "no warp: every series is constant"
        if not self.saved:
            return "a smooth warp of time, without a trial: there are too few series or steps"
        saving = (
            f"a warp saves {math.floor(mean(self.saved))} nats per held-out series, "
            f"and {MIN_SAVED_NATS:.0f} are required"
        )
        if self.choice == "none":
            return f"no warp: {saving}"
        shares = {name: mean(values) for name, values in self.unexplained.items()}
        text = (
            f"a {self.choice} warp of time: {saving}; the smooth warp leaves "
            f"{shares['smooth']:.0%} of their variance unexplained, the sharp one "
            f"{shares['sharp']:.0%}"
        )
        if not self.nearer:
            return text
        factor = math.exp(mean(self.nearer))
        return f"{text} and brings them closer to other series by a factor of {factor:.1f}"


def select(
    x: Tensor,
    *,
    seed: int = 0,
    steps: int = STEPS_OF_TRIAL,
    seconds: float | None = None,
    device: str = "cpu",
    on_message: Callable[[str], None] = lambda message: None,
) -> Selection:
    """Select how much to warp series, by trials on held-out series.

    Constant series get no warp. Fewer than 12 series, or fewer than 300 steps, allow no trial and
    get the smooth warp. Otherwise 2 to 10 short trainings decide.

    Args:
        x: Training series (N, C, T), scaled for a model; NaN marks missing values.
        seed: Seed of folds, weights and batches.
        steps: Training steps of a trial that decides whether to warp; trials that look for ripples
            take five thirds of it.
        seconds: Longest time of all trials together; None for no limit.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people, called before each fold.

    Returns:
        The choice with its measurements.
    """
    if not interpolate_missing(x).diff().any():
        return Selection("none")
    if len(x) < MIN_SERIES_FOR_TRIAL or steps < STEPS_OF_TRIAL:
        return Selection("smooth")
    rows = list(folds(len(x), seed))
    share = None if seconds is None else seconds / (MAX_TRIAL_LENGTHS_PER_FOLD * len(rows))
    options = {"batch_size": SERIES_PER_STEP, "seed": seed, "device": device}
    trials = _Trials(x, steps, share, options, on_message)
    saved = _saved_nats(trials, rows)
    if mean(saved) < MIN_SAVED_NATS:
        return Selection("none", saved)
    return _choose_sharpness(trials, rows[:2], saved)


Folds = Sequence[tuple[Tensor, Tensor]]
"""Rows to train on and held-out rows of each fold."""


@dataclass(frozen=True)
class _Trials:
    """Trainings on parts of the series.

    Attributes:
        x: All series (N, C, T).
        steps: Training steps of a trial of length 1.
        seconds: Longest time of such a trial; None for no limit.
        options: Further arguments of `train`.
        on_message: Function that shows a line to people.
    """

    x: Tensor
    steps: int
    seconds: float | None
    options: Mapping[str, Any]
    on_message: Callable[[str], None]

    def fit(self, recipe: Recipe, rows: Tensor, length: float = 1.0) -> Model:
        """A model of some rows, trained for `length` times the steps and seconds."""
        recipe = replace(recipe, gaps=bool(self.x.isnan().any()))
        model = recipe.build(self.x.shape[1:], seed=self.options["seed"])
        limit = None if self.seconds is None else self.seconds * length
        players, data = recipe.players(model), Dataset(self.x[rows])
        train(model, players, data, steps=round(length * self.steps), seconds=limit, **self.options)
        return model.eval()


def _saved_nats(trials: _Trials, rows: Folds) -> tuple[float, ...]:
    """Nats that a warp saves per held-out series, fold by fold; one fold if it is clear."""
    saved: list[float] = []
    for i, (training, held_out) in enumerate(rows):
        trials.on_message(
            "how much to warp: does a warp help to describe held-out series? "
            f"({i + 1} of {len(rows)})"
        )
        plain, warped = (
            description_length(trials.fit(recipe, training), trials.x[held_out])
            for recipe in (DESCRIBING_RECIPE.without_warp(), DESCRIBING_RECIPE)
        )
        saved.append(plain - warped)
        if abs(saved[0] - MIN_SAVED_NATS) > CLEAR_DISTANCE_NATS:
            break
    return tuple(saved)


def _choose_sharpness(trials: _Trials, rows: Folds, saved: tuple[float, ...]) -> Selection:
    """The smooth or the sharp warp; the first fold against the sharp one is the last."""
    shares: dict[str, tuple[float, ...]] = {"smooth": (), "sharp": ()}
    gains: tuple[float, ...] = ()
    is_sharp = False
    for i, (training, held_out) in enumerate(rows):
        trials.on_message(
            f"how much to warp: are there small ripples to align by? ({i + 1} of {len(rows)})"
        )
        for name in shares:
            model = trials.fit(RECIPE_OF_CHOICE[name], training, STEPS_FACTOR_FOR_RIPPLES)
            shares[name] += (unexplained(model, trials.x[held_out]),)
        # the model of the last name, `sharp`
        gains += (distance_gain(model, trials.x[training], trials.x[held_out]),)
        bound = (1 - MIN_UNEXPLAINED_REDUCTION) * shares["smooth"][-1]
        is_sharp = shares["sharp"][-1] < bound and gains[-1] > MIN_DISTANCE_GAIN
        if not is_sharp:
            break
    return Selection("sharp" if is_sharp else "smooth", saved, shares, gains)


def folds(n: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random splits of series for trials.

    Two thirds are trained on and one third is held out; no series is held out twice. Up to 100
    series give three splits, up to 250 two, more one: the fewer the series, the noisier the
    measures of a single split.

    Args:
        n: Number of series.
        seed: Seed of the splits.

    Yields:
        Rows to train on and held-out rows, counted from 0.
    """
    parts = np.array_split(np.random.default_rng(seed).permutation(n), 3)
    for i in range(_fold_count(n)):
        training = np.concatenate([part for j, part in enumerate(parts) if j != i])
        yield torch.as_tensor(training), torch.as_tensor(parts[i])


def _fold_count(n: int) -> int:
    """Number of folds of `n` series."""
    if n <= MAX_SERIES_FOR_THREE_FOLDS:
        return 3
    return 2 if n <= MAX_SERIES_FOR_TWO_FOLDS else 1
