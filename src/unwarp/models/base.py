"""What all model families share: the `Model`, the `Recipe` that builds it and the `Player`s that train it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from unwarp.models.encoders import Encoder, EncoderKind, Posterior, build_encoder
from unwarp.models.likelihood import BACKGROUND, Above, Likelihood, LikelihoodKind, Scale, check_likelihood, check_scale
from unwarp.models.players import Optimiser, Player
from unwarp.models.poses import agreed, centres_of_kinds
from unwarp.models.starts import STARTS, StartKind
from unwarp.nets import Net, output_layer
from unwarp.types import ConfigError, DataError, Latent
from unwarp.warps import Identity, Map, Padding, Warp, Window, filled
from unwarp.warps.affine import affine_part
from unwarp.warps.base import check_padding

QUARTERS = (0.0, math.pi / 2, math.pi, -math.pi / 2)
"""Turns that may lead from one pose that explains a sample to another."""


def _tiled(x: Tensor, times: int) -> Tensor:
    """Samples (N, ...) one set after the other (times * N, ...)."""
    return x.repeat(times, *(1 for _ in x.shape[1:]))


class Model(nn.Module):
    """Encoder, decoder and a warp without parameters: the three arrows.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        warp: The family of deformations, bound to the frame.
        window: The part of the frame that the decoder draws.
        anchor_theta: The mean training deformation; centring takes it out of every map and puts it into the templates.
        link: What follows the warp: the identity, or from log-odds to probabilities.
        likelihood: The observation model.
        log_prior: Log standard deviations of the prior over the deformation, in half-ranges (P,); a parameter where learned.
        gaps: Whether samples may have gaps (NaN), which the encoder is then told of.
        kinds: Content at the middle of each kind of thing (M, D), whose poses agree; NaN until it is found by `centre`, and
            with no rows where the pose begins at one angle alone.
    """

    anchor_theta: Tensor
    log_prior: Tensor
    kinds: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        warp: Warp,
        encoder: Encoder,
        decoder: nn.Module,
        window: Window,
        padding: Padding,
        link: nn.Module,
        likelihood: Likelihood,
        prior: Scale,
        gaps: bool = False,
        kinds: int = 0,
    ) -> None:
        super().__init__()
        self.gaps = gaps
        self.shape, self.warp, self.window, self.padding = shape, warp, window, padding
        self.frame = Window.frame(shape[1:])
        self.encoder, self.decoder, self.link, self.likelihood = encoder, decoder, link, likelihood
        self.n_content = encoder.n_content
        self.register_buffer("anchor_theta", torch.zeros(1, len(warp.factors)))
        several = len(encoder.turns) > 1
        self.register_buffer("kinds", torch.full((kinds * several, self.n_content), torch.nan), persistent=several)
        scales = torch.full((len(warp.factors),), 0.5 if prior == "learned" else prior).log()
        if prior == "learned" and warp.factors:
            self.log_prior = nn.Parameter(scales)
        else:
            self.register_buffer("log_prior", scales, persistent=False)

    @property
    def anchor(self) -> Map:
        """The centring as an invertible map of one row."""
        return self.warp.mean(self.warp.map(self.anchor_theta))

    @property
    def chart(self) -> Warp:
        """The warp whose theta describes centred maps."""
        return self.warp.seen_from(self.anchor)

    @property
    def prior(self) -> Tensor:
        """Standard deviations of the prior over the deformation, in half-ranges (P,)."""
        return self.log_prior.exp()

    def encode(self, x: Tensor, noise: torch.Generator | None = None, turn: Tensor | None = None) -> Posterior:
        """The posterior given `x` (N, *shape), before centring; a sample of it where `noise` is given.

        Args:
            x: Samples.
            noise: Where a sample is drawn from; None for the mean.
            turn: Angles (N,) in radians at which the poses begin; None for what `turn` finds.

        Raises:
            DataError: Samples of another shape.
        """
        seen = self._fitting(x)
        posterior: Posterior = self.encoder(seen, noise, self._start(seen) if turn is None else turn)
        return posterior

    def pose(self, x: Tensor) -> Map:
        """The centred maps of `x` (N, *shape), as of `embed(x)`, at the cost of the poses alone.

        Raises:
            DataError: Samples of another shape.
        """
        seen = self._fitting(x)
        return self.encoder.pose(seen, self._start(seen)).compose(self.anchor.invert())

    def _fitting(self, x: Tensor) -> Tensor:
        if x.shape[1:] != self.shape:
            raise DataError(
                f"samples have shape {tuple(x.shape[1:])}, the model was built for {self.shape}; use recipe.build(data.shape)"
            )
        return torch.cat([filled(x), torch.isfinite(x).to(x)], 1) if self.gaps else x

    def turn(self, x: Tensor) -> Tensor | None:
        """The angles (N,) in radians at which the poses of samples `x` (N, *shape) begin; None where all begin at one."""
        return self._start(self._fitting(x))

    @torch.no_grad()
    def _start(self, x: Tensor) -> Tensor | None:
        """Of the angles at which each pose may begin, the one that explains the sample best; once kinds are known, theirs."""
        if len(self.encoder.turns) < 2:
            return None
        if self.training or not len(self.kinds) or bool(self.kinds.isnan().any()):
            return self._best(x)
        turns, codes, misfit = self._candidates(x)
        return turns.gather(0, agreed(codes, misfit, self.kinds)[0][None])[0]

    def _best(self, x: Tensor) -> Tensor:
        """The angle (N,) at which one look leaves the least of each sample `x` (N, *shape) unexplained.

        Squared errors are taken on the template's window, where they are cheapest, and count by the area that a template
        pixel covers: else a start could win by shrinking the sample.
        """
        turns, training = x.new_tensor(self.encoder.turns), self.training
        self.eval()
        found = self.encoder(_tiled(x, len(turns)), None, turns.repeat_interleave(len(x)), brief=True)
        size = torch.linalg.det(affine_part(found.map).matrix[..., :2]).abs()
        misfit = (self.link(self.decode(found.content)) - found.seen).square().flatten(1).sum(1) * size
        self.train(training)
        return turns[misfit.reshape(len(turns), len(x)).argmin(0)]

    def _candidates(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best angle of each sample `x` (N, *shape) and those by quarters of a turn from it: what is found from there.

        Returns:
            Angles (4, N), content (4, N, D) and squared errors (4, N).
        """
        turns = self._best(x) + x.new_tensor(QUARTERS)[:, None]
        many = _tiled(x, len(turns))
        found = self.encoder(many, None, turns.flatten())
        misfit = (self.draw(found.content, found.map) - many).square().flatten(1).sum(1)
        return turns, found.content.reshape(4, len(x), -1), misfit.reshape(4, len(x))

    def decode(self, content: Tensor) -> Tensor:
        """Content (N, D) to templates on `window`, before centring, the warp and the link."""
        return torch.as_tensor(self.decoder(content))

    def embed(self, x: Tensor) -> Latent:
        """The posterior mean given `x` (N, *shape): content (N, D) and centred maps."""
        posterior = self.encode(x)
        return Latent(posterior.content, posterior.map.compose(self.anchor.invert()))

    def template(self, content: Tensor) -> Tensor:
        """What content (N, D) looks like undeformed, (N, *shape); a smaller decoder window is padded."""
        upright = self.anchor(self.decode(content), self.window, self.frame, self.padding)
        return torch.as_tensor(self.link(upright)).expand(len(content), *self.shape)

    def render(self, latent: Latent) -> Tensor:
        """The reconstruction (N, *shape): the template, deformed (read from the decoder's pixels in one go)."""
        return self.draw(latent.content, latent.map.compose(self.anchor))

    def draw(self, content: Tensor, map: Map) -> Tensor:
        """Decode content (N, D) and deform it by maps as they are before centring: (N, *shape)."""
        return self.show(self.decode(content), map)

    def show(self, templates: Tensor, map: Map) -> Tensor:
        """Templates as `decode` gives them, deformed by maps as they are before centring: (N, *shape)."""
        return torch.as_tensor(self.link(map(templates, self.window, self.frame, self.padding)))

    def imagine(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Codes (n, D) from N(0, 1) and deformations (n, P) from their prior (uniform for periodic columns)."""
        factors, like = self.warp.factors, self.anchor_theta
        content = torch.randn(n, self.n_content, generator=generator).to(like)
        normal = torch.randn(n, len(factors), generator=generator).to(like) * self.prior
        uniform = (2 * torch.rand(n, len(factors), generator=generator) - 1).to(like)
        periodic = torch.tensor([f.periodic for f in factors], dtype=torch.bool, device=like.device)
        return content, torch.where(periodic, uniform, normal) * like.new_tensor([f.half_range for f in factors])

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` new observations (n, *shape), drawn from the prior."""
        content, theta = self.imagine(n, generator)
        return self.draw(content, self.warp.map(theta))

    @torch.no_grad()
    def centre(self, x: Tensor) -> None:
        """Set the kinds and the anchor, the mean deformation, from the training samples `x` (N, *shape)."""
        training = self.training
        self.eval()
        if len(self.kinds):
            parts = (self._candidates(self._fitting(part))[1:] for part in torch.split(x, 512))
            codes, misfit = zip(*parts, strict=True)
            n = min(len(self.kinds), len(x))
            self.kinds[:] = centres_of_kinds(torch.cat(codes, 1), torch.cat(misfit, 1), n)[
                torch.arange(len(self.kinds)) % n
            ]
        posteriors = [self.encode(part) for part in torch.split(x, 1024)]
        mean = self.warp.mean(self.warp.map(torch.cat([self.warp.theta(q.map) for q in posteriors])))
        self.anchor_theta.copy_(self.warp.theta(mean))
        self.train(training)


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
            pose; 0 lets each sample keep the pose that explains it best.
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
    generative: ClassVar[bool] = True
    tolerant: ClassVar[bool] = True
    warp: Warp = field(default_factory=Identity)
    n_content: int = 12
    encoder: EncoderKind = "staged"
    start: StartKind = "learned"
    starts: int | Literal["auto"] = "auto"
    kinds: int = 10
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

    def __post_init__(self) -> None:
        if self.padding != "auto":
            check_padding(self.padding)
        check_likelihood(self.likelihood, self.sigma)
        check_scale("prior", self.prior)
        checks = {
            "n_content must be at least 1": self.n_content >= 1,
            "refinements must be 0 or more": self.refinements >= 0,
            "kinds must be 0 or more": self.kinds >= 0,
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
        return Model(*parts, self.prior, self.gaps, self.kinds)

    def _decoder(self, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
        """The decoder and the link: pictures lie in [0, 1] and start near the background; series stay linear."""
        net = self.net.decode(self.n_content, shape)
        if len(shape) == 2:
            return net, nn.Identity()
        bias, odds = output_layer(net).bias, self.likelihood != "gaussian"
        assert bias is not None
        nn.init.constant_(bias, (BACKGROUND if odds else 0.0) - (2.0 if self.padding == "zeros" else 0.0))
        return (net, Above()) if odds else (nn.Sequential(net, nn.Sigmoid()), nn.Identity())
