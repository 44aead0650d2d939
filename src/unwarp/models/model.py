"""What all model families share: the `Model`."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from unwarp.errors import DataError
from unwarp.models.encoders import Encoder, Posterior
from unwarp.models.latent import Latent
from unwarp.models.likelihood import Likelihood, Scale
from unwarp.models.poses import ROUGH, TOLERANCE, agreed, centres_of_kinds, shares
from unwarp.warps import Map, Padding, Warp, Window, interpolate_missing
from unwarp.warps.affine import affine_part

QUARTERS = (0.0, math.pi / 2, math.pi, -math.pi / 2)
"""Turns that may lead from one pose that explains a sample to another."""


class Model(nn.Module):
    """Encoder, decoder and a warp without parameters: the three arrows.

    Attributes:
        shape: Shape of a sample, (C, H, W) or (C, T).
        warp: The family of deformations, bound to the frame.
        window: The part of the frame that the decoder draws.
        anchor_theta: The mean training deformation (1, P), or that of each kind (M, P); centring takes it out of every map and
            puts it into the templates.
        link: What follows the warp: the identity, or from log-odds to probabilities.
        likelihood: The observation model.
        log_prior: Log standard deviations of the prior over the deformation, in half-ranges (P,); a parameter where learned.
        gaps: Whether samples may have gaps (NaN), which the encoder is then told of.
        kinds: Content at the middle of each kind of thing (M, D), whose poses agree; NaN until it is found by `gather`, and
            with no rows where the pose begins at one angle alone.
        gathers: How often a run gathers the kinds while the model learns, which then follows them; 0 for never.
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
        gathers: int = 0,
    ) -> None:
        super().__init__()
        self.gaps = gaps
        self.shape, self.warp, self.window, self.padding = shape, warp, window, padding
        self.frame = Window.frame(shape[1:])
        self.encoder, self.decoder, self.link, self.likelihood = encoder, decoder, link, likelihood
        self.n_content = encoder.n_content
        several = len(encoder.turns) > 1
        self.gathers = gathers if several and kinds else 0
        self.register_buffer("kinds", torch.full((kinds * several, self.n_content), torch.nan), persistent=several)
        apart = max(1, len(self.kinds)) if len(warp.parts) == 1 else 1  # a residual's chart knows of one anchor
        self.register_buffer("anchor_theta", torch.zeros(apart, len(warp.factors)))
        scales = torch.full((len(warp.factors),), 0.5 if prior == "learned" else prior).log()
        if prior == "learned" and warp.factors:
            self.log_prior = nn.Parameter(scales)
        else:
            self.register_buffer("log_prior", scales, persistent=False)

    @property
    def anchor(self) -> Map:
        """The centring as an invertible map of one row; where each kind has its own, their mean."""
        return self.warp.mean(self.warp.map(self.anchor_theta))

    def anchor_for(self, content: Tensor) -> Map:
        """The centring of what content (N, D) shows: one row for all, or N rows where each kind has its own."""
        if len(self.anchor_theta) == 1:
            return self.anchor
        return self.warp.map(shares(content, self.kinds) @ self.anchor_theta)

    @property
    def chart(self) -> Warp:
        """The warp whose theta describes centred maps."""
        return self.warp.recentre(self.anchor)

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
        if len(self.anchor_theta) > 1:
            return self.embed(x).map
        seen = self._fitting(x)
        return self.encoder.pose(seen, self._start(seen)).compose(self.anchor.invert())

    def _fitting(self, x: Tensor) -> Tensor:
        if x.shape[1:] != self.shape:
            raise DataError(
                f"samples have shape {tuple(x.shape[1:])}, the model was built for {self.shape}; use recipe.build(data.shape)"
            )
        return torch.cat([interpolate_missing(x), torch.isfinite(x).to(x)], 1) if self.gaps else x

    def turn(self, x: Tensor) -> Tensor | None:
        """The angles (N,) in radians at which the poses of samples `x` (N, *shape) begin; None where all begin at one."""
        return self._start(self._fitting(x))

    @torch.no_grad()
    def _start(self, x: Tensor) -> Tensor | None:
        """Of the angles at which each pose may begin, the one that explains the sample best; once kinds are known, theirs."""
        if len(self.encoder.turns) < 2:
            return None
        asked = len(self.kinds) > 0 and (not self.training or self.gathers > 0)
        known = asked and not bool(self.kinds.isnan().any())
        turns, codes, misfit = self._candidates(x) if known and not self.training else self._look(x)
        tolerance = ROUGH if self.training else TOLERANCE
        chosen = agreed(codes, misfit, self.kinds, tolerance)[0] if known else misfit.argmin(0)
        return turns.gather(0, chosen[None])[0]

    def _look(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What one brief look at each sample `x` (N, *shape) finds from each of the K angles.

        Squared errors are taken on the template's window, where they are cheapest, and count by the area that a template
        pixel covers: else a start could win by shrinking the sample.

        Returns:
            Angles (K, N), content (K, N, D) and squared errors (K, N).
        """
        turns, training = x.new_tensor(self.encoder.turns), self.training
        self.eval()
        found = self.encoder(x, None, turns.repeat_interleave(len(x)), brief=True)
        size = torch.linalg.det(affine_part(found.map).matrix[..., :2]).abs()
        misfit = (self.link(self.decode(found.content)) - found.seen).square().flatten(1).sum(1) * size
        self.train(training)
        each = (len(turns), len(x))
        return turns[:, None].expand(each), found.content.reshape(*each, -1), misfit.reshape(each)

    def _candidates(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best angle of each sample `x` (N, *shape) and those by quarters of a turn from it: what is found from there.

        Returns:
            Angles (4, N), content (4, N, D) and squared errors (4, N).
        """
        turns, _, misfit = self._look(x)
        turns = turns.gather(0, misfit.argmin(0)[None]) + x.new_tensor(QUARTERS)[:, None]
        found = self.encoder(x, None, turns.flatten())
        drawn = self.decode_warped(found.content, found.map).reshape(4, *x.shape)
        return turns, found.content.reshape(4, len(x), -1), (drawn - x).square().flatten(2).sum(2)

    def decode(self, content: Tensor) -> Tensor:
        """Content (N, D) to templates on `window`, before centring, the warp and the link."""
        return torch.as_tensor(self.decoder(content))

    def embed(self, x: Tensor) -> Latent:
        """The posterior mean given `x` (N, *shape): content (N, D) and centred maps."""
        posterior = self.encode(x)
        return Latent(posterior.content, posterior.map.compose(self.anchor_for(posterior.content).invert()))

    def template(self, content: Tensor) -> Tensor:
        """What content (N, D) looks like undeformed, (N, *shape); a smaller decoder window is padded."""
        seen = self.anchor_for(content)(self.decode(content), self.window, self.frame, self.padding)
        return torch.as_tensor(self.link(seen)).expand(len(content), *self.shape)

    def reconstruct(self, latent: Latent) -> Tensor:
        """The reconstruction (N, *shape): the template, deformed (read from the decoder's pixels in one go)."""
        return self.decode_warped(latent.content, latent.map.compose(self.anchor_for(latent.content)))

    def decode_warped(self, content: Tensor, map: Map) -> Tensor:
        """Decode content (N, D) and deform it by maps as they are before centring: (N, *shape)."""
        return self.apply_map(self.decode(content), map)

    def apply_map(self, templates: Tensor, map: Map) -> Tensor:
        """Templates as `decode` gives them, deformed by maps as they are before centring: (N, *shape)."""
        return torch.as_tensor(self.link(map(templates, self.window, self.frame, self.padding)))

    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Codes (n, D) from N(0, 1) and deformations (n, P) from their prior (uniform for periodic columns)."""
        factors, like = self.warp.factors, self.anchor_theta
        content = torch.randn(n, self.n_content, generator=generator).to(like)
        normal = torch.randn(n, len(factors), generator=generator).to(like) * self.prior
        uniform = (2 * torch.rand(n, len(factors), generator=generator) - 1).to(like)
        periodic = torch.tensor([f.periodic for f in factors], dtype=torch.bool, device=like.device)
        return content, torch.where(periodic, uniform, normal) * like.new_tensor([f.half_range for f in factors])

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` new observations (n, *shape), drawn from the prior."""
        content, theta = self.sample_latents(n, generator)
        return self.decode_warped(content, self.warp.map(theta))

    @torch.no_grad()
    def gather(self, x: Tensor) -> None:
        """Find the kinds, where the model has any, among the training samples `x` (N, *shape)."""
        if not len(self.kinds):
            return
        training = self.training
        self.eval()
        parts = (self._candidates(self._fitting(part))[1:] for part in torch.split(x, 512))
        codes, misfit = zip(*parts, strict=True)
        n = min(len(self.kinds), len(x))
        found = centres_of_kinds(torch.cat(codes, 1), torch.cat(misfit, 1), n)
        self.kinds[:] = found[torch.arange(len(self.kinds)) % n]
        self.train(training)

    @torch.no_grad()
    def centre(self, x: Tensor) -> None:
        """Set the kinds and the mean deformation, of each where it can be, from the training samples `x` (N, *shape)."""
        training = self.training
        self.eval().gather(x)
        posteriors = [self.encode(part) for part in torch.split(x, 1024)]
        theta, codes = (
            torch.cat(c) for c in zip(*((self.warp.theta(q.map), q.content) for q in posteriors), strict=True)
        )
        kind = torch.cdist(codes, self.kinds).argmin(1) if len(self.anchor_theta) > 1 else codes.new_zeros(len(codes))
        for i in range(len(self.anchor_theta)):
            rows = kind == i if (kind == i).any() else kind >= 0
            self.anchor_theta[i] = self.warp.theta(self.warp.mean(self.warp.map(theta[rows])))[0]
        self.train(training)
