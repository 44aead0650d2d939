"""Measures: functions of arrays. The folder is the registry: a function that a file lists in `SCORES` is a score.

The names of a score's arguments say what it needs: `codes`, `labels`, `templates`, `x`, `x_hat`, `map`, `true_map`,
`ids`, `orders` (symmetry orders of classes that share
their frame), `size` (of the frame), `table` (human columns), `theta`, `latents` (content and theta side by side), `factors` and
`factor_values` (what is known of the generator, (N, F)), `content_mean`, `content_log_sd` and `log_weights` (of stochastic
encoders), `features`, `sample_features` and `gaussian_features` (of held-out samples, of generated ones and of draws of
`pixel_gaussian`), `sample_labels` (classes found for generated samples), `move` and `moved_map` (a known deformation put
on top), and the same with `train_` for the samples on which neighbours, probes and clusters are fitted. Arguments with a
default are settings. A score gives a number, or several by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Score = Callable[..., "float | Mapping[str, float]"]

__all__ = ["Score", "needs", "scores"]


def scores() -> dict[str, Score]:
    """Every score of this folder by its name."""
    import pkgutil
    from importlib import import_module

    found: dict[str, Score] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        listed: tuple[Any, ...] = getattr(import_module(module.name), "SCORES", ())
        found |= {score.__name__: score for score in listed}
    return found


def needs(score: Score) -> tuple[str, ...]:
    """Names of the arrays that a score cannot do without."""
    from inspect import Parameter, signature

    return tuple(name for name, p in signature(score).parameters.items() if p.default is Parameter.empty)
