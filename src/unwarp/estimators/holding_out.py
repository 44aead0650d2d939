"""Samples held out of a training, to tell when it is done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unwarp.core import Array, Domain
from unwarp.data.sample_rows import SampleRows
from unwarp.data.samples import Samples
from unwarp.errors import ConfigError
from unwarp.models.recipe import Recipe
from unwarp.planning.defaults import PASSES_OVER_DATA, default_steps
from unwarp.planning.plan import Plan
from unwarp.training.validation import Validation

MIN_SAMPLES_PER_PART = 4
"""Least number of samples that are held out, and of those that are left for training."""

MAX_STEPS_FACTOR = 4
"""Greatest number of steps of an extended training, divided by its default number."""

SPLIT_STREAM = 7
"""Number that, with the seed of a fit, is the seed of the choice of held-out samples."""


@dataclass(frozen=True)
class Split:
    """Training samples in two parts.

    Attributes:
        training: Samples to train on.
        held_out: Samples that are not trained on; None to train on all of them.

    >>> import torch
    >>> from unwarp.data.dataset import Dataset
    >>> split = Split.of(Dataset(torch.zeros(40, 1, 8, 8)), 0.1, seed=0)
    >>> len(split.training), len(split.held_out)
    (36, 4)
    """

    training: Samples
    held_out: Samples | None = None

    @classmethod
    def of(cls, data: Samples, fraction: float | None, seed: int) -> Split:
        """A random split of training samples.

        Args:
            data: All training samples, which are not copied.
            fraction: Share of the samples to hold out; None for none.
            seed: Seed of the choice.

        Raises:
            ConfigError: The share leaves too few samples in a part.
        """
        if fraction is None:
            return cls(data)
        rows = np.random.default_rng((SPLIT_STREAM, seed)).permutation(len(data))
        n = held_out_count(len(data), fraction)
        training, held_out = (_rows(data, part) for part in (rows[n:], rows[:n]))
        return cls(training, held_out)

    def validation(self, plan: Plan, domain: Domain, is_open: bool) -> Validation | None:
        """The measurements of held-out samples in the training of a plan.

        There are 30 in a training of the default length: one for each pass over few samples.

        Args:
            plan: Recipe, steps and batch size.
            domain: Domain of the samples.
            is_open: Whether the training may be extended.
        """
        if self.held_out is None:
            return None
        recipe = plan.recipe
        suitable_steps = default_steps(len(self.training), domain, plan.batch_size)
        return Validation(
            self.held_out,
            interval=max(1, min(suitable_steps, plan.steps) // PASSES_OVER_DATA),
            max_steps=MAX_STEPS_FACTOR * plan.steps if is_open else None,
            term=recipe.held_out_term,
            weight=getattr(recipe, recipe.held_out_term, 1.0),
        )


def _rows(data: Samples, rows: Array) -> Samples:
    """Some rows in the order of the samples."""
    return SampleRows(data, np.sort(rows))


def held_out_count(n: int, fraction: float) -> int:
    """The number of samples to hold out.

    Args:
        n: Number of all samples.
        fraction: Share of them to hold out.

    Raises:
        ConfigError: The share leaves too few samples in a part.
    """
    n_held_out, least = round(fraction * n), MIN_SAMPLES_PER_PART
    if n < 2 * least:
        raise ConfigError(
            f"validation_fraction={fraction:g} needs at least {2 * least} samples, and there are "
            f"{n}; give more samples, or leave it out"
        )
    if n_held_out < least or n - n_held_out < least:
        part = "holds out" if n_held_out < least else "leaves for training"
        raise ConfigError(
            f"validation_fraction={fraction:g} {part} {min(n_held_out, n - n_held_out)} of {n} "
            f"samples, and at least {least} are needed; give {least / n:.2g} to "
            f"{1 - least / n:.2g}, or leave it out"
        )
    return n_held_out


def check_family(recipe: Recipe) -> None:
    """Refuse a family without a loss for held-out samples.

    Args:
        recipe: The recipe of the training.

    Raises:
        ConfigError: No loss of the family tells on held-out samples how good a model is.
    """
    if not recipe.held_out_term:
        raise ConfigError(
            f"validation_fraction does not work with recipe={recipe.family!r}: its losses measure "
            "players against each other, and do not fall as the model improves; leave it out, and "
            "set max_steps"
        )
