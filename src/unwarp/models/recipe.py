"""`Recipe`: all hyper-parameters of a family, and the model that they make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import torch
from torch import nn

from unwarp.models.base import Model
from unwarp.models.encoders import Encoder, EncoderKind, Gaussian, OneStage, Rung, Staged
from unwarp.models.likelihood import BACKGROUND, Above, Likelihood, LikelihoodKind, Scale, check_likelihood, check_scale
from unwarp.models.players import Optimiser, Player
from unwarp.models.starts import STARTS, StartKind, start_for
from unwarp.nets import Net, output_layer
from unwarp.types import ConfigError
from unwarp.warps import Identity, Padding, Warp, Window
from unwarp.warps.base import check_padding


@dataclass(frozen=True)
class Recipe(ABC):
    """All hyper-parameters of a family.

    Attributes:
        warp: The family of deformations; `Identity` for the unstructured model.
        n_content: Size D of the content code.
        encoder: `staged` (canonicalise, then encode) or `one-stage` (as first published).
        start: First pose: `learned` (by a rung that looks at the whole frame); on dark backgrounds `centroid`, or `moments`, which
            gives a scale too.
        starts: At how many angles the pose begins; the one that explains the sample best is kept. `auto`: eight for a warp that
            turns the full circle, else one.
        kinds: Where poses begin at several angles: into how many kinds of things, at most, those are gathered that shall share a
            pose and, where the warp has no residual, be centred by themselves; 0 lets each sample keep the pose that explains
            it best.
        gathers: How often kinds are gathered while the model learns, at equal distances; 0 for at the end alone.
        refinements: Rungs after the start, each of which looks at the canonicalised crop.
        passes: How often the last refinement is passed, in training and in use.
        crop: Share of the frame that templates fill, and that the later rungs look at.
        padding: What lies beyond a picture: `zeros`, `border`, `reflection`, or `auto` (`zeros`; `Unwarper` looks at the
            pictures' rim).
        net: Architecture of all encoders and decoders.
        likelihood: `gaussian` with `sigma`, `bernoulli` or `continuous-bernoulli`; `auto` takes Bernoulli for pictures and
            Gaussian for series.
        sigma: Standard deviation of the Gaussian likelihood, or `learned`.
        prior: Standard deviation of the prior over the composed deformation, in half-ranges, or `learned` (one a column).
        gaps: Whether series may have gaps (NaN): encoders are then told what was observed, and that alone is reconstructed.
        optimiser: Optimiser and its schedule.

    A family says by `generative` whether its training makes N(0, 1) the prior of content, and by `tolerant` whether it can learn
    from samples with gaps.
    """

    family: ClassVar[str]
    known: ClassVar[dict[str, type[Recipe]]] = {}
    generative: ClassVar[bool] = True
    tolerant: ClassVar[bool] = True
    warp: Warp = field(default_factory=Identity)
    n_content: int = 12
    encoder: EncoderKind = "staged"
    start: StartKind = "learned"
    starts: int | Literal["auto"] = "auto"
    kinds: int = 10
    gathers: int = 0
    refinements: int = 2
    passes: tuple[int, int] = (2, 5)
    crop: float = 1.0
    padding: Padding | Literal["auto"] = "auto"
    net: Net = field(default_factory=Net)
    likelihood: LikelihoodKind | Literal["auto"] = "gaussian"
    sigma: Scale = 0.5**0.5
    prior: Scale = 1.0
    gaps: bool = False
    optimiser: Optimiser = field(default_factory=Optimiser)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in vars(cls):
            Recipe.known[cls.family] = cls

    def __post_init__(self) -> None:
        if self.padding != "auto":
            check_padding(self.padding)
        check_likelihood(self.likelihood, self.sigma)
        check_scale("prior", self.prior)
        checks = {
            "n_content must be at least 1": self.n_content >= 1,
            "refinements must be 0 or more": self.refinements >= 0,
            "kinds must be 0 or more": self.kinds >= 0,
            "gathers must be 0 or more": self.gathers >= 0,
            "passes must be at least (1, 1)": min(self.passes) >= 1,
            "crop must lie in (0, 1]": 0 < self.crop <= 1,
            "encoder must be 'staged' or 'one-stage'": self.encoder in ("staged", "one-stage"),
            f"start must be one of {', '.join(STARTS)}": self.start in STARTS,
            "starts must be 'auto' or at least 1": self.starts == "auto" or self.starts >= 1,
        }
        for demand, held in checks.items():
            if not held:
                raise ConfigError(f"{type(self).__name__}: {demand}, got {getattr(self, demand.split()[0])!r}")

    @abstractmethod
    def players(self, model: Model) -> tuple[Player, ...]:
        """Who trains `model`, in the order in which they step."""

    @property
    def stochastic(self) -> bool:
        """Whether the encoder gives standard deviations too."""
        return False

    def unstructured(self) -> Self:
        """The same family without a warp, at as many latents in total: the fair baseline."""
        return replace(self, warp=Identity(), n_content=self.n_content + len(self.warp.factors), crop=1.0)

    def build(self, shape: Sequence[int], *, seed: int = 0) -> Model:
        """A new model for samples of `shape`, with weights drawn from `seed`.

        Raises:
            ConfigError: `shape` is neither (C, H, W) nor (C, T), or the warp does not act on such samples.
        """
        if len(shape) not in (2, 3):
            raise ConfigError(f"shape={tuple(shape)} must be (C, H, W) or (C, T)")
        if self.warp.kind not in ("auto", "series" if len(shape) == 2 else "image"):
            raise ConfigError(
                f"warp {self.warp.name!r} acts on {self.warp.kind} data, the samples have shape {tuple(shape)}"
            )
        if self.padding == "auto":
            return replace(self, padding="zeros").build(shape, seed=seed)
        if self.likelihood == "auto":
            return replace(self, likelihood="bernoulli" if len(shape) == 3 else "gaussian").build(shape, seed=seed)
        if self.gaps and (len(shape) == 3 or self.likelihood != "gaussian" or not self.tolerant):
            raise ConfigError(
                f"gaps=True is for series, a Gaussian likelihood and families without a critic; {type(self).__name__} with "
                f"likelihood={self.likelihood!r} got samples of shape {tuple(shape)}; fill the gaps instead"
            )
        frame = Window.frame(shape[1:])
        window = frame.crop(self.crop)
        warp = self.warp.on(shape[1:], window.extent[0])
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            seen = (shape[0] * (2 if self.gaps else 1), *shape[1:])
            encoder = build_encoder(self, seen, warp, window)
            decoder, link = self._decoder((shape[0], *window.size))
        likelihood = Likelihood(self.likelihood, self.sigma)
        parts = (tuple(shape), warp, encoder, decoder, window, self.padding, link, likelihood)
        return Model(*parts, self.prior, self.gaps, self.kinds, self.gathers)

    def _decoder(self, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
        """The decoder and the link: pictures lie in [0, 1] and start near the background; series stay linear."""
        net = self.net.decode(self.n_content, shape)
        if len(shape) == 2:
            return net, nn.Identity()
        bias, odds = output_layer(net).bias, self.likelihood != "gaussian"
        assert bias is not None
        nn.init.constant_(bias, (BACKGROUND if odds else 0.0) - (2.0 if self.padding == "zeros" else 0.0))
        return (net, Above()) if odds else (nn.Sequential(net, nn.Sigmoid()), nn.Identity())


def build_encoder(recipe: Recipe, shape: tuple[int, ...], warp: Warp, window: Window) -> Encoder:
    """The encoder that `recipe` describes, for samples of `shape` and a bound `warp`."""
    many = 2 if recipe.stochastic else 1
    padding: Padding = "zeros" if recipe.padding == "auto" else recipe.padding
    if recipe.encoder == "one-stage":
        trunk = recipe.net.encode(shape, many * (recipe.n_content + len(warp.factors)))
        return OneStage(warp, recipe.n_content, Gaussian(trunk, recipe.stochastic))
    start = start_for(recipe.start, recipe.starts, warp, window)
    rungs = _rungs(recipe, shape, warp, window)
    content = Gaussian(recipe.net.encode((shape[0], *window.size), many * recipe.n_content), recipe.stochastic)
    flags = shape[0] // 2 if recipe.gaps else 0
    return Staged(warp, recipe.n_content, start, rungs, content, window, padding, flags)


def _rungs(recipe: Recipe, shape: tuple[int, ...], warp: Warp, window: Window) -> list[Rung]:
    """The stages of pose, outermost warp first; the refinements of an invertible one look at the crop.

    A learned start is the first rung of the outermost warp; without refinements each warp begins with one.
    """
    plans: list[tuple[Warp, Window, tuple[int, int]]] = []
    for part in (part for part in reversed(warp.parts) if part.factors):
        if not part.map(torch.zeros(1, len(part.factors))).invertible:
            plans.append((part, window, (1, 1)))
            continue
        if recipe.start == "learned" and not (plans and recipe.refinements):
            plans.append((part, Window.frame(shape[1:]), (1, 1)))
        plans += [(part, window, (1, 1))] * (recipe.refinements - 1)
        plans += [(part, window, recipe.passes)] * min(1, recipe.refinements)
    rungs = []
    for i, (part, look, passes) in enumerate(plans):
        stochastic = recipe.stochastic and i == len(plans) - 1
        net = recipe.net.encode((shape[0], *look.size), len(part.factors) * (2 if stochastic else 1))
        rungs.append(Rung(part, look, net, stochastic, passes))
    return rungs
