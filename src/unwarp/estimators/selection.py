"""How much to warp series: not at all, smoothly, or led by small ripples; decided on held-out series, without labels.

Where timing tells things apart, undoing it does harm. So before a model of all series is trained, small ones are, on a part
of them, and asked about the rest:

* **Whether to warp.** Two variational autoencoders of equal size, one with a warp of time, describe the held-out series:
  `n / 2 log(mean squared error) + KL of content + KL of the warp` nats each, with the noise estimated on the held-out
  series themselves (two-part codes, Rissanen 1978, Modeling by shortest data description; `n` is the number of values, but
  no more than 128 steps, since neighbours in a long series say the same). A warp must save `MARGIN` nats a series.
* **Which one.** `SERIES` and `SHARP` reconstruct held-out series. `SHARP` is taken where it leaves less unexplained, in the mean
  over four bands of frequencies, by `FINER` of what `SERIES` leaves: where there are ripples that it can draw; and where aligning by
  it brings held-out series nearer to those that were learned, by `NEARER` in the log of the squared distance to the nearest.
  Each of two held-out parts must say so.

Where the first held-out part leaves no doubt, the others are not asked.
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
from unwarp.models import VAE, Model, Recipe, rates
from unwarp.models.families.ae import pyramid
from unwarp.planning.presets import SERIES, SHARP
from unwarp.training.loop import train
from unwarp.warps import align, interpolate_missing
from unwarp.warps.missing import fill_from

MARGIN = 10.0


FINER = 0.25


NEARER = 0.5


FEWEST = 12


STEPS, LONGER, BATCH, LENGTH = 300, 5 / 3, 20, 128


JUDGE = VAE(
    warp=SERIES.warp,
    n_content=SERIES.n_content,
    refinements=SERIES.refinements,
    padding=SERIES.padding,
    net=SERIES.net,
    prior="learned",
    optimiser=SERIES.optimiser,
)
"""The model whose description of held-out series is measured; its twin has no warp and as many latents."""


CHOICES: Mapping[str, Recipe] = {"none": SERIES.without_warp(), "smooth": SERIES, "sharp": SHARP}
CHOICES_OF_DOMAIN: Mapping[str, Mapping[str, Recipe]] = {"series": CHOICES}
"""What can be chosen from, by the name of the domain; of all other data the default recipe is taken."""


@dataclass(frozen=True)
class Selection:
    """What was chosen, and why.

    Attributes:
        choice: `none`, `smooth` or `sharp`.
        saved: Nats that a warp saves in the description of a held-out series, fold by fold; empty where nothing was tried.
        unexplained: Share of held-out series that `smooth` and `sharp` leave unexplained, mean over bands, fold by fold.
        nearer: How much nearer aligning by `sharp` brings held-out series to learned ones (log of squares), fold by fold.
    """

    choice: str
    saved: tuple[float, ...] = ()
    unexplained: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    nearer: tuple[float, ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` made of one, perhaps by way of JSON."""
        shares = {name: tuple(each) for name, each in record["unexplained"].items()}
        return cls(
            record["choice"], tuple(record["saved"]), shares, tuple(record.get("nearer", ()))
        )

    @property
    def recipe(self) -> Recipe:
        """The recipe that was chosen."""
        return CHOICES[self.choice]

    def __str__(self) -> str:
        if not self.saved and self.choice == "none":
            return "no warp: the series never change"
        if not self.saved:
            return "a warp of time, untried: there are too few series or steps to decide"
        found = f"a warp saves {math.floor(mean(self.saved))} nats a held-out series, it must save {MARGIN:.0f}"
        if self.choice == "none":
            return f"no warp: {found}"
        left = {name: mean(shares) for name, shares in self.unexplained.items()}
        return (
            f"a {self.choice} warp of time: {found}; of held-out series the smooth one leaves {left['smooth']:.0%} "
            f"unexplained, the sharp one {left['sharp']:.0%}"
        ) + (
            f", and brings them nearer to others by a factor of {math.exp(mean(self.nearer)):.1f}"
            if self.nearer
            else ""
        )


def select(
    x: Tensor,
    *,
    seed: int = 0,
    steps: int = STEPS,
    seconds: float | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda line: None,
) -> Selection:
    """How much to warp the series `x` (N, C, T), scaled as a model would see them; NaN where nothing was observed.

    Args:
        x: Training series.
        seed: Everything random follows from it.
        steps: Steps of each training that decides whether to warp; those that look for ripples take five thirds as many.
        seconds: Bound on all of them together; None for none.
        device: Where to train.
        say: Takes a line for people before each fold.
    """
    if not interpolate_missing(x).diff().any():
        return Selection("none")
    if len(x) < FEWEST or steps < STEPS:
        return Selection("smooth")
    pieces = list(folds(len(x), seed))
    plan = {"batch_size": BATCH, "seed": seed, "device": device}
    trials = _Trials(x, steps, None if seconds is None else seconds / (6 * len(pieces)), plan, say)
    saved = _code_length_gains(trials, pieces)
    return (
        Selection("none", saved)
        if mean(saved) < MARGIN
        else _choose_sharpness(trials, pieces[:2], saved)
    )


Pieces = Sequence[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class _Trials:
    """Trainings on parts of the series `x`, each of `steps` steps and `seconds` seconds at most, where that is not None."""

    x: Tensor
    steps: int
    seconds: float | None
    plan: Mapping[str, Any]
    say: Callable[[str], None]

    def fitted(self, recipe: Recipe, rows: Tensor, longer: float = 1.0) -> Model:
        """A model of some rows, trained `longer` times as long as others."""
        chosen = replace(recipe, gaps=bool(self.x.isnan().any()))
        model = chosen.build(self.x.shape[1:], seed=self.plan["seed"])
        bound = None if self.seconds is None else self.seconds * longer
        players, part = chosen.players(model), Dataset(self.x[rows])
        train(model, players, part, steps=round(longer * self.steps), seconds=bound, **self.plan)
        return model.eval()


def _code_length_gains(trials: _Trials, pieces: Pieces) -> tuple[float, ...]:
    """Nats that a warp saves in the description of a held-out series, piece by piece; no more pieces than leave a doubt."""
    saved: list[float] = []
    for i, (known, held) in enumerate(pieces):
        trials.say(
            f"how much to warp: does a warp help to describe held-out series? ({i + 1} of {len(pieces)})"
        )
        plain, warped = (
            description_length(trials.fitted(r, known), trials.x[held])
            for r in (JUDGE.without_warp(), JUDGE)
        )
        saved.append(plain - warped)
        if abs(saved[0] - MARGIN) > 2 * MARGIN:
            break
    return tuple(saved)


def _choose_sharpness(trials: _Trials, pieces: Pieces, saved: tuple[float, ...]) -> Selection:
    """Which of the two warps, where one helps; the first held-out part that speaks against `sharp` settles it."""
    left: dict[str, tuple[float, ...]] = {"smooth": (), "sharp": ()}
    near: tuple[float, ...] = ()
    finer = False
    for i, (known, held) in enumerate(pieces):
        trials.say(f"how much to warp: are there ripples to go by? ({i + 1} of {len(pieces)})")
        for name in left:
            model = trials.fitted(CHOICES[name], known, LONGER)
            left[name] += (unexplained(model, trials.x[held]),)
        near += (distance_gain(model, trials.x[known], trials.x[held]),)
        finer = left["sharp"][-1] < (1 - FINER) * left["smooth"][-1] and near[-1] > NEARER
        if not finer:
            break
    return Selection("sharp" if finer else "smooth", saved, left, near)


def folds(n: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows to learn from and rows held out, a third of them: three times of few series, once of many."""
    parts = np.array_split(np.random.default_rng(seed).permutation(n), 3)
    for i in range(3 if n <= 100 else 2 if n <= 250 else 1):
        known = np.concatenate([part for j, part in enumerate(parts) if j != i])
        yield torch.as_tensor(known), torch.as_tensor(parts[i])


@torch.no_grad()
def description_length(model: Model, x: Tensor) -> float:
    """Nats that series `x` (N, C, T) cost, each: what a variational `model` leaves of them, its codes and its maps."""
    posterior = model.encode(x)
    drawn = model.decode_warped(posterior.content_mean, posterior.map)
    seen = torch.isfinite(x)
    left = (drawn - fill_from(x, drawn)).square().sum() / seen.sum()
    n = x.shape[1] * min(x.shape[2], LENGTH) * float(seen.float().mean())
    return n / 2 * math.log(max(float(left), 1e-12)) + sum(
        float(rate.mean()) for rate in rates(posterior, model).values()
    )


@torch.no_grad()
def unexplained(model: Model, x: Tensor, levels: int = 4) -> float:
    """Share of the variance of series `x` (N, C, T) that reconstructions leave, mean over bands, 0 to 1 each.

    A band of which less is known than that it is there counts 1: nothing would have been as good.
    """
    drawn = model.reconstruct(model.embed(x))
    whole = fill_from(x, drawn)
    bands = zip(pyramid(drawn - whole, levels), pyramid(whole, levels), strict=True)
    return mean(
        min(1.0, float(error.square().mean() / band.var().clamp_min(1e-12)))
        for error, band in bands
    )


@torch.no_grad()
def distance_gain(model: Model, known: Tensor, held: Tensor) -> float:
    """How much nearer series `held` (M, C, T) come to their nearest of `known` (N, C, T) when `model` aligns both.

    The log of the mean squared distance as they are over that after alignment; 0 where nothing is gained.
    """
    before = _nearest(interpolate_missing(known), interpolate_missing(held))
    after = _nearest(
        *(
            interpolate_missing(align(x, model.pose(x), padding=model.padding))
            for x in (known, held)
        )
    )
    return math.log(max(before, 1e-12) / max(after, 1e-12))


def _nearest(known: Tensor, held: Tensor) -> float:
    return float(torch.cdist(held.flatten(1), known.flatten(1)).amin(1).square().mean())
