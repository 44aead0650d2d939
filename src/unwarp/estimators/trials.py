"""Trials: short trainings on a part of the samples, and the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.models import Model, Recipe
from unwarp.training.loop import train

MAX_SERIES_FOR_THREE_FOLDS, MAX_SERIES_FOR_TWO_FOLDS = 100, 250
"""Largest number of series with three folds, and with two folds."""

SERIES_PER_STEP = 20
"""Series in a training step of a trial."""


Folds = Sequence[tuple[Tensor, Tensor]]
"""For each fold, the rows of the series to train on and the rows of the held-out series."""


@dataclass(frozen=True)
class Trials:
    """The series and the settings of all trials.

    Attributes:
        x: All series (N, C, T), or images (N, C, H, W).
        steps: Training steps of a trial of length 1.
        seconds: Longest time of a trial of length 1, in seconds; None for no limit.
        options: Further arguments of `train`.
        on_message: Function that shows a line to people.
        batch_size: Number of samples in a training step.
        models: Trained models by recipe, rows and length; a trial that is asked for again is not
            repeated.
        cut: Recipes of trials that the time limit ended before their last step.
    """

    x: Tensor
    steps: int
    seconds: float | None
    options: Mapping[str, Any]
    on_message: Callable[[str], None]
    batch_size: int = SERIES_PER_STEP
    models: dict[tuple[Recipe, tuple[int, ...], float], Model] = field(default_factory=dict)
    cut: list[Recipe] = field(default_factory=list)

    def fit(self, recipe: Recipe, rows: Tensor, length: float = 1.0) -> Model:
        """Train a model on a part of the series.

        Args:
            recipe: Recipe of the model.
            rows: Rows of the series to train on.
            length: Length of the trial, as a multiple of `steps` and `seconds`.

        Returns:
            The trained model, in evaluation mode.
        """
        key = recipe, tuple(rows.tolist()), length
        if key not in self.models:
            self.models[key] = self._train(*key)
        return self.models[key]

    def _train(self, recipe: Recipe, rows: Sequence[int], length: float) -> Model:
        """A newly trained model; arguments as for `fit`."""
        recipe = replace(recipe, gaps=bool(self.x.isnan().any()))
        model = recipe.build(self.x.shape[1:], seed=self.options["seed"])
        limit = None if self.seconds is None else self.seconds * length
        players, data = recipe.players(model), Dataset(self.x[list(rows)])
        steps = round(length * self.steps)
        limits: dict[str, Any] = {"steps": steps, "seconds": limit}
        history = train(model, players, data, batch_size=self.batch_size, **limits, **self.options)
        for rollback in history.rollbacks:
            self.on_message(f"how much to warp: a trial {rollback}")
        if history.steps < steps:
            self.cut.append(recipe)
        return model.eval()


def folds(n: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random folds of series for trials.

    In each fold two thirds of the series are for training and one third is held out. No series is
    held out in two folds. Up to 100 series have three folds, up to 250 series two folds, and more
    series one fold: the fewer the series, the noisier the measures of one fold.

    Args:
        n: Number of series.
        seed: Seed of the folds.

    Yields:
        Rows of the series to train on and rows of the held-out series, counted from 0.
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
