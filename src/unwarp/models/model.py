"""The `Model` that all families share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unwarp.models.canvas import Canvas
from unwarp.models.encoders import Posterior
from unwarp.models.hooks import Hooks
from unwarp.models.latent import Latent
from unwarp.models.likelihood import Likelihood, Scale
from unwarp.models.networks import Networks
from unwarp.models.pose_search import PoseSearch, SingleStart
from unwarp.warps import Map, Warp


class Model(nn.Module):
    """Encoder, decoder and a warp without parameters: the three arrows.

    Args:
        canvas: The frame of a sample, and the part of it that the decoder draws.
        warp: The family of deformations, bound to the frame.
        networks: Encoder, decoder, and the link that follows the warp.
        likelihood: The observation model.
        prior: Standard deviation of the prior over the deformation in half-ranges, or `learned`.
        search: The search for the angle at which a pose begins.

    Attributes:
        anchor_theta: The mean training deformation (1, P), or that of each cluster of poses (M, P);
            centring takes it out of every map and puts it into the templates.
        log_prior: Log standard deviations of the prior over the deformation, in half-ranges (P,); a
            parameter where learned.
    """

    anchor_theta: Tensor
    log_prior: Tensor

    def __init__(
        self,
        canvas: Canvas,
        warp: Warp,
        networks: Networks,
        likelihood: Likelihood,
        prior: Scale,
        search: PoseSearch | SingleStart,
    ) -> None:
        super().__init__()
        self.canvas, self.warp = canvas, warp
        self.shape, self.window, self.frame = canvas.shape, canvas.window, canvas.frame
        self.padding, self.gaps = canvas.padding, canvas.gaps
        self.encoder, self.decoder, self.link = networks.encoder, networks.decoder, networks.link
        self.likelihood, self.search = likelihood, search
        self.n_content = networks.encoder.n_content
        anchors = search.n_clusters if len(warp.parts) == 1 else 1  # a residual's chart has one
        self.register_buffer("anchor_theta", torch.zeros(max(1, anchors), len(warp.factors)))
        scales = torch.full((len(warp.factors),), 0.5 if prior == "learned" else prior).log()
        if prior == "learned" and warp.factors:
            self.log_prior = nn.Parameter(scales)
        else:
            self.register_buffer("log_prior", scales, persistent=False)

    @property
    def anchor(self) -> Map:
        """The centring as an invertible map of one row; the mean of several anchors."""
        return self.warp.mean(self.warp.map(self.anchor_theta))

    @property
    def chart(self) -> Warp:
        """The warp whose theta describes centred maps."""
        return self.warp.recentre(self.anchor)

    @property
    def prior(self) -> Tensor:
        """Standard deviations of the prior over the deformation, in half-ranges (P,)."""
        return self.log_prior.exp()

    @property
    def training_hooks(self) -> Hooks:
        """Updates of the clusters of poses in a run, and the centring at its end."""
        return Hooks(self.search.updates, self.search.update_clusters, self.centre)

    def _anchor_for(self, content: Tensor) -> Map:
        """The centring of content (N, D): one row for all, or N rows where there are several."""
        if len(self.anchor_theta) == 1:
            return self.anchor
        return self.warp.map(self.search.memberships(content) @ self.anchor_theta)

    def encode(
        self,
        x: Tensor,
        noise: torch.Generator | None = None,
        angles: Tensor | None = None,
    ) -> Posterior:
        """The posterior of samples, before centring.

        Args:
            x: Samples (N, *shape).
            noise: Generator of a draw from the posterior; None for its mean.
            angles: Angles (N,) in radians at which the poses begin; None for those of the search.

        Raises:
            DataError: Samples of another shape.
        """
        angles = self.search.choose(x) if angles is None else angles
        posterior: Posterior = self.encoder(self.canvas.encoder_input(x), noise, angles)
        return posterior

    def embed(self, x: Tensor) -> Latent:
        """The posterior mean of samples `x` (N, *shape): content (N, D) and centred maps."""
        posterior = self.encode(x)
        anchor = self._anchor_for(posterior.content)
        return Latent(posterior.content, posterior.map.compose(anchor.invert()))

    def pose(self, x: Tensor) -> Map:
        """The maps of `embed(x)` for samples `x` (N, *shape), at the cost of the poses alone.

        Raises:
            DataError: Samples of another shape.
        """
        if len(self.anchor_theta) > 1:
            return self.embed(x).map
        map = self.encoder.pose(self.canvas.encoder_input(x), self.search.choose(x))
        return map.compose(self.anchor.invert())

    def decode(self, content: Tensor) -> Tensor:
        """Content (N, D) to templates on the window, before centring, the warp and the link."""
        return torch.as_tensor(self.decoder(content))

    def template(self, content: Tensor) -> Tensor:
        """Undeformed samples (N, *shape) of content (N, D); padded beyond the window."""
        drawn = self.canvas.draw(self.decode(content), self._anchor_for(content))
        return torch.as_tensor(self.link(drawn)).expand(len(content), *self.shape)

    def reconstruct(self, latent: Latent) -> Tensor:
        """Deformed templates (N, *shape), read from the decoder's pixels in one go."""
        map = latent.map.compose(self._anchor_for(latent.content))
        return self.decode_warped(latent.content, map)

    def decode_warped(self, content: Tensor, map: Map) -> Tensor:
        """Deformed templates (N, *shape) of content (N, D) and maps before centring."""
        return self.apply_map(self.decode(content), map)

    def apply_map(self, templates: Tensor, map: Map) -> Tensor:
        """Templates of `decode`, deformed by maps before centring: (N, *shape)."""
        return torch.as_tensor(self.link(self.canvas.draw(templates, map)))

    def sample_latents(
        self,
        n: int,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draws of content (n, D) and deformations (n, P) from their priors.

        Content is Gaussian, and so are deformations; periodic columns are uniform.

        Args:
            n: Number of draws.
            generator: Generator of the draws; None for torch's own.
        """
        factors, like = self.warp.factors, self.anchor_theta
        content = torch.randn(n, self.n_content, generator=generator).to(like)
        normal = torch.randn(n, len(factors), generator=generator).to(like) * self.prior
        uniform = (2 * torch.rand(n, len(factors), generator=generator) - 1).to(like)
        periodic = torch.tensor([f.periodic for f in factors], dtype=torch.bool, device=like.device)
        half_ranges = like.new_tensor([f.half_range for f in factors])
        return content, torch.where(periodic, uniform, normal) * half_ranges

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` new observations (n, *shape) from the prior, drawn with `generator`."""
        content, theta = self.sample_latents(n, generator)
        return self.decode_warped(content, self.warp.map(theta))

    @torch.no_grad()
    def centre(self, x: Tensor) -> None:
        """Set clusters of poses and mean deformations by training samples `x` (N, *shape)."""
        training = self.training
        self.eval()
        self.search.update_clusters(x)
        posteriors = map(self.encode, torch.split(x, 1024))
        pairs = [(self.warp.theta(posterior.map), posterior.content) for posterior in posteriors]
        theta, content = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        several, alone = len(self.anchor_theta) > 1, content.new_zeros(len(content))
        clusters = self.search.nearest_cluster(content) if several else alone
        for i in range(len(self.anchor_theta)):
            rows = clusters == i if (clusters == i).any() else clusters >= 0
            self.anchor_theta[i] = self.warp.theta(self.warp.mean(self.warp.map(theta[rows])))[0]
        self.train(training)
